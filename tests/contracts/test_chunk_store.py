"""What every chunk store must do, through the binding; a store joins by a fixture of its own."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memory_directory import memory_directory
from pbstore._core import BackupChunks, ChunkStore, CryptKey, ReaderChunks, chunk_digest, open_blob, seal_blob
from pbstore.errors import FormatError, IntegrityError, ProtocolError


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """Lay out one local store for the module."""
    with memory_directory() as directory:
        ChunkStore.create(directory)
        yield directory


@pytest.fixture(params=["none", "file", "filesystem"])
def store(request: pytest.FixtureRequest, root: Path) -> ChunkStore:
    """Open the store with each sync level."""
    return ChunkStore(root, sync_level=request.param)


def fresh() -> tuple[bytes, bytes]:
    """Return digest and blob of a chunk that no store has."""
    data = os.urandom(5000)
    return chunk_digest(data), seal_blob(data)


def test_absent(store: ChunkStore) -> None:
    digest, _ = fresh()
    assert not store.contains(digest)
    assert not store.touch(digest)
    with pytest.raises(FileNotFoundError, match=digest.hex()):
        store.read(digest)


def test_insert_and_read_back(store: ChunkStore) -> None:
    digest, blob = fresh()
    assert store.insert(digest, blob) == (False, len(blob))
    assert store.contains(digest)
    assert store.read(digest) == blob
    store.sync()


def test_the_same_again_is_a_duplicate(store: ChunkStore) -> None:
    digest, blob = fresh()
    store.insert(digest, blob)
    assert store.insert(digest, blob) == (True, len(blob))


def test_the_smaller_form_wins(store: ChunkStore) -> None:
    data = os.urandom(64) * 500
    digest, large, small = chunk_digest(data), seal_blob(data, compress=False), seal_blob(data)
    assert store.insert(digest, large) == (False, len(large))
    assert store.insert(digest, small) == (False, len(small))
    assert store.insert(digest, large) == (True, len(small))
    assert open_blob(store.read(digest)) == data


def test_encrypted_never_replaces_plain(store: ChunkStore) -> None:
    digest, blob = fresh()
    store.insert(digest, blob)
    with pytest.raises(ProtocolError, match="unencrypted"):
        store.insert(digest, seal_blob(bytes(100), key=CryptKey(bytes(32))))
    assert store.read(digest) == blob


def test_damaged_blobs_are_not_stored(store: ChunkStore) -> None:
    digest, blob = fresh()
    with pytest.raises(IntegrityError, match="CRC"):
        store.insert(digest, blob[:-1] + bytes([blob[-1] ^ 1]))
    with pytest.raises(FormatError, match="magic"):
        store.insert(digest, bytes(100))
    assert not store.contains(digest)


def test_touch_keeps_everything_but_the_access_time(store: ChunkStore, root: Path) -> None:
    digest, blob = fresh()
    store.insert(digest, blob)
    path = root / ".chunks" / digest.hex()[:4] / digest.hex()
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert store.touch(digest)
    assert path.stat().st_mtime == 1_000_000_000
    assert abs(path.stat().st_atime - time.time()) < 60


def test_concurrent_inserts_of_one_chunk_are_one(store: ChunkStore) -> None:
    digest, blob = fresh()
    results = in_threads(12, lambda: store.insert(digest, blob))
    assert sorted(duplicate for duplicate, _ in results) == [False] + [True] * 11


def test_concurrent_inserts_of_many_chunks(store: ChunkStore) -> None:
    chunks = [fresh() for _ in range(200)]
    in_threads(8, lambda: [store.insert(digest, blob) for digest, blob in chunks])
    assert all(store.read(digest) == blob for digest, blob in chunks)


def test_no_temporary_files_stay(store: ChunkStore, root: Path) -> None:
    digest, blob = fresh()
    store.insert(digest, blob)
    names = [path.name for path in (root / ".chunks" / digest.hex()[:4]).iterdir()]
    assert all(len(name) == 64 for name in names)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root: files are given to the owner of the root directory")
def test_new_files_take_the_owner_of_the_root(root: Path) -> None:
    owner = root.stat()
    os.chown(root, 34, 35)
    try:
        store, (digest, blob) = ChunkStore(root), fresh()
        store.insert(digest, blob)
        stat = (root / ".chunks" / digest.hex()[:4] / digest.hex()).stat()
        assert (stat.st_uid, stat.st_gid, stat.st_mode & 0o7777) == (34, 35, 0o644)
        chunks = BackupChunks(store)
        chunks.create_dynamic(root / "x.didx")
        assert (root / "x.tmp_didx").stat().st_uid == 34
        chunks.shut()
    finally:
        os.chown(root, owner.st_uid, owner.st_gid)


def test_says_what_is_no_store(tmp_path: Path, root: Path) -> None:
    with pytest.raises(ProtocolError, match=r"no \.chunks"):
        ChunkStore(tmp_path)
    with pytest.raises(ProtocolError, match="exists already"):
        ChunkStore.create(root)
    with pytest.raises(ProtocolError, match="unknown sync level"):
        ChunkStore(root, sync_level="often")
    with pytest.raises(FileNotFoundError):
        ChunkStore.create(tmp_path / "absent")


def test_index_errors_are_exceptions_of_the_project(store: ChunkStore, tmp_path: Path) -> None:
    chunks = BackupChunks(store)
    wid = chunks.create_dynamic(tmp_path / "a.didx")
    digest = "ab" * 32
    with pytest.raises(ProtocolError, match=f"no such chunk {digest}"):
        chunks.append("dynamic", wid, [digest], [0])
    with pytest.raises(FormatError, match="invalid digest"):
        chunks.append("dynamic", wid, ["xyz"], [0])
    with pytest.raises(ProtocolError, match="kind of index"):
        chunks.append("other", wid, [], [])
    with pytest.raises(ProtocolError, match="fixed writer '1' not registered"):
        chunks.close_writer("fixed", wid, 1, 1, bytes(32))
    (tmp_path / "bad.didx").write_bytes(bytes(5000))
    with pytest.raises(FormatError, match="magic"):
        chunks.register_index(tmp_path / "bad.didx")
    with pytest.raises(FileNotFoundError):
        ReaderChunks(store).allow_index(tmp_path / "absent.fidx")
    with pytest.raises(ProtocolError, match="expected .fidx or .didx"):
        ReaderChunks(store).allow_index(tmp_path / "x.blob")
    assert chunks.open_writer_count == 1
    chunks.shut()
    assert chunks.open_writer_count == 0


def in_threads(count: int, work: Callable[[], object]) -> list[tuple[bool, int]]:
    """Run `work` in threads that start together; return what they returned."""
    barrier = threading.Barrier(count)
    results: list[object] = []

    def run() -> None:
        barrier.wait()
        results.append(work())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == count
    return results  # type: ignore[return-value]
