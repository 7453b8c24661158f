"""`pvesm list`: the volumes of a storage."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.printable import printable
from pbstore.cli.pvesm.own_storages import STORAGE_COMPLETION, own_storages
from pbstore.cli.pvesm.storage_options import STORAGE
from pbstore.cli.pvesm.volume_parameters import VMID
from pbstore.pve.storage.properties import check_content_type
from pbstore.pve.storage.volume_info import VolumeEntry
from pbstore.pve.value_types import Text


def run(console: Console, storage: str, content: str | None, vmid: int | None) -> None:
    """Print the table."""
    entries = own_storages(console).volumes(storage, content=None if content is None else [content], vmid=vmid)
    for line in table_lines(entries):
        console.print(line)


def table_lines(entries: Sequence[VolumeEntry]) -> Iterator[str]:
    """The lines of the table: volumes of guests first, then the others by format."""
    if not entries:
        return
    name_width = max(len(printable(str(entry.volume))) for entry in entries)
    size_width = max(len(str(entry.size)) for entry in entries)
    yield f"{'Volid':<{name_width}} {'Format':<7} {'Type':<9} {'Size':>{size_width}} VMID"
    of_guests = [entry for entry in entries if entry.vmid is not None]
    others = sorted((entry for entry in entries if entry.vmid is None), key=lambda entry: entry.format)
    for entry in (*of_guests, *others):
        name = printable(str(entry.volume))
        line = f"{name:<{name_width}} {entry.format:<7} {entry.content:<9} {entry.size:>{size_width}}"
        yield line if entry.vmid is None else f"{line} {entry.vmid}"


COMMAND = Command(
    description="List storage content.",
    run=run,
    positional=("storage",),
    parameters=(
        STORAGE,
        Parameter(
            name="content",
            schema=Text(description="Only list content of this type.", check=check_content_type),
            optional=True,
        ),
        replace(VMID, optional=True),
    ),
    completions=STORAGE_COMPLETION,
)
