"""Where restored data goes: a new file, a directory, or an open descriptor. What fails leaves nothing behind."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pbstore.errors import PbstoreError


@dataclass(frozen=True, kw_only=True)
class RestoreTarget:
    """A path, or a descriptor that stays open; `overwrite` allows what exists to be replaced."""

    path: Path | None = None
    descriptor: int | None = None
    overwrite: bool = False

    @property
    def is_stream(self) -> bool:
        """Whether data is written to a descriptor as it comes."""
        return self.path is None

    def check_new(self) -> None:
        """Return if `file` may make a file here, for those who call it late.

        Raises:
            PbstoreError: the file exists already.
        """
        if self.path is not None and not self.overwrite and self.path.exists():
            raise PbstoreError(f"unable to create target file '{self.path}' - File exists")

    @contextmanager
    def file(self) -> Iterator[int]:
        """Yield a descriptor to write one file to; a file made here is removed when the block fails.

        Raises:
            PbstoreError: the file exists already, or cannot be made.
        """
        if self.path is None:
            yield self._stream()
            return
        is_new = not self.path.exists()
        descriptor = self._open(self.path, is_new)
        try:
            yield descriptor
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.fsync(descriptor)
        except BaseException:
            if is_new:
                self.path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    @contextmanager
    def directory(self) -> Iterator[Path]:
        """Yield a directory to unpack into, made if it is missing; what was empty before is empty again on failure.

        Raises:
            PbstoreError: it cannot be made, or is something else.
        """
        if self.path is None:
            raise PbstoreError("a directory tree cannot be unpacked into a stream")
        missing = _first_missing(self.path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            was_empty = not any(self.path.iterdir())
        except OSError as error:
            raise PbstoreError(f"unable to create target directory '{self.path}' - {error.strerror}") from None
        try:
            yield self.path
        except BaseException:
            if missing is not None:
                shutil.rmtree(missing, ignore_errors=True)
            elif was_empty:
                _empty(self.path)
            raise

    def _stream(self) -> int:
        if self.descriptor is None:
            raise PbstoreError("no target given")
        return self.descriptor

    def _open(self, path: Path, is_new: bool) -> int:
        how = os.O_CREAT | os.O_EXCL
        if self.overwrite and not is_new:
            # Truncating is for files: devices keep their size.
            how = os.O_TRUNC if path.is_file() else 0
        try:
            return os.open(path, os.O_WRONLY | os.O_CLOEXEC | how, 0o600)
        except OSError as error:
            raise PbstoreError(f"unable to create target file '{path}' - {error.strerror}") from None


def _first_missing(path: Path) -> Path | None:
    """The topmost directory that has to be made for `path`."""
    missing = [candidate for candidate in (path, *path.parents) if not candidate.exists()]
    return missing[-1] if missing else None


def _empty(directory: Path) -> None:
    for entry in directory.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
