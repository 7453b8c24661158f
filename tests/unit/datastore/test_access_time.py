"""Whether access times are kept where a store lies (version-4.md 6)."""

import os
from pathlib import Path

import pytest

from pbstore import _core
from pbstore.datastore.access_time import ZERO_CHUNK_BYTES, check_access_time
from pbstore.errors import DatastoreError

DIGEST = _core.chunk_digest(bytes(ZERO_CHUNK_BYTES)).hex()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".chunks" / DIGEST[:4]).mkdir(parents=True)
    return tmp_path


def age(path: Path) -> None:
    os.utime(path, (1_000_000_000, path.stat().st_mtime))


def test_access_times_move_here(root: Path) -> None:
    path = root / ".chunks" / DIGEST[:4] / DIGEST
    check_access_time(root, _core.ChunkStore(root), sleep=lambda seconds: age(path))
    assert _core.open_blob(path.read_bytes()) == bytes(ZERO_CHUNK_BYTES)


def test_a_clock_that_stands_still_is_refused(root: Path) -> None:
    path = root / ".chunks" / DIGEST[:4] / DIGEST

    def set_ahead(seconds: float) -> None:
        os.utime(path, (4_000_000_000, 0))

    store = _core.ChunkStore(root)
    store.insert(bytes.fromhex(DIGEST), _core.seal_blob(bytes(ZERO_CHUNK_BYTES)))
    set_ahead(0)
    before = path.stat().st_atime

    class Frozen:
        def insert(self, digest: bytes, blob: bytes) -> None:
            """The chunk is there."""

        def touch(self, digest: bytes) -> None:
            """As on a file system that is mounted without access times."""

    with pytest.raises(DatastoreError, match="noatime"):
        check_access_time(root, Frozen(), sleep=lambda seconds: None)  # type: ignore[arg-type]
    assert path.stat().st_atime == before
