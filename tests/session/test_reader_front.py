"""What the front does itself in a reader session: chunks and the speed test (reader-protocol.md 1)."""

import hashlib
import os

import pytest

from front_site import Recorder, Site
from pbstore._core import BackupChunks, FileBody, ReaderChunks, seal_blob


@pytest.fixture
def archive(site: Site) -> tuple[ReaderChunks, list[bytes], list[bytes]]:
    """Store a fixed index of 20 incompressible chunks; return who may read it, the digests and the blobs."""
    chunks = BackupChunks(site.store)
    wid = chunks.create_fixed(site.directory / "disk.img.fidx", 80 << 20)
    digests, blobs = [], []
    for _ in range(20):
        data = os.urandom(4 << 20)
        digests.append(hashlib.sha256(data).digest())
        blobs.append(seal_blob(data))
        site.store.insert(digests[-1], blobs[-1])
    client = site.open_backup(Recorder(), chunks)
    for digest, blob in zip(digests, blobs, strict=True):
        target = f"/fixed_chunk?wid={wid}&digest={digest.hex()}&size=4194304&encoded-size={len(blob)}"
        assert client.call("POST", target, blob).status == 200
    client.close()
    chunks.append("fixed", wid, [digest.hex() for digest in digests], [number << 22 for number in range(20)])
    chunks.close_writer("fixed", wid, 20, 80 << 20, hashlib.sha256(b"".join(digests)).digest())
    reader = ReaderChunks(site.store)
    assert reader.allow_index(site.directory / "disk.img.fidx") == 20
    return reader, digests, blobs


def test_sends_chunks_as_stored(site: Site, archive: tuple[ReaderChunks, list[bytes], list[bytes]]) -> None:
    reader, digests, blobs = archive
    session = Recorder()
    client = site.open_reader(session, reader)
    streams = [client.start("GET", f"/chunk?digest={digest.hex()}", end=True) for digest in digests]
    for stream, blob in zip(streams, blobs, strict=True):
        answer = client.wait(stream)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
        assert bytes(answer.body) == blob
    client.close()
    assert session.wait() is None


def test_obeys_small_windows(site: Site, archive: tuple[ReaderChunks, list[bytes], list[bytes]]) -> None:
    reader, digests, blobs = archive
    client = site.open_reader(Recorder(), reader, window=65535)
    streams = [client.start("GET", f"/chunk?digest={digest.hex()}", end=True) for digest in digests[:4]]
    for stream, blob in reversed(list(zip(streams, blobs[:4], strict=True))):
        assert bytes(client.wait(stream).body) == blob


def test_refuses_chunks_that_no_index_named(site: Site) -> None:
    session = Recorder()
    client = site.open_reader(session, ReaderChunks(site.store))
    answer = client.call("GET", f"/chunk?digest={'ab' * 32}")
    assert (answer.status, bytes(answer.body)) == (401, f"download chunk {'ab' * 32} not allowed".encode())
    assert session.failures == [("GET", "/chunk", 401, f"download chunk {'ab' * 32} not allowed")]


def test_a_missing_chunk_is_a_400(site: Site, archive: tuple[ReaderChunks, list[bytes], list[bytes]]) -> None:
    reader, digests, _ = archive
    root = site.store_directory / ".chunks"
    name = digests[0].hex()
    (root / name[:4] / name).unlink()
    client = site.open_reader(Recorder(), reader)
    answer = client.call("GET", f"/chunk?digest={name}")
    assert answer.status == 400
    assert b"No such file" in answer.body
    assert client.call("GET", "/chunk?digest=xyz").status == 400
    assert client.call("GET", "/chunk").status == 400


def test_speedtest_is_a_mebibyte(site: Site) -> None:
    client = site.open_reader(Recorder(), ReaderChunks(site.store))
    answer = client.call("GET", "/speedtest")
    assert (answer.status, bytes(answer.body)) == (200, b"A" * (1 << 20))


def test_uploads_are_not_served_here(site: Site) -> None:
    session = Recorder(lambda *call: (404, [], b"Path '/fixed_chunk' not found."))
    client = site.open_reader(session, ReaderChunks(site.store))
    assert client.call("POST", "/fixed_chunk?wid=1", b"x").status == 404
    assert session.calls[0][:2] == ("POST", "/fixed_chunk")


def test_many_files_at_once(site: Site) -> None:
    path = site.directory / "index"
    path.write_bytes(os.urandom(2_500_000))
    client = site.open_reader(Recorder(lambda *call: (200, [], FileBody(path))), ReaderChunks(site.store))
    streams = [client.start("GET", "/download?file-name=x", end=True) for _ in range(50)]
    assert all(bytes(client.wait(stream).body) == path.read_bytes() for stream in streams)


def test_calls_taken_back_are_a_clean_end(site: Site, archive: tuple[ReaderChunks, list[bytes], list[bytes]]) -> None:
    reader, digests, blobs = archive
    session = Recorder()
    client = site.open_reader(session, reader, window=65535)
    stream = client.start("GET", f"/chunk?digest={digests[0].hex()}", end=True)
    while not client.answers[stream].body:
        client.receive()
    client.reset(stream)
    answer = client.call("GET", "/speedtest")
    assert len(answer.body) == 1 << 20
    assert len(blobs[0]) > 65535
    client.close()
    assert session.wait() is None


def test_a_client_that_leaves_during_an_answer_did_not_end_in_order(
    site: Site, archive: tuple[ReaderChunks, list[bytes], list[bytes]]
) -> None:
    reader, digests, _ = archive
    session = Recorder()
    client = site.open_reader(session, reader, window=65535)
    stream = client.start("GET", f"/chunk?digest={digests[0].hex()}", end=True)
    while not client.answers[stream].body:
        client.receive()
    client.close()
    assert session.wait() == "connection closed with 1 unfinished calls"
