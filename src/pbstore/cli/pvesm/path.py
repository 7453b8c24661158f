"""`pvesm path`: where a volume is."""

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pvesm.own_storages import own_storages
from pbstore.cli.pvesm.volume_parameters import VOLUME
from pbstore.pve.storage.volume_id import VolumeId


def run(console: Console, volume: str) -> None:
    """Print the path, or the address on a backup server."""
    volume_id = VolumeId.parse(volume)
    console.print(own_storages(console).of_volume(volume_id).path(volume_id.name))


COMMAND = Command(
    description="Get filesystem path for specified volume.", run=run, positional=("volume",), parameters=(VOLUME,)
)
