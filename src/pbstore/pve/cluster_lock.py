"""Locks that hold on all nodes of a cluster: directories, as only making one is exclusive everywhere.

Taking a lock is `mkdir`, giving it back `rmdir`. One that is older than two minutes belongs to a node that is gone: it
is renamed away, which only one of those who wait can do. Whoever holds a lock for longer than a minute must not write
any more, so that nobody is ever surprised by a lock that was taken from it (pve-access-and-guests.md 0).
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pbstore.errors import ConfigError, LockedError
from pbstore.pve.host import Host

WAIT_SECONDS = 10.0
HOLD_SECONDS = 60.0
STALE_SECONDS = 120.0
_PAUSES = (0.02, 0.2)


@dataclass(frozen=True)
class ClusterLock:
    """A lock that is held; `inode` tells it from one that somebody else made in its place."""

    name: str
    path: Path
    inode: int
    taken: float
    monotonic: Callable[[], float]

    def check(self) -> None:
        """Return if the lock still holds; ask before anything is written.

        Raises:
            LockedError: it was held for too long.
        """
        if self.monotonic() - self.taken > HOLD_SECONDS or _inode(self.path) != self.inode:
            raise LockedError(f"cfs-lock '{self.name}' error: got lock timeout - aborting command")

    def release(self) -> None:
        """Give it back, unless it is somebody else's by now."""
        if _inode(self.path) == self.inode:
            with suppress(OSError):
                self.path.rmdir()


@contextmanager
def file_lock(
    host: Host,
    file_name: str,
    *,
    wait_seconds: float = WAIT_SECONDS,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[ClusterLock]:
    """Hold the lock of a configuration file, such as `storage.cfg`, within a `with` block.

    Raises:
        LockedError: others held it for too long.
        ConfigError: no lock can be made.
    """
    name = f"file-{file_name.replace('.', '_').replace('/', '_')}"
    host.make_private(host.locks_dir)
    path = host.locks_dir / name
    deadline = monotonic() + wait_seconds
    while not _take(path):
        _break_stale(path, clock())
        if monotonic() >= deadline:
            raise LockedError(f"cfs-lock '{name}' error: got lock request timeout")
        time.sleep(random.uniform(*_PAUSES))  # noqa: S311 - only keeps those who wait from doing it in step
    lock = ClusterLock(name, path, _inode(path), monotonic(), monotonic)
    try:
        yield lock
    finally:
        lock.release()


def _take(path: Path) -> bool:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return False
    except OSError as error:
        raise ConfigError(f"cannot make the lock {path}: {error.strerror}") from None
    return True


def _break_stale(path: Path, now: float) -> None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    if now - found.st_mtime < STALE_SECONDS:
        return
    aside = path.with_name(f"{path.name}.stale-{os.getpid()}-{found.st_ino}")
    with suppress(OSError):
        path.rename(aside)
        if _inode(aside) != found.st_ino:
            # Somebody else was faster, and this is the lock that was taken then.
            aside.rename(path)
            return
        aside.rmdir()


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0
