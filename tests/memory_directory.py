"""A directory in memory, for tests that make and remove the 65536 directories of a chunk store."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108
_ROOM_BYTES = 4 << 30


@contextmanager
def memory_directory() -> Iterator[Path]:
    """Give a directory in memory, or an ordinary temporary one where there is no room."""
    has_room = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
    with tempfile.TemporaryDirectory(prefix="pbstore-", dir=_MEMORY if has_room else None) as directory:
        yield Path(directory)
