"""The lock that keeps other processes off a store, and the writers within this one (datastore-layout.md 3.1).

It is a POSIX record lock on `.lock`, as the original takes it, held exclusively from open to close. Such a lock belongs
to the process and is lost when *any* descriptor of the file is closed, so a store is opened once in a process.
"""

import contextlib
import errno
import fcntl
import os
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from pbstore.errors import DatastoreError, LockedError

LOCK_NAME = ".lock"
_FLOCK = "hhqqi4x"
"""`struct flock` on 64-bit Linux: type, whence, start, length, pid."""

_PAUSE_SECONDS = 0.1

_open_here: set[tuple[int, int]] = set()
_open_here_lock = threading.Lock()


class ProcessLock:
    """The held lock of one store."""

    def __init__(self, descriptor: int, identity: tuple[int, int]):
        self._descriptor: int | None = descriptor
        self._identity = identity
        self._lock = threading.Lock()
        self._starts: dict[int, float] = {}
        self._next_guard = 0

    @classmethod
    def acquire(cls, root: Path) -> "ProcessLock":
        """Lock the store in `root`.

        Raises:
            LockedError: another process has it (named by its pid), or this one has it already.
            DatastoreError: there is no lock file, or it cannot be locked.
        """
        path = root / LOCK_NAME
        try:
            status = path.stat()
            identity = (status.st_dev, status.st_ino)
            with _open_here_lock:
                # Opening it a second time, and closing it again, would give the first lock away.
                if identity in _open_here:
                    raise LockedError(f"datastore {root} is open in this process already")
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
                try:
                    _lock_exclusively(descriptor, root)
                except BaseException:
                    os.close(descriptor)
                    raise
                _open_here.add(identity)
        except OSError as error:
            raise DatastoreError(f"cannot lock datastore {root}: {path}: {error.strerror}") from error
        return cls(descriptor, identity)

    @contextlib.contextmanager
    def shared(self, now: float) -> Iterator[None]:
        """Count a writer that started at `now`, within a `with` block."""
        with self._lock:
            guard = self._next_guard
            self._next_guard += 1
            self._starts[guard] = now
        try:
            yield
        finally:
            with self._lock:
                del self._starts[guard]

    @property
    def oldest_writer(self) -> float | None:
        """When the oldest of the running writers started; None without writers."""
        with self._lock:
            return min(self._starts.values(), default=None)

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        with _open_here_lock:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                os.close(descriptor)
                _open_here.discard(self._identity)


@contextlib.contextmanager
def hold_process_lock(root: Path, *, timeout_seconds: float = 0) -> Iterator[None]:
    """Hold the lock of a store within a `with` block, to remove it; a store without lock file has lost it already.

    Raises:
        LockedError: another process has it for longer than the time-out.
        DatastoreError: it cannot be locked.
    """
    if not (root / LOCK_NAME).exists():
        yield
        return
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            lock = ProcessLock.acquire(root)
            break
        except LockedError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _lock_exclusively(descriptor: int, root: Path) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        request = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, request))[4]
        who = f"process {pid}" if pid else "another process"
        raise LockedError(f"datastore {root} is in use by {who}: stop it first") from None
