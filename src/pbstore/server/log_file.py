"""Append-only logs of lines, safe against what clients put into them."""

import os
import re
import threading
from pathlib import Path

from pbstore.config.file_kind import service_owner

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class LogFile:
    """A log that any thread may write to; a file that was moved away is made anew."""

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()
        self._descriptor: int | None = None

    def write(self, line: str) -> None:
        """Append one line; control characters become `?`, so that a client cannot make up lines of its own."""
        data = (_UNPRINTABLE.sub("?", line) + "\n").encode(errors="replace")
        with self._lock:
            os.write(self._current(), data)

    def close(self) -> None:
        """Close the file; a later write opens it again."""
        with self._lock:
            self._close()

    def _current(self) -> int:
        if self._descriptor is not None and not self._is_in_place(self._descriptor):
            self._close()
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            owner = service_owner()
            if owner is not None:
                os.fchown(self._descriptor, *owner)
        return self._descriptor

    def _is_in_place(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
