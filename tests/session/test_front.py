"""The front over real TLS sockets: what it answers itself, and what reaches the application (protocol-transport.md)."""

import contextlib
import hashlib
import logging
import os
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from front_site import Site, TinyApplication
from http1_client import unverified_context
from pbstore._core import CryptKey, DynamicIndex, FileBody, Front, Request, chunk_digest, seal_blob
from pbstore.errors import ConfigError, EncryptionKeyError, FormatError, IntegrityError


def test_hands_requests_to_the_application(site: Site) -> None:
    with site.client() as client:
        peer = "{}:{}".format(*client.socket.getsockname())
        answer = client.request("POST", "//api2/json//access/ticket?a=%20b", {"X-Odd": "caf\u00e9"}, b"username=x")
        assert (answer.status, answer.body) == (200, b"ok")
    (request,) = site.application.requests
    assert (request.method, request.path, request.query) == ("POST", "/api2/json/access/ticket", "a=%20b")
    assert request.target == "//api2/json//access/ticket?a=%20b"
    assert request.body == b"username=x"
    assert ("x-odd", "caf\u00c3\u00a9") in request.headers
    assert request.peer == peer


def test_keeps_the_connection_and_an_empty_query(site: Site) -> None:
    with site.client() as client:
        for _ in range(3):
            assert client.request("GET", "/namespace?").status == 200
    assert [request.query for request in site.application.requests] == ["", "", ""]
    assert len({request.peer for request in site.application.requests}) == 1


def test_passes_status_headers_and_empty_bodies_on(site: Site) -> None:
    site.application.respond = lambda request: (404, [("Set-Cookie", "a=1"), ("x-thing", "2")], b"")
    with site.client() as client:
        answer = client.request("DELETE", "/x")
        assert (answer.status, answer.headers["set-cookie"], answer.headers["x-thing"]) == (404, "a=1", "2")
        assert client.request("HEAD", "/x").status == 404


def test_streams_files(site: Site) -> None:
    path = site.directory / "large"
    path.write_bytes(os.urandom(5_000_003))
    site.application.respond = lambda request: (200, [], FileBody(path))
    with site.client() as client:
        answer = client.request("GET", "/file")
    assert answer.headers["content-length"] == "5000003"
    assert answer.body == path.read_bytes()


def archive(site: Site, pieces: list[bytes]) -> tuple[Path, bytes, int]:
    """A dynamic index over stored chunks; its path, checksum and size."""
    end, entries = 0, []
    for piece in pieces:
        end += len(piece)
        entries.append((end, chunk_digest(piece)))
        (site.store_directory / ".chunks" / entries[-1][1].hex()[:4]).mkdir(exist_ok=True)
        site.store.insert(entries[-1][1], seal_blob(piece))
    path = site.directory / "tree.pxar.didx"
    path.write_bytes(DynamicIndex.encode(entries, uuid=bytes(16), ctime=0))
    return path, DynamicIndex.parse(path.read_bytes()).csum, end


def test_streams_decoded_archives(site: Site) -> None:
    pieces = [bytes([number]) * (1 << 20) for number in range(10)] + [os.urandom(16 << 20), b"end"]
    path, csum, size = archive(site, pieces)
    site.application.respond = lambda request: (
        200,
        [],
        FileBody.decoded_index(site.store, path, csum=csum, size=size),
    )
    with site.client() as client:
        answer = client.request("GET", "/file")
    assert answer.headers["content-length"] == str(size)
    assert answer.body == b"".join(pieces)


