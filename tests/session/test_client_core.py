"""The client's compiled core against a real server: round trips, and every way in which they can fail."""

import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbstore._core import Connection, CryptKey, DynamicIndex, FixedIndex, Progress, Session
from pbstore.config.roots import Roots
from pbstore.datastore.creation import create_datastore
from pbstore.errors import (
    AbortedError,
    CertificateError,
    ConnectionFailedError,
    EncryptionKeyError,
    FormatError,
    IntegrityError,
    PbstoreError,
    ProtocolError,
    ServerError,
)
from running_server import RunningServer
from session.client_site import TOKEN, ClientSite
from tree_snapshot import tree_snapshot

MIB = 1 << 20
BLOCK = 4 * MIB
KEY = CryptKey(bytes(range(32)))


@pytest.fixture(scope="module")
def store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all tests, as making it takes seconds."""
    path = tmp_path_factory.mktemp("store") / "main"
    create_datastore(path, [])
    return path


def start_site(root: Path, certificate: Roots, store_path: Path) -> ClientSite:
    server = RunningServer(root)
    for path in (certificate.certificate, certificate.certificate_key):
        (server.roots.config_dir / path.name).write_bytes(path.read_bytes())
    server.add_datastore("main", store_path)
    server.create_user("archiver@pbs", "Archiver12345")
    secret = server.create_token(TOKEN)
    for auth_id in ("archiver@pbs", TOKEN):
        server.grant("/datastore/main", auth_id, "DatastoreBackup")
    server.start()
    return ClientSite(server, store_path, secret)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots, store_path: Path) -> Iterator[ClientSite]:
    """A server for all tests that leave it alive."""
    made = start_site(tmp_path_factory.mktemp("client-site"), server_certificate, store_path)
    yield made
    made.server.stop(signal.SIGKILL)


@pytest.fixture
def mortal(site: ClientSite) -> Iterator[ClientSite]:
    """The server, to be killed; it is started again afterwards."""
    yield site
    site.server.stop(signal.SIGKILL)
    site.server.start()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Noise, text, a hole of 12 MiB, a repeated block and a short end."""
    noise = random.Random(7).randbytes(BLOCK)  # noqa: S311
    path = tmp_path / "image"
    with path.open("wb") as file:
        file.write(noise + b"text " * MIB)
        file.seek(6 * BLOCK)
        file.write(noise + b"end")
    return path


def restore(
    reader: Session, index: bytes, target: Path, *, key: CryptKey | None = None, crypt_mode: str = "none"
) -> bytes:
    with target.open("wb+") as file:
        reader.restore_image(index, file.fileno(), key=key, crypt_mode=crypt_mode, archive_name="disk.img")
    return target.read_bytes()


# Connections


def test_a_wrong_fingerprint_is_refused_and_the_right_one_told(site: ClientSite) -> None:
    for wrong in (None, ":".join(["00"] * 32)):
        connection = Connection("127.0.0.1", site.server.port, fingerprint=wrong)
        with pytest.raises(CertificateError) as caught:
            connection.request("GET", "/api2/json/ping", [])
        assert caught.value.fingerprint == site.server.fingerprint
        assert str(caught.value).count("\n") == 0
    upper = Connection("127.0.0.1", site.server.port, fingerprint=site.server.fingerprint.upper())
    assert upper.request("GET", "/api2/json/ping", [])[0] == 200


def test_a_trusted_authority_needs_no_fingerprint(site: ClientSite) -> None:
    connection = Connection("localhost", site.server.port, ca_file=site.server.roots.certificate)
    status, headers, body = connection.request("GET", "/api2/json/ping", [])
    assert (status, body) == (200, b'{"data":{"pong":true}}')
    assert dict(headers)["content-type"] == "application/json;charset=UTF-8"


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, ":".join(["0"] * 64), ":".join(["00"] * 31 + ["é"])])
def test_a_fingerprint_that_is_none(text: str) -> None:
    with pytest.raises(FormatError):
        Connection("localhost", 8007, fingerprint=text)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionFailedError, match=f"unable to connect to 127.0.0.1:{port}: "):
        Connection("127.0.0.1", port).request("GET", "/", [])


def test_somebody_who_speaks_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            accepted, _ = listener.accept()
            accepted.recv(100)
            accepted.sendall(b"220 mail.example.com ESMTP\r\n")
            accepted.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ConnectionFailedError, match="TLS handshake failed"):
            Connection("127.0.0.1", listener.getsockname()[1]).request("GET", "/", [])
        thread.join()


def test_an_answer_larger_than_allowed(site: ClientSite) -> None:
    with pytest.raises(ProtocolError, match="more than 3 bytes"):
        site.connection().request("GET", "/api2/json/ping", [], max_bytes=3)


