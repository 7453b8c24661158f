"""`pvesm free`: remove a volume."""

from dataclasses import replace

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pvesm.own_storages import STORAGE_COMPLETION, own_storages
from pbstore.cli.pvesm.storage_options import STORAGE
from pbstore.cli.pvesm.volume_parameters import VOLUME
from pbstore.pve.storage.volume_id import VolumeId
from pbstore.pve.value_types import Number


def run(console: Console, volume: str, storage: str | None, delay: int | None) -> None:
    """Remove it. `delay` is how long the original waits for its task; here the work is over when this returns."""
    own_storages(console).free(VolumeId.parse(volume, storage_id=storage))


COMMAND = Command(
    description="Delete volume.",
    run=run,
    positional=("volume",),
    parameters=(
        VOLUME,
        replace(STORAGE, optional=True),
        Parameter(
            name="delay",
            schema=Number(description="Time to wait for the task to finish.", minimum=1, maximum=30),
            optional=True,
        ),
    ),
    completions=STORAGE_COMPLETION,
)
