"""`pxar list`: what is in an archive (cli-manager.md 2)."""

from collections.abc import Iterator
from pathlib import Path

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pxar.long_listing import long_line
from pbstore.cli.pxar.parameters import ARCHIVE, PAYLOAD_INPUT
from pbstore.client.pxar_archive import PAYLOAD_HEADER_BYTES, ArchiveEntry, ArchiveListing, quoted_path
from pbstore.model.human_size import human_size


def run(console: Console, archive: Path, payload_input: Path | None) -> None:
    """Print one line an entry, a long one if debug lines are wanted."""
    listing = ArchiveListing(archive, payload_input)
    if not console.logs("debug"):
        for entry in listing:
            console.print(quoted_path(entry.path))
        return
    for entry in _logged(console, listing):
        console.print(long_line(entry))


def _logged(console: Console, listing: ArchiveListing) -> Iterator[ArchiveEntry]:
    """The entries, and as log lines what the archive is besides them."""
    payload_end: int | None = None
    for number, entry in enumerate(listing):
        if number == 0 and listing.is_split:
            console.log("debug", "pxar format version 'Version2'")
        if number == 0 and listing.prelude is not None:
            console.log("debug", f"prelude of size {human_size(len(listing.prelude))}")
        if entry.payload_offset is not None:
            if payload_end is not None and entry.payload_offset > payload_end:
                console.log("debug", f"Encountered padding of {entry.payload_offset - payload_end} bytes")
            payload_end = entry.payload_offset + PAYLOAD_HEADER_BYTES + entry.size
        yield entry


COMMAND = Command(
    description="List the contents of an archive. With PXAR_LOG=debug with owners, modes, times and sizes.",
    run=run,
    positional=("archive",),
    parameters=(ARCHIVE, PAYLOAD_INPUT),
)
