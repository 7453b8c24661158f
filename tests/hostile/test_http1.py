"""Plain requests that are too much, too long, or no requests at all."""

import contextlib

import pytest

from hostile.hostile_site import HostileSite

pytestmark = pytest.mark.slow

HEAD = b"POST /api2/json/access/ticket HTTP/1.1\r\nhost: x\r\n"


def answer_of(site: HostileSite, data: bytes) -> int:
    """Send bytes on a new connection; the status, or 0 when the connection is just closed."""
    with site.client() as client:
        with contextlib.suppress(OSError):
            client.send(data)
        try:
            return client.answer().status
        except (EOFError, OSError):
            return 0


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        (b"GET /" + b"a" * 4000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", {414}),
        (b"GET /" + b"a" * (8 << 20), {0, 414, 431}),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 101 + b"\r\n", {431}),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", {431}),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 1_000_000, {0, 431}),
        (b"GET / HTTP/1.1\r\nh\x00st: x\r\n\r\n", {0, 400}),
        (b"GET / HTTP/1.1\r\nhost: a\x00b\r\n\r\n", {0, 400}),
        (b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n", {0, 400, 404}),
        (b"GET /api2/json/\x00 HTTP/1.1\r\nhost: x\r\n\r\n", {0, 400}),
        (b"GET /%00%ff%2f%2e%2e HTTP/1.1\r\nhost: x\r\n\r\n", {400, 404}),
        (HEAD + b"content-length: -1\r\n\r\n", {0, 400}),
        (HEAD + b"content-length: 99999999999999999999999\r\n\r\n", {0, 400}),
        (HEAD + b"content-length: 18446744073709551615\r\n\r\n", {0, 400, 431}),
        (HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", {0, 400}),
        (HEAD + b"transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n", {0, 400}),
        (HEAD + b"transfer-encoding: gzip\r\n\r\n", {0, 400, 501}),
        (HEAD + b"transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nx", {0, 400}),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n11111111111111111\r\nx", {0, 400}),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n", {0, 400}),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n5;" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n", {0, 400}),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 600_000, {0, 400}),
        (HEAD + b"content-length: 1048576\r\n\r\n" + bytes(1 << 20), {400}),
        (HEAD + b"content-type: application/json\r\ncontent-length: 200000\r\n\r\n" + b"[" * 200_000, {400}),
        (HEAD + b"content-type: application/json\r\ncontent-length: 200000\r\n\r\n" + b"9" * 200_000, {400}),
        (HEAD + b"content-length: 4\r\n\r\n\xff\xfe\x00\x80", {400}),
        (HEAD + b"content-type: x/y\r\ncontent-length: 4\r\n\r\nabcd", {400}),
    ],
    ids=lambda value: repr(value[:60]) if isinstance(value, bytes) else "",
)
def test_is_refused(site: HostileSite, data: bytes, statuses: set[int]) -> None:
    assert answer_of(site, data) in statuses


def test_a_short_length_makes_the_rest_the_next_request(site: HostileSite) -> None:
    with site.client() as client:
        client.send(HEAD + b"content-length: 3\r\n\r\nusername=x&password=y\r\n\r\n")
        assert client.answer().status == 400
        with contextlib.suppress(EOFError, OSError):
            assert client.answer().status == 400


def test_pipelined_requests_are_answered_in_order(site: HostileSite) -> None:
    with site.client() as client:
        good = b"".join(f"{name}: {value}\r\n".encode() for name, value in site.headers.items())
        one = b"GET /api2/json/version HTTP/1.1\r\nhost: x\r\n" + good + b"\r\n"
        other = b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n"
        client.send((one + other) * 50)
        assert [client.answer().status for _ in range(100)] == [200, 404] * 50


def test_thousands_of_pipelined_requests_whose_answers_nobody_reads(site: HostileSite) -> None:
    client = site.client()
    client.socket.settimeout(2)
    with contextlib.suppress(OSError):
        for _ in range(2000):
            client.send(b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n" * 50)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("connection: upgrade\r\nupgrade: websocket", 400),
        ("connection: upgrade\r\nupgrade: h2c", 400),
        ("connection: upgrade\r\nupgrade: proxmox-backup-protocol-v2", 400),
        ("connection: upgrade\r\nupgrade: proxmox-backup-protocol-v1, h2c", 400),
        ("connection: upgrade\r\nupgrade: proxmox-backup-protocol-v1\r\nupgrade: h2c", 400),
        ("upgrade: proxmox-backup-protocol-v1", 400),
        ("connection: upgrade", 400),
    ],
)
def test_upgrades_to_what_does_not_exist(site: HostileSite, lines: str, status: int) -> None:
    name = site.unused_name()
    token = site.headers["Authorization"]
    target = f"/api2/json/backup?store=main&backup-type=host&backup-id={name}&backup-time=1700000000"
    request = f"GET {target} HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n{lines}\r\n\r\n"
    assert answer_of(site, request.encode()) == status


def test_an_upgrade_with_a_body_is_no_way_to_send_frames_early(site: HostileSite) -> None:
    name, token = site.unused_name(), site.headers["Authorization"]
    target = f"/api2/json/backup?store=main&backup-type=host&backup-id={name}&backup-time=1700000000"
    head = f"GET {target} HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\nconnection: upgrade\r\n"
    head += "upgrade: proxmox-backup-protocol-v1\r\n"
    large = f"{head}content-length: 600000\r\n\r\n".encode() + bytes(600_000)
    assert answer_of(site, large) == 400
    lying = f"{head}transfer-encoding: chunked\r\n\r\nzz\r\n".encode()
    assert answer_of(site, lying) in (0, 400)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nhost: " + b"a" * 100_000,
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999\r\n\r\n" + bytes(100_000),
        b"\x00" * 100_000,
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
def test_plain_text_on_the_tls_port(site: HostileSite, data: bytes) -> None:
    with site.client(tls=False) as client, contextlib.suppress(OSError):
        client.send(data)
        client.socket.settimeout(1)
        answer = client.answer()
        assert answer.status in (308, 400, 414, 431)
        assert not answer.body


def test_host_headers_do_not_split_the_redirect(site: HostileSite) -> None:
    with site.client(tls=False) as client:
        client.send(b"GET / HTTP/1.1\r\nhost: a\rset-cookie: x\r\n\r\n")
        with contextlib.suppress(EOFError, OSError):
            assert client.answer().status == 400
