"""What to back up: `name.type:path`, checked against what lies at the path (cli-client.md 3)."""

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Self

from pbstore.errors import FormatError, PbstoreError
from pbstore.model.archive_name import server_file_name

PATTERN = r"[a-zA-Z0-9_\-]+\.(?:pxar|img|conf|log):.+"
_SPEC = re.compile(r"(?P<name>[a-zA-Z0-9_\-]+\.(?P<type>pxar|img|conf|log)):(?P<path>.+)", re.DOTALL)


class SourceKind(Enum):
    """How a source is uploaded; the value is how log lines call it."""

    TREE = "directory"
    IMAGE = "image"
    CONFIG = "config file"
    LOG = "log file"


_KINDS = {"pxar": SourceKind.TREE, "img": SourceKind.IMAGE, "conf": SourceKind.CONFIG, "log": SourceKind.LOG}


@dataclass(frozen=True)
class BackupSource:
    """One archive to be: `archive_name` is without the server's suffix."""

    archive_name: str
    kind: SourceKind
    path: Path

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name.type:path`.

        Raises:
            FormatError: not of that form.
        """
        match = _SPEC.fullmatch(text)
        if match is None:
            raise FormatError(f"unable to parse backup source specification '{text}'")
        return cls(match["name"], _KINDS[match["type"]], Path(match["path"]))

    @property
    def file_name(self) -> str:
        """The server's name of the archive."""
        return server_file_name(self.archive_name)

    def check(self) -> None:
        """Look at the path.

        Raises:
            PbstoreError: not there, not readable, of the wrong type, or an empty image.
        """
        try:
            found = self.path.stat()
        except OSError as error:
            hint = " (to read from standard input, give /dev/stdin)" if str(self.path) == "-" else ""
            raise PbstoreError(f"unable to access '{self.path}' - {error.strerror}{hint}") from None
        mode = found.st_mode
        if self.kind is SourceKind.TREE:
            _expect(stat.S_ISDIR(mode), "directory")
        elif self.kind is SourceKind.IMAGE:
            _expect(stat.S_ISREG(mode) or stat.S_ISBLK(mode) or stat.S_ISFIFO(mode), "file, block device or pipe")
            if stat.S_ISREG(mode) and found.st_size == 0:
                raise PbstoreError(f"got zero-sized file '{self.path}'")
        else:
            _expect(stat.S_ISREG(mode), "regular file")
        if not os.access(self.path, os.R_OK):
            raise PbstoreError(f"unable to access '{self.path}' - Permission denied")


def check_sources(sources: Iterable[BackupSource]) -> None:
    """Check every source, and that no two have the same target.

    Raises:
        PbstoreError: a source cannot be used, or a target is named twice.
    """
    targets: set[str] = set()
    for source in sources:
        if source.archive_name in targets:
            raise PbstoreError(f"got target twice: '{source.archive_name}'")
        targets.add(source.archive_name)
        source.check()


def _expect(fits: bool, what: str) -> None:
    if not fits:
        raise PbstoreError(f"got unexpected file type (expected {what})")
