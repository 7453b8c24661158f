"""Append-only logs of lines, safe against what clients put into them."""

import logging
import os
import re
import threading
from pathlib import Path

from pbstore.config.file_kind import service_owner

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_log = logging.getLogger(__name__)


class LogFile:
    """A log that any thread may write to; a file that was moved away is made anew."""

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()
        self._descriptor: int | None = None

    def write(self, line: str) -> None:
        """Append one line; control characters become `?`, so that a client cannot make up lines of its own.

        A line that the system refuses goes to the server's own log: no request fails for it.
        """
        shown = _UNPRINTABLE.sub("?", line)
        with self._lock:
            try:
                os.write(self._current(), f"{shown}\n".encode(errors="replace"))
            except OSError as error:
                _log.warning("cannot write to %s: %s: %s", self.path, error.strerror, shown)

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
