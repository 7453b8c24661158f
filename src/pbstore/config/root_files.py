"""Reading and replacing files that belong to root, for a process that is not root but has a helper that is.

Which privileges there are is a fact of the whole process, like its user id: so is the helper.
"""

from pathlib import Path
from typing import Protocol

from pbstore.config.atomic_file import replace_file
from pbstore.config.file_kind import FileKind


class RootFiles(Protocol):
    """Does it as root for the files of one directory; raises OSError like the system."""

    directory: Path

    def read(self, name: str) -> bytes:
        """Return the content of a file."""

    def replace(self, name: str, kind: FileKind, content: bytes) -> None:
        """Replace a file by one with the owner and mode of its kind."""


_helpers: list[RootFiles] = []


def use_root_files(helper: RootFiles | None) -> None:
    """From now on do by this helper what the own user may not do; None ends that."""
    _helpers[:] = [] if helper is None else [helper]


def read_config_file(path: Path) -> bytes:
    """Return the content of a configuration file, whoever may read it.

    Raises:
        OSError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except PermissionError:
        helper = _helper_for(path)
        if helper is None:
            raise
        return helper.read(path.name)


def replace_config_file(path: Path, content: bytes, kind: FileKind) -> None:
    """Replace a configuration file by one with the owner and mode of its kind.

    Raises:
        OSError: it cannot be written.
    """
    helper = _helper_for(path) if kind.belongs_to_root else None
    if helper is None:
        replace_file(path, content, mode=kind.mode, owner=kind.owner())
    else:
        helper.replace(path.name, kind, content)


def _helper_for(path: Path) -> RootFiles | None:
    return next((helper for helper in _helpers if helper.directory == path.parent), None)
