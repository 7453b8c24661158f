"""Advisory locks on lock files (flock), with a time-out."""

import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from pbstore.errors import LockedError

CONFIG_TIMEOUT_SECONDS = 10.0
_PAUSE_SECONDS = 0.02


class FileLock:
    """A held lock; released by `release`, at the end of a `with` block, or when the process ends."""

    def __init__(self, descriptor: int, path: Path):
        self._descriptor: int | None = descriptor
        self.path = path

    @property
    def is_current(self) -> bool:
        """Whether `path` still names the locked file: a removed lock file locks nothing."""
        if self._descriptor is None:
            return False
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def try_lock(self, *, shared: bool) -> bool:
        """Take or convert the lock without waiting; return whether it is held now."""
        if self._descriptor is None:
            return False
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def lock_file(
    path: Path,
    *,
    timeout_seconds: float = CONFIG_TIMEOUT_SECONDS,
    shared: bool = False,
    mode: int = 0o660,
    owner: tuple[int, int] | None = None,
) -> FileLock:
    """Lock `path`, which is made if missing. A time-out of 0 tries once.

    Raises:
        LockedError: somebody else holds it for longer than the time-out, or the file was removed meanwhile.
        OSError: the file cannot be made.
    """
    lock = FileLock(_open(path, mode, owner), path)
    deadline = time.monotonic() + timeout_seconds
    try:
        while not lock.try_lock(shared=shared):
            if time.monotonic() >= deadline:
                raise LockedError(f"unable to acquire lock {path}: it is held by another task or program")
            time.sleep(_PAUSE_SECONDS)
        if not lock.is_current:
            raise LockedError(f"unable to acquire lock {path}: it was removed meanwhile, try again")
    except BaseException:
        lock.release()
        raise
    return lock


def _open(path: Path, mode: int, owner: tuple[int, int] | None) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        descriptor = os.open(path, flags | os.O_CREAT, mode)
    try:
        os.fchmod(descriptor, mode)
        if owner is not None:
            os.fchown(descriptor, *owner)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
