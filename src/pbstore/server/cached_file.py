"""A parsed configuration file that is read again when it changed, whoever changed it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")
_Identity = tuple[int, int, int, int] | None


class CachedFile(Generic[ValueT]):
    """The value that a reader makes of the file; configuration is replaced by rename, so the inode tells."""

    def __init__(self, path: Path, read: Callable[[], ValueT]):
        self._path = path
        self._read = read
        self._lock = threading.Lock()
        self._identity: _Identity = None
        self._value: ValueT | None = None
        self._is_loaded = False

    def load(self) -> ValueT:
        """Return the current value.

        Raises:
            ConfigError: whatever the reader raises; the next call tries again.
        """
        with self._lock:
            identity = self._stat()
            if not self._is_loaded or identity != self._identity:
                self._is_loaded = False
                self._value = self._read()
                self._identity = identity
                self._is_loaded = True
            return self._value  # type: ignore[return-value]  # set by the line above, None is a value too

    def _stat(self) -> _Identity:
        """Look before reading: a change in between is seen by the next call."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return None
        return there.st_dev, there.st_ino, there.st_mtime_ns, there.st_size
