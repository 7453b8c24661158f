"""Archives of directory trees in files of this machine: made, extracted and listed without a server."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from pbstore import _core
from pbstore.format.damaged_file import in_file

ArchiveEntry: TypeAlias = _core.PxarEntry

PAYLOAD_HEADER_BYTES = 16
"""In front of every content in a payload (pxar.md 7)."""


@dataclass(frozen=True, kw_only=True)
class CreateJob:
    """What to archive, and where to: a version 1 archive, or a split one if `payload` is a file.

    `without` names what is left out: acls, device-nodes, fcaps, fifos, sockets, xattrs.
    """

    source: Path
    archive: Path
    payload: Path | None = None
    exclude: Sequence[bytes] = ()
    all_file_systems: bool = False
    entries_max: int = 1024 * 1024
    without: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class OverwriteOptions:
    """What may exist in the target already, and is filled or replaced then."""

    directories: bool = False
    files: bool = False
    symlinks: bool = False
    hard_links: bool = False


@dataclass(frozen=True, kw_only=True)
class ExtractJob:
    """What to extract, and where to. `archive` is a file or an open descriptor; `payload` belongs to a split one.

    `patterns` choose entries, the last match decides; none: everything. `prelude` is a new file for what a split
    archive has before its root. `without` names what is left as it comes, as in `CreateJob`.
    """

    archive: Path | int
    target: Path
    payload: Path | None = None
    prelude: Path | None = None
    patterns: Sequence[bytes] = ()
    overwrite: OverwriteOptions = field(default_factory=OverwriteOptions)
    without: Sequence[str] = ()
    strict: bool = False


def create_archive(job: CreateJob, warn: Callable[[str], None]) -> None:
    """Make an archive; neither of its files may exist, and none stays after a failure.

    Args:
        job: what to archive.
        warn: called with every warning as it comes.

    Raises:
        PbstoreError: a file that could not be read or written, or a pattern that is none.
    """
    _core.create_pxar(
        job.source,
        job.archive,
        payload_path=job.payload,
        exclude=job.exclude,
        all_file_systems=job.all_file_systems,
        entries_max=job.entries_max,
        without=job.without,
        warn=warn,
    )


def extract_archive(job: ExtractJob, warn: Callable[[str], None]) -> None:
    """Extract an archive.

    Args:
        job: what to extract.
        warn: called with every warning as it comes.

    Raises:
        FormatError: the archive or its payload is damaged.
        PbstoreError: the first entry that could not be made or, if the job is not strict, that there were some.
    """
    with in_file(job.archive if isinstance(job.archive, Path) else "the archive"):
        _core.extract_pxar(
            job.archive,
            job.target,
            payload_path=job.payload,
            prelude_path=job.prelude,
            patterns=job.patterns,
            allow_existing_dirs=job.overwrite.directories,
            overwrite_files=job.overwrite.files,
            overwrite_symlinks=job.overwrite.symlinks,
            overwrite_hardlinks=job.overwrite.hard_links,
            strict=job.strict,
            without=job.without,
            warn=warn,
        )


class ArchiveListing:
    """The entries of an archive, parents first, read as they are asked for."""

    def __init__(self, archive: Path, payload: Path | None = None):
        """Open the archive; with its payload, the places of all contents are checked.

        Raises:
            PbstoreError: a file cannot be opened.
        """
        self._archive = archive
        self._listing = _core.list_pxar(archive, payload)

    def __iter__(self) -> Iterator[ArchiveEntry]:
        """Go through the entries.

        Raises:
            FormatError: where the archive is damaged.
        """
        with in_file(self._archive):
            yield from self._listing

    @property
    def is_split(self) -> bool:
        """Whether it is a split archive; known with the first entry."""
        return self._listing.is_split

    @property
    def prelude(self) -> bytes | None:
        """What a split archive has before its root; known with the first entry."""
        return self._listing.prelude


def quoted_path(path: bytes) -> str:
    """The path in double quotes, with everything unprintable escaped, as listings show it."""
    return _core.quoted_path(path)