def test_header_values_are_checked_and_not_shown(site: ClientSite) -> None:
    with pytest.raises(FormatError) as caught:
        site.connection().request("GET", "/", [("Authorization", "secret\r\nx: y")])
    assert "secret" not in str(caught.value)


def test_the_servers_words_reach_the_user(site: ClientSite) -> None:
    target = "/api2/json/backup?store=none&backup-type=host&backup-id=x&backup-time=1"
    with pytest.raises(ServerError) as refused:
        site.connection().open_session(target, "proxmox-backup-protocol-v1", site.headers)
    assert refused.value.status in (400, 403)
    _, session = site.backup()
    with pytest.raises(ServerError, match="not found") as unknown:
        session.request("GET", "nothing")
    assert unknown.value.status == 404
    with pytest.raises(ServerError) as empty:
        session.request("POST", "finish")
    assert empty.value.status == 400
    with pytest.raises(ProtocolError, match="4096"):
        session.request("GET", "previous", "x" * 4097)


def test_a_closed_session_says_so(site: ClientSite) -> None:
    _, session = site.backup()
    session.close()
    session.close()
    with pytest.raises(ConnectionFailedError):
        session.request("GET", "previous_backup_time")


# Images


def test_an_image_comes_back_with_its_holes(site: ClientSite, image: Path, tmp_path: Path) -> None:
    reader, index, stats = site.back_up_image(image)
    assert (stats.chunk_count, stats.size) == (8, image.stat().st_size)
    assert stats.csum == FixedIndex.parse(index).csum
    assert restore(reader, index, tmp_path / "back") == image.read_bytes()
    assert (tmp_path / "back").stat().st_blocks * 512 < 5 * BLOCK
    read, write = os.pipe()
    with os.fdopen(write, "wb") as sink, os.fdopen(read, "rb") as source:
        got: list[bytes] = []
        drain = threading.Thread(target=lambda: got.append(source.read(image.stat().st_size)))
        drain.start()
        reader.restore_image(index, sink.fileno(), key=None, crypt_mode="none")
        drain.join()
    assert got == [image.read_bytes()]


def test_an_old_file_is_replaced_to_the_last_byte(site: ClientSite, image: Path, tmp_path: Path) -> None:
    reader, index, _ = site.back_up_image(image)
    for sparse in (True, False):
        target = tmp_path / "old"
        target.write_bytes(b"\xff" * (10 * BLOCK))
        with target.open("rb+") as file:
            reader.restore_image(index, file.fileno(), key=None, crypt_mode="none", sparse=sparse)
        assert target.read_bytes() == image.read_bytes()


def test_what_the_previous_snapshot_has_is_not_sent_again(site: ClientSite, image: Path) -> None:
    reader, _, first = site.back_up_image(image, "again")
    reader.close()
    snapshot, session = site.backup("again")
    previous = FixedIndex.parse(session.request("GET", "previous", "archive-name=disk.img.fidx"))
    with image.open("rb+") as file:
        file.seek(BLOCK)
        file.write(os.urandom(10))
    progress = Progress()
    stats = session.upload_image(image, "disk.img.fidx", key=None, previous=previous, progress=progress)
    assert (stats.uploaded_chunk_count, stats.uploaded_bytes) == (1, BLOCK)
    assert stats.reused_bytes == first.size - BLOCK
    assert (progress.processed_bytes, progress.total_bytes) == (first.size, first.size)
    assert (progress.uploaded_bytes, progress.reused_bytes) == (stats.uploaded_bytes, stats.reused_bytes)
    site.finish(snapshot, session, {"disk.img.fidx": stats})


def test_an_encrypted_image_needs_the_key_and_the_mode(site: ClientSite, image: Path, tmp_path: Path) -> None:
    reader, index, _ = site.back_up_image(image, key=KEY)
    back = tmp_path / "back"
    assert restore(reader, index, back, key=KEY, crypt_mode="encrypt") == image.read_bytes()
    with pytest.raises(EncryptionKeyError, match=r"disk\.img is encrypted: its key is needed"):
        restore(reader, index, back, crypt_mode="encrypt")
    with pytest.raises(IntegrityError, match="cannot decrypt"):
        restore(reader, index, back, key=CryptKey(bytes(32)), crypt_mode="encrypt")
    for mode in ("none", "sign-only"):
        with pytest.raises(IntegrityError, match="it is encrypted, although the archive is not"):
            restore(reader, index, back, key=KEY, crypt_mode=mode)
    with pytest.raises(FormatError):
        restore(reader, index, back, crypt_mode="rot13")


def test_a_plain_chunk_cannot_pass_for_an_encrypted_one(site: ClientSite, image: Path, tmp_path: Path) -> None:
    reader, index, _ = site.back_up_image(image)
    with pytest.raises(IntegrityError, match="it is not encrypted, although the archive is"):
        restore(reader, index, tmp_path / "back", key=KEY, crypt_mode="encrypt")


