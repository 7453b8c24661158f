"""`inspect device`: which datastores are on a removable device."""

from pathlib import Path

from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.printable import debug_quoted
from pbstore.datastore.private_mount import mounted_privately
from pbstore.datastore.store_search import find_datastores
from pbstore.errors import DatastoreError


def run(console: Console, device: Path, output_format: str | None) -> None:
    """Print the paths of the datastores, as they are within the device."""
    chosen = console.format(output_format)
    stores = [str(path) for path in _stores(console, device)]
    if chosen == "text":
        console.print(f"Device contains {len(stores)} stores")
        for path in stores:
            console.print(f"  {debug_quoted(path)}")
    else:
        console.print(json_text(stores, chosen))


def _stores(console: Console, device: Path) -> list[Path]:
    def warn(text: str) -> None:
        console.warn(f"WARN: {text}")

    if device.is_dir():
        return find_datastores(device, warn)
    if not device.exists():
        raise DatastoreError(f"{device} does not exist")
    if not device.is_block_device() and not device.is_file():
        raise DatastoreError(f"{device} is no block device, disk image or directory")
    with mounted_privately(device) as root:
        return find_datastores(root, warn)


INSPECT_DEVICE = Command(
    description="List the datastores on a device, which is mounted read-only and out of sight, so as root.",
    run=run,
    positional=("device",),
    parameters=(
        Parameter(
            name="device",
            schema=String(
                description="Block device with a file system, image of one, or a directory.",
                minimum_length=1,
                convert=Path,
            ),
        ),
        OUTPUT_FORMAT,
    ),
)
