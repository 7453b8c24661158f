"""Names of archives inside a snapshot, with and without the server's suffix (manifest.md 4)."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from pbstore.errors import FormatError
from pbstore.model.names import check_safe_id

SERVER_SUFFIXES = (".didx", ".fidx", ".blob")
_SUFFIX_OF = {
    ".pxar": ".didx",
    ".mpxar": ".didx",
    ".ppxar": ".didx",
    ".pcat1": ".didx",
    ".img": ".fidx",
    ".conf": ".blob",
    ".json": ".blob",
    ".key": ".blob",
    ".log": ".blob",
}


@dataclass(frozen=True)
class SplitNames:
    """The server's names of the two archives that make a split one."""

    metadata: str
    payload: str


def server_file_name(archive_name: str) -> str:
    """Return the server's file name of an archive name: `root.pxar` -> `root.pxar.didx`.

    Raises:
        FormatError: not a safe id, or an extension that no archive has.
    """
    check_safe_id(archive_name, "archive name")
    suffix = PurePosixPath(archive_name).suffix
    if suffix in SERVER_SUFFIXES:
        return archive_name
    if suffix not in _SUFFIX_OF:
        raise FormatError(f"unknown archive type of {archive_name!r}: expected like root.pxar, disk.img or vm.conf")
    return archive_name + _SUFFIX_OF[suffix]


def archive_name(server_file: str) -> str:
    """Return the name without the server's suffix: `root.pxar.didx` -> `root.pxar`."""
    path = PurePosixPath(server_file)
    return path.stem if path.suffix in SERVER_SUFFIXES else server_file


def split_names(archive: str) -> SplitNames | None:
    """Return the names of the split archive that `root.pxar`, or one of its two parts, may mean.

    None for the name of anything else; the server's suffix makes no difference.
    """
    path = PurePosixPath(archive_name(archive))
    if path.suffix not in (".pxar", ".mpxar", ".ppxar"):
        return None
    return SplitNames(f"{path.stem}.mpxar.didx", f"{path.stem}.ppxar.didx")