@pytest.mark.parametrize("what", ["empty", "directory", "absent"])
def test_images_that_are_none(site: ClientSite, tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "empty":
        path.touch()
    elif what == "directory":
        path.mkdir()
    _, session = site.backup()
    with pytest.raises(PbstoreError, match=r"disk\.img\.fidx: "):
        session.upload_image(path, "disk.img.fidx", key=None)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(
        st.tuples(st.sampled_from(["noise", "zeros", "hole", "text"]), st.integers(1, 3 * BLOCK)),
        min_size=1,
        max_size=4,
    ),
    encrypt=st.booleans(),
    seed=st.integers(0, 3),
)
def test_any_content_comes_back(
    site: ClientSite, tmp_path: Path, parts: list[tuple[str, int]], encrypt: bool, seed: int
) -> None:
    path, noise = tmp_path / "source", random.Random(seed)  # noqa: S311
    make: dict[str, Callable[[int], bytes]] = {
        "noise": noise.randbytes,
        "zeros": bytes,
        "text": lambda length: (b"row %d\n" % seed * length)[:length],
    }
    with path.open("wb") as file:
        for kind, length in parts:
            if kind == "hole":
                file.seek(length, os.SEEK_CUR)
            else:
                file.write(make[kind](length))
        file.truncate(max(file.tell(), 1))
    key, mode = (KEY, "encrypt") if encrypt else (None, "none")
    reader, index, _ = site.back_up_image(path, key=key)
    assert restore(reader, index, tmp_path / "back", key=key, crypt_mode=mode) == path.read_bytes()
    reader.close()