def test_a_bad_chunk_breaks_the_answer_off(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    path, csum, size = archive(site, [b"good" * 1000, b"bad" * 1000])
    digest = chunk_digest(b"bad" * 1000).hex()
    (site.store_directory / ".chunks" / digest[:4] / digest).write_bytes(seal_blob(b"other"))
    site.application.respond = lambda request: (
        200,
        [],
        FileBody.decoded_index(site.store, path, csum=csum, size=size),
    )
    with site.client() as client, pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
        client.request("GET", "/file")
    assert digest in caplog.text


def test_what_is_not_the_promised_archive_is_no_body(site: Site) -> None:
    path, csum, size = archive(site, [b"content"])
    for wrong_csum, wrong_size in ((bytes(32), size), (csum, size + 1)):
        with pytest.raises(IntegrityError):
            FileBody.decoded_index(site.store, path, csum=wrong_csum, size=wrong_size)
    encrypted = site.directory / "a.blob"
    encrypted.write_bytes(seal_blob(b"secret", key=CryptKey(bytes(32))))
    with pytest.raises(EncryptionKeyError):
        FileBody.decoded_blob(encrypted)
    encrypted.write_bytes(b"rubbish")
    with pytest.raises(FormatError):
        FileBody.decoded_blob(encrypted)
    with pytest.raises(FileNotFoundError):
        FileBody.decoded_blob(site.directory / "nope.blob")


def resident_bytes() -> int:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_an_index_of_a_million_entries_is_not_held(site: Site) -> None:
    _, _, size = archive(site, [b"x" * 4096])
    digest, count = chunk_digest(b"x" * size), 1_000_000
    path, csum = site.directory / "large.didx", hashlib.sha256()
    with path.open("wb") as file:
        file.write(DynamicIndex.encode([(size, digest)], uuid=bytes(16), ctime=0)[:4096])
        for first in range(0, count, 10_000):
            ends = range(first + 1, first + 10_001)
            entries = b"".join((number * size).to_bytes(8, "little") + digest for number in ends)
            csum.update(entries)
            file.write(entries)
    before = resident_bytes()
    body = FileBody.decoded_index(site.store, path, csum=csum.digest(), size=count * size)
    assert resident_bytes() - before < 8 << 20
    assert body.size == count * size


class Guard:
    """Remembers that it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        """Called from any thread."""
        self.closed.set()


def test_a_guard_is_closed_when_the_body_was_sent(site: Site) -> None:
    path = site.directory / "small.blob"
    path.write_bytes(seal_blob(b"text" * 1000))
    guard = Guard()

    def respond(request: Request) -> tuple[int, list[tuple[str, str]], FileBody]:
        body = FileBody.decoded_blob(path)
        body.hold(guard)
        return 200, [], body

    site.application.respond = respond
    with site.client() as client:
        assert client.request("GET", "/file").body == b"text" * 1000
    assert guard.closed.wait(20)


def test_a_guard_is_closed_when_the_client_goes_away(site: Site) -> None:
    path, csum, size = archive(site, [bytes([number]) * (4 << 20) for number in range(30)])
    guard = Guard()

    def respond(request: Request) -> tuple[int, list[tuple[str, str]], FileBody]:
        body = FileBody.decoded_index(site.store, path, csum=csum, size=size)
        body.hold(guard)
        return 200, [], body

    site.application.respond = respond
    client = site.client()
    client.socket.sendall(b"GET /file HTTP/1.1\r\nhost: x\r\n\r\n")
    client.socket.recv(1000)
    assert not guard.closed.is_set()
    client.socket.close()
    assert guard.closed.wait(20)


def test_readers_that_stall_leave_memory_for_the_rest(site: Site) -> None:
    path, csum, size = archive(site, [bytes([number]) * (4 << 20) for number in range(30)])
    plain = site.directory / "plain"
    plain.write_bytes(os.urandom(3 << 20))
    site.application.respond = lambda request: (
        200,
        [],
        FileBody(plain) if request.path == "/plain" else FileBody.decoded_index(site.store, path, csum=csum, size=size),
    )
    stalled = [site.client() for _ in range(10)]
    for client in stalled:
        client.socket.sendall(b"GET /archive HTTP/1.1\r\nhost: x\r\n\r\n")
    with site.client() as client:
        assert client.request("GET", "/plain").body == plain.read_bytes()
    for client in stalled:
        client.socket.close()
    with site.client() as client:
        assert len(client.request("GET", "/archive").body) == size


def test_a_file_that_shrinks_breaks_the_answer_off(site: Site) -> None:
    path = site.directory / "large"
    path.write_bytes(bytes(3 << 20))

    def respond(request: Request) -> tuple[int, list[tuple[str, str]], FileBody]:
        body = FileBody(path)
        path.write_bytes(b"short")
        return 200, [], body

    site.application.respond = respond
    with site.client() as client, pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
        client.request("GET", "/file")


@pytest.mark.parametrize("name", ["link", "folder", "absent", "pipe"])
def test_sends_only_regular_files(tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"."):
        FileBody(tmp_path / name)


@pytest.mark.parametrize("path", ["/..", "/a/../b", "/.hidden", "/a/%2e%2E/b", "/api2/./json", "*"])
def test_refuses_hidden_components(site: Site, path: str) -> None:
    with site.client() as client:
        assert client.request("GET", path).status == 400
    assert not site.application.requests


def test_refuses_long_targets_with_an_empty_414(site: Site) -> None:
    with site.client() as client:
        fits = client.request("GET", "/" + "a" * 3000 + "?" + "b" * 71)
        assert fits.status == 200
        answer = client.request("GET", "/" + "a" * 3000 + "?" + "b" * 72)
        assert (answer.status, answer.body) == (414, b"")


def test_refuses_large_bodies(site: Site) -> None:
    with site.client() as client:
        assert client.request("POST", "/x", {}, bytes(512 << 10)).status == 200
        answer = client.request("POST", "/x", {}, bytes((512 << 10) + 1))
        assert (answer.status, answer.body) == (400, b"request body is larger than 524288 bytes")


def test_refuses_large_bodies_of_unknown_length(site: Site) -> None:
    with site.client() as client:
        client.send(b"POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(9):
            client.send(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        client.send(b"0\r\n\r\n")
        assert client.answer().status == 400
    assert not site.application.requests


def test_takes_a_blob_as_raw_body(site: Site) -> None:
    raw = {"content-type": "application/octet-stream"}
    with site.client() as client:
        assert client.request("POST", "/upload", raw, bytes((16 << 20) + 44)).status == 200
    assert len(site.application.requests[0].body) == (16 << 20) + 44
    with site.client() as client:
        client.send(
            b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: 16777261\r\n\r\n"
        )
        assert client.answer().status == 400


def test_refuses_large_heads(site: Site) -> None:
    with site.client() as client:
        client.send(b"GET /x HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * 70000 + b"\r\n\r\n")
        assert client.answer().status == 431
    with site.client() as client:
        client.send(b"GET /x HTTP/1.1\r\nhost: x\r\n" + b"".join(b"x-%d: 1\r\n" % n for n in range(200)) + b"\r\n")
        assert client.answer().status == 431
    assert not site.application.requests


@pytest.mark.parametrize(
    "head",
    [
        b"G@T / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_refuses_what_is_no_request(site: Site, head: bytes) -> None:
    with site.client() as client:
        client.send(head)
        with contextlib.suppress(EOFError, ConnectionError):
            assert client.answer().status in (400, 505)
    assert not site.application.requests
    with site.client() as client:
        assert client.request("GET", "/").status == 200


def test_plain_text_is_sent_to_the_tls_side(site: Site) -> None:
    with site.client(tls=False) as client:
        client.send(b"GET /some/path HTTP/1.1\r\nHost: backup.example:8007\r\n\r\n")
        answer = client.answer()
        assert (answer.status, answer.headers["location"]) == (301, "https://backup.example:8007")
    with site.client(tls=False) as client:
        client.send(b"POST /api2/json/access/ticket HTTP/1.1\r\nHost: b\r\ncontent-length: 0\r\n\r\n")
        assert client.answer().status == 308
    with site.client(tls=False) as client:
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert client.answer().status == 400
    assert not site.application.requests


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff" + bytes(100),
        os.urandom(2000),
        b"\x00" * 9,
        b"\x16",
        b"",
    ],
    ids=["broken hello", "long record", "noise", "zeros", "one byte", "nothing"],
)
def test_survives_hostile_bytes(site: Site, data: bytes) -> None:
    with socket.create_connection(site.address, timeout=15) as raw:
        raw.sendall(data)
        raw.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while raw.recv(4096):
                pass
    with site.client() as client:
        assert client.request("GET", "/").status == 200


def test_speaks_tls_12_and_13_only(site: Site) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = unverified_context()
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(site.address) as raw, context.wrap_socket(raw) as tls:
            assert tls.selected_alpn_protocol() is None
            assert tls.version() == version.name.replace("_", ".")
    context = unverified_context()
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(site.address) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw)


@pytest.mark.parametrize(
    "respond",
    [
        lambda request: 1 / 0,
        lambda request: None,
        lambda request: (200, [("bad name", "x")], b""),
        lambda request: (200, [("x", "a\nb")], b""),
        lambda request: (99, [], b""),
        lambda request: (101, [], b""),
        lambda request: (200, [], "text"),
    ],
    ids=["raises", "none", "header name", "header value", "status", "switching", "text body"],
)
def test_an_application_that_fails_is_answered_for(
    site: Site, caplog: pytest.LogCaptureFixture, respond: object
) -> None:
    site.application.respond = respond  # type: ignore[assignment]
    with site.client() as client, caplog.at_level(logging.ERROR):
        answer = client.request("GET", "/broken")
        assert (answer.status, answer.body) == (500, b"internal server error")
        site.application.respond = lambda request: (200, [], b"again")
        assert client.request("GET", "/").body == b"again"
    assert caplog.records, "the reason must be in the log"


def test_logs_the_traceback(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    def respond(request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
        raise RuntimeError("the inner reason")

    site.application.respond = respond
    with site.client() as client:
        assert b"inner reason" not in client.request("GET", "/broken").body
    (record,) = [record for record in caplog.records if record.name == "pbstore.front"]
    assert record.exc_info
    assert str(record.exc_info[1]) == "the inner reason"


def test_slow_answers_do_not_hold_others_up(site: Site) -> None:
    release = threading.Event()

    def respond(request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
        if request.path == "/slow":
            release.wait(20)
        return 200, [], b""

    site.application.respond = respond
    with site.client() as slow, site.client() as quick:
        slow.send(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        assert quick.request("GET", "/quick").status == 200
        release.set()
        assert slow.answer().status == 200


def test_many_connections(site: Site) -> None:
    clients = [site.client() for _ in range(100)]
    for client in clients:
        client.send(b"GET /x HTTP/1.1\r\nhost: x\r\n\r\n")
    assert [client.answer().status for client in clients] == [200] * 100
    for client in clients:
        client.socket.close()


def test_listens_on_both_families(site: Site) -> None:
    try:
        host, port = site.front.listen("::", 0)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    assert host == "::"
    for address in (("127.0.0.1", port), ("::1", port)):
        site.address = address
        with site.client() as client:
            assert client.request("GET", "/").status == 200
    assert [request.peer.rpartition(":")[0] for request in site.application.requests] == ["127.0.0.1", "[::1]"]


def test_says_why_it_cannot_listen(site: Site) -> None:
    with pytest.raises(OSError, match=rf"cannot listen on 127.0.0.1 port {site.address[1]}"):
        site.front.listen("127.0.0.1", site.address[1])


def test_says_what_is_wrong_with_the_certificate(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    chain, key = certificate
    other = tmp_path / "other.key"
    other.write_text("no key")
    for bad_chain, bad_key in ((tmp_path / "absent.pem", key), (chain, other)):
        with pytest.raises(ConfigError, match=r"cannot use (certificate|private key) /"):
            Front(TinyApplication(), certificate=bad_chain, private_key=bad_key)
    with pytest.raises(ConfigError, match="too small"):
        Front(TinyApplication(), certificate=chain, private_key=key, memory_bytes=1 << 20)


def test_shutdown_lets_answers_out_and_refuses_new_connections(site: Site) -> None:
    started = threading.Event()

    def respond(request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
        started.set()
        time.sleep(0.3)
        return 200, [], b"late"

    site.application.respond = respond
    with site.client() as client:
        client.send(b"GET /x HTTP/1.1\r\nhost: x\r\n\r\n")
        assert started.wait(10)
        site.front.shutdown(10)
        assert client.answer().body == b"late"
    with pytest.raises(OSError, match=r"."):
        site.client()
    with pytest.raises(ValueError, match="shut down"):
        site.front.listen("127.0.0.1", 0)
