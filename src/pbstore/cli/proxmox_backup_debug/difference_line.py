"""One line for an entry that differs between two archives: what happened to it, its attributes, its name.

Attributes that changed have a star, so has the name if something changed that has no column of its own: content, the
target of a link, extended attributes.
"""

import time
from collections.abc import Set
from typing import Protocol

from pbstore.cli.printable import printable
from pbstore.model.human_size import human_size

_RESET = "\x1b[0m"
_COLORS = {"A": "\x1b[32m", "M": "\x1b[33m", "D": "\x1b[31m"}


class ShownEntry(Protocol):
    """What is shown of an entry, as in `PxarEntry`; for a hard link of the file that it stands for."""

    @property
    def path(self) -> bytes:
        """With slashes."""

    @property
    def kind(self) -> str:
        """One letter."""

    @property
    def mode(self) -> int:
        """With the bits of the type."""

    @property
    def uid(self) -> int:
        """Owner."""

    @property
    def gid(self) -> int:
        """Group."""

    @property
    def mtime_seconds(self) -> int:
        """Since 1970."""

    @property
    def size(self) -> int:
        """Of a file, in bytes."""

    @property
    def device(self) -> tuple[int, int] | None:
        """Of a device node."""


def difference_line(change: str, entry: ShownEntry, changes: Set[str], *, color: bool) -> str:
    """Return the line; `change` is A, M or D, `changes` are names of properties like those of `ArchiveDifference`."""

    def plain(text: str) -> str:
        return f"{text}{_RESET}" if color else text

    def marked(text: str) -> str:
        return f"{_RESET}{_COLORS[change]}{text}{_RESET}" if color else text

    cells = [marked(change)]
    for name, width, text in _columns(entry):
        is_changed = name in changes
        cell = f"{'*' if is_changed else ''}{text}".rjust(width)
        cells.append(marked(cell) if is_changed else plain(cell))
    base_name = printable(entry.path.rpartition(b"/")[2].decode(errors="surrogateescape"))
    cells.append(marked(f"*{base_name}") if "other" in changes else plain(f" {base_name}"))
    return " ".join(cells)


def _columns(entry: ShownEntry) -> list[tuple[str, int, str]]:
    return [
        ("kind", 2, entry.kind),
        ("uid", 6, str(entry.uid)),
        ("gid", 6, str(entry.gid)),
        ("mode", 6, f"{entry.mode & 0o7777:o}"),
        ("size", 10, _size(entry)),
        ("mtime", 20, _time(entry.mtime_seconds)),
    ]


def _size(entry: ShownEntry) -> str:
    if entry.device is not None:
        return ",".join(str(number) for number in entry.device)
    return human_size(entry.size) if entry.kind in ("f", "h") else ""


def _time(seconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return str(seconds)
