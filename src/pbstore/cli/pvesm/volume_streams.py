"""`pvesm export` and `import`: streams between nodes, which no type of storage here makes or takes."""

from typing import NoReturn

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pvesm.own_storages import own_storages
from pbstore.cli.pvesm.volume_parameters import VOLUME
from pbstore.errors import UnsupportedError
from pbstore.pve.storage.volume_id import VolumeId
from pbstore.pve.value_types import Text


def export_volume(console: Console, volume: str, format: str, filename: str) -> None:
    """Refuse."""
    _refuse(console, volume, format, "exported")


def import_volume(console: Console, volume: str, format: str, filename: str) -> None:
    """Refuse."""
    _refuse(console, volume, format, "imported")


def _refuse(console: Console, volume: str, stream_format: str, verb: str) -> NoReturn:
    volume_id = VolumeId.parse(volume)
    storage = own_storages(console).usable(volume_id.storage_id)
    raise UnsupportedError(
        f"volume '{volume_id}' cannot be {verb} as '{stream_format}': storages of type '{storage.storage_type.name}' "
        "have no such streams"
    )


_PARAMETERS = (
    VOLUME,
    Parameter(name="format", schema=Text(description="Format of the stream.")),
    Parameter(name="filename", schema=Text(description="File, or '-' for standard input or output.")),
)
EXPORT = Command(
    description="Used internally to export a volume.",
    run=export_volume,
    positional=("volume", "format", "filename"),
    parameters=_PARAMETERS,
)
IMPORT = Command(
    description="Used internally to import a volume.",
    run=import_volume,
    positional=("volume", "format", "filename"),
    parameters=_PARAMETERS,
)
