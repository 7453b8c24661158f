"""`pvesm extractconfig`: the guest's configuration in a backup."""

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pvesm.own_storages import own_storages
from pbstore.cli.pvesm.volume_parameters import VOLUME
from pbstore.pve.storage.volume_id import VolumeId


def run(console: Console, volume: str) -> None:
    """Print the text, and a line end behind it."""
    console.print(own_storages(console).extract_config(VolumeId.parse(volume)))


COMMAND = Command(
    description="Extract configuration from vzdump backup archive.",
    run=run,
    positional=("volume",),
    parameters=(VOLUME,),
)