# Trees


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A few megabytes in files, links and directories."""
    root, rng = tmp_path / "tree", random.Random(3)  # noqa: S311
    (root / "deep" / "er").mkdir(parents=True)
    for number in range(40):
        (root / "deep" / f"file-{number}").write_bytes(rng.randbytes(rng.randrange(600_000)))
    (root / "empty").touch()
    (root / "link").symlink_to("deep/file-1")
    (root / "hard").hardlink_to(root / "deep" / "file-2")
    (root / "zeros").write_bytes(bytes(20 * MIB))
    return root


def test_a_tree_comes_back_and_is_not_sent_again(site: ClientSite, tree: Path, tmp_path: Path) -> None:
    for key, mode in ((None, "none"), (KEY, "encrypt")):
        snapshot, session = site.backup(f"tree-{mode}")
        catalog = session.start_catalog(key=key)
        stats = session.upload_tree(tree, "root.pxar.didx", key=key, catalog=catalog, chunk_size=256 << 10)
        archives = {"root.pxar.didx": stats, "catalog.pcat1.didx": catalog.finish()}
        reader = site.finish(snapshot, session, archives, encrypted=key is not None)
        index = reader.request("GET", "download", "file-name=root.pxar.didx")
        target = tmp_path / f"back-{mode}"
        restored = reader.restore_tree(index, target, key=key, crypt_mode=mode)
        assert (restored.size, restored.warnings) == (stats.size, [])
        assert tree_snapshot(target) == tree_snapshot(tree)
        reader.close()
        _, session = site.backup(f"tree-{mode}")
        previous = DynamicIndex.parse(session.request("GET", "previous", "archive-name=root.pxar.didx"))
        again = session.upload_tree(tree, "root.pxar.didx", key=key, previous=previous, chunk_size=256 << 10)
        assert (again.csum, again.uploaded_chunk_count) == (stats.csum, 0)
        session.close()


def test_a_tree_as_a_stream_is_its_archive(site: ClientSite, tree: Path, tmp_path: Path) -> None:
    snapshot, session = site.backup()
    stats = session.upload_tree(tree, "root.pxar.didx", key=None, chunk_size=64 << 10, exclude=["zeros", "/deep/er"])
    reader = site.finish(snapshot, session, {"root.pxar.didx": stats})
    index = reader.request("GET", "download", "file-name=root.pxar.didx")
    with (tmp_path / "archive").open("wb") as file:
        assert reader.restore_stream(index, file.fileno(), key=None, crypt_mode="none") == stats.size
    assert (tmp_path / "archive").stat().st_size == stats.size < 20 * MIB


def test_sources_and_patterns_that_are_none(site: ClientSite, tmp_path: Path) -> None:
    _, session = site.backup()
    with pytest.raises(FormatError, match="pattern"):
        session.upload_tree(tmp_path, "root.pxar.didx", key=None, exclude=["[a"])
    catalog = session.start_catalog(key=None)
    with pytest.raises(PbstoreError, match=r"root\.pxar\.didx: .*absent"):
        session.upload_tree(tmp_path / "absent", "root.pxar.didx", key=None, catalog=catalog)
    with pytest.raises(PbstoreError, match="another upload of this session failed"):
        catalog.finish()


# Damage


def test_a_damaged_chunk_is_named(site: ClientSite, image: Path, tmp_path: Path) -> None:
    with image.open("rb+") as file:
        file.seek(2 * BLOCK)
        file.write(os.urandom(BLOCK))
    reader, index, _ = site.back_up_image(image)
    digest = FixedIndex.parse(index).digest(2)
    chunk = site.chunk_path(digest)
    good = chunk.read_bytes()
    damaged = good[:-1] + bytes([good[-1] ^ 1])
    for content, reason in ((damaged, "wrong CRC-32"), (good[:8], "shorter"), (b"", "shorter")):
        chunk.write_bytes(content)
        with pytest.raises(PbstoreError) as caught:
            restore(reader, index, tmp_path / "back")
        assert str(caught.value).startswith(f"disk.img: chunk 2 ({digest.hex()}): "), (reason, str(caught.value))
        assert "\n" not in str(caught.value)
    chunk.unlink()
    with pytest.raises(ServerError, match=f"^disk.img: chunk 2 \\({digest.hex()}\\): "):
        restore(reader, index, tmp_path / "back")


def test_another_chunk_in_its_place_is_noticed(site: ClientSite, tree: Path, tmp_path: Path) -> None:
    snapshot, session = site.backup()
    stats = session.upload_tree(tree, "root.pxar.didx", key=None, chunk_size=64 << 10)
    reader = site.finish(snapshot, session, {"root.pxar.didx": stats})
    raw = reader.request("GET", "download", "file-name=root.pxar.didx")
    index = DynamicIndex.parse(raw)
    target, other = site.chunk_path(index.digest(5)), site.chunk_path(index.digest(6))
    good = target.read_bytes()
    target.write_bytes(other.read_bytes())
    with pytest.raises(PbstoreError, match=rf"^root\.pxar: chunk 5 \({index.digest(5).hex()}\): "):
        reader.restore_tree(raw, tmp_path / "back", key=None, crypt_mode="none", archive_name="root.pxar")
    target.write_bytes(good)


# Ends of every kind


def in_background(work: threading.Thread) -> threading.Thread:
    work.start()
    return work


def test_a_server_that_is_killed_while_it_receives(mortal: ClientSite) -> None:
    _, session = mortal.backup()
    read, write = os.pipe()
    killer = threading.Timer(0.3, mortal.server.stop, (signal.SIGKILL,))

    def feed() -> None:
        with os.fdopen(write, "wb") as sink:
            try:
                while True:
                    sink.write(os.urandom(MIB))
            except BrokenPipeError:
                pass

    feeder = in_background(threading.Thread(target=feed))
    in_background(killer)
    with pytest.raises(ConnectionFailedError, match="broke"):
        session.upload_image(read, "disk.img.fidx", key=None)
    os.close(read)
    feeder.join(10)
    killer.join()
    assert not feeder.is_alive()
    with pytest.raises(ConnectionFailedError):
        session.request("POST", "finish")


def test_a_server_that_is_killed_while_it_sends(mortal: ClientSite, tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(os.urandom(160 * MIB))
    reader, index, _ = mortal.back_up_image(source)
    read, write = os.pipe()
    # Nobody reads the pipe before the server is gone, so that the restore is in the middle of it.
    killer = in_background(threading.Timer(0.3, mortal.server.stop, (signal.SIGKILL,)))

    def drain() -> None:
        killer.join()
        with os.fdopen(read, "rb") as pipe:
            while pipe.read(MIB):
                pass

    drainer = in_background(threading.Thread(target=drain))
    with os.fdopen(write, "wb") as sink, pytest.raises(ConnectionFailedError, match="broke"):
        reader.restore_stream(index, sink.fileno(), key=None, crypt_mode="none")
    drainer.join(10)
    assert not drainer.is_alive()


def test_cancelling_and_control_c_end_a_silent_source(site: ClientSite) -> None:
    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    progress = Progress()
    for stop, raised in ((progress.cancel, AbortedError), (interrupt, KeyboardInterrupt)):
        _, session = site.backup()
        read, write = os.pipe()
        timer = in_background(threading.Timer(0.2, stop))
        began = time.monotonic()
        with pytest.raises(raised):
            session.upload_image(read, "disk.img.fidx", key=None, progress=progress if raised is AbortedError else None)
        assert time.monotonic() - began < 3
        timer.join()
        session.close()
        os.close(read)
        os.close(write)


def test_full_targets_are_reported(site: ClientSite, image: Path) -> None:
    reader, index, _ = site.back_up_image(image)
    with Path("/dev/full").open("wb") as full, pytest.raises(PbstoreError, match="No space left on device"):
        reader.restore_stream(index, full.fileno(), key=None, crypt_mode="none", archive_name="disk.img")
