"""Whether the file system keeps access times, on which garbage collection lives (version-4.md 6)."""

import time
from collections.abc import Callable
from pathlib import Path

from pbstore import _core
from pbstore.errors import DatastoreError

ZERO_CHUNK_BYTES = 4 << 20
PAUSE_SECONDS = 1.0
_TRIES = 2


def check_access_time(
    root: Path, chunk_store: _core.ChunkStore, *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Touch a chunk of zeros and see whether its access time moves. Takes a second.

    The chunk stays, unreferenced, until a garbage collection takes it.

    Raises:
        DatastoreError: it does not move: chunks in use would be taken for garbage.
        OSError: the chunk cannot be written or touched.
    """
    zeros = bytes(ZERO_CHUNK_BYTES)
    digest = _core.chunk_digest(zeros)
    blob = _core.seal_blob(zeros)
    path = root / ".chunks" / digest.hex()[:4] / digest.hex()
    for _ in range(_TRIES):
        chunk_store.insert(digest, blob)
        before = path.stat()
        sleep(PAUSE_SECONDS)
        chunk_store.touch(digest)
        after = path.stat()
        if after.st_ino == before.st_ino:
            if after.st_atime_ns > before.st_atime_ns:
                return
            break
    raise DatastoreError(
        f"access time safety check failed: {path} does not keep its access time when it is touched; "
        "mount the file system without 'noatime' or choose another"
    )
