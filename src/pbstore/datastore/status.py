"""How full the file system of a datastore is (datastore-layout.md 8)."""

import os
from dataclasses import dataclass
from pathlib import Path

from pbstore.errors import DatastoreError


@dataclass(frozen=True)
class DiskUsage:
    """Bytes; `available` is what other users than root can still write, so the sum may be less than the total."""

    total_bytes: int
    used_bytes: int
    available_bytes: int


def disk_usage(path: Path) -> DiskUsage:
    """Return the numbers of the file system that holds `path`.

    Raises:
        DatastoreError: it cannot be asked.
    """
    try:
        status = os.statvfs(path)
    except OSError as error:
        raise DatastoreError(f"cannot get the usage of {path}: {error.strerror}") from error
    block = status.f_frsize or status.f_bsize
    used = status.f_blocks - status.f_bfree
    return DiskUsage(status.f_blocks * block, used * block, status.f_bavail * block)
