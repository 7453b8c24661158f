"""Peers that send or take next to nothing, on a server whose patience is a second or two."""

import contextlib
import os
import socket
import ssl
import time

import pytest

from hostile.finished_backup import finished_backup
from hostile.hostile_site import HostileSite, wait_until
from hostile.raw_session import CLOSED, DATA, INITIAL_WINDOW, WINDOW_UPDATE, frame, number
from http1_client import Http1Client, unverified_context
from pbstore._core import seal_blob

LIMITS = "handshake=1 head=1 idle=2 body=1 session_start=1 stall=2 rate=100000 memory_wait=0.2"

pytestmark = pytest.mark.slow


def ends_soon(connection: socket.socket) -> None:
    """Wait for the other side to give up; whatever it still says is passed over."""
    connection.settimeout(20)
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while connection.recv(1 << 16):
            pass


@pytest.mark.parametrize(
    "data", [b"", b"\x16", b"\x16\x03\x01\x02\x00", b"\x16\x03\x01\x02\x00\x01" + bytes(100), b"G"]
)
def test_handshakes_that_never_end(site: HostileSite, data: bytes) -> None:
    with socket.create_connection(site.address) as connection:
        connection.sendall(data)
        ends_soon(connection)


def test_a_handshake_of_one_byte_now_and_then(site: HostileSite) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        unverified_context().wrap_bio(incoming, outgoing).do_handshake()
    with socket.create_connection(site.address) as connection:
        started = time.monotonic()
        with contextlib.suppress(OSError):
            for byte in outgoing.read():
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
        ends_soon(connection)
        assert time.monotonic() - started < 15


def test_nothing_behind_the_handshake(site: HostileSite) -> None:
    ends_soon(site.client().socket)


def test_a_head_byte_by_byte(site: HostileSite) -> None:
    client = site.client()
    with contextlib.suppress(OSError):
        for byte in b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 100:
            client.send(bytes([byte]))
            time.sleep(0.05)
    ends_soon(client.socket)


def test_a_second_head_byte_by_byte(site: HostileSite) -> None:
    client = site.client()
    assert client.request("GET", "/nothing").status == 404
    started = time.monotonic()
    with contextlib.suppress(OSError):
        for byte in b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 100:
            client.send(bytes([byte]))
            time.sleep(0.05)
    ends_soon(client.socket)
    assert time.monotonic() - started < 15


def test_a_connection_that_asks_no_more(site: HostileSite) -> None:
    client = site.client()
    assert client.request("GET", "/nothing").status == 404
    ends_soon(client.socket)


def test_a_body_byte_by_byte(site: HostileSite) -> None:
    client = site.client()
    client.send(b"POST /api2/json/access/ticket HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
    with contextlib.suppress(OSError):
        for _ in range(100):
            client.send(b"x")
            time.sleep(0.05)
    with contextlib.suppress(EOFError, OSError):
        assert client.answer().status == 408


def test_a_session_that_never_begins(site: HostileSite) -> None:
    session = site.raw_backup(preface=b"PRI")
    assert session.end() == CLOSED


def test_a_body_that_never_ends_gives_its_call_up(site: HostileSite) -> None:
    session = site.raw_backup()
    session.send(session.head(1, "PUT", "/fixed_index", end=False), frame(DATA, 0, 1, b"{"))
    assert session.status(1) == 408
    session.send(session.head(3, "GET", "/previous_backup_time"))
    assert session.status(3) == 200


def test_windows_that_never_open(site: HostileSite) -> None:
    name = finished_backup(site)
    session = site.raw_reader(name, settings=[(INITIAL_WINDOW, 0)])
    before = site.status("VmRSS")
    session.send(*(session.head(stream, "GET", "/download?file-name=large.blob") for stream in range(1, 201, 2)))
    assert session.status(1) == 200
    assert session.data_bytes(1) == 0
    assert site.status("VmRSS") < before + (40 << 20)
    session.send(session.head(501, "GET", "/nothing"))
    assert session.status(501) == 404
    session.close()


def test_a_reader_that_takes_nothing_at_all(site: HostileSite) -> None:
    name = finished_backup(site)
    session = site.raw_reader(name, settings=[(INITIAL_WINDOW, 2**31 - 1)])
    session.send(frame(WINDOW_UPDATE, 0, 0, number(2**30)))
    session.send(*(session.head(stream, "GET", "/download?file-name=large.blob") for stream in range(1, 201, 2)))
    time.sleep(6)  # taking what is there would be taking something
    ends_soon(session.socket)


def test_many_readers_that_take_nothing_leave_memory_for_others(site: HostileSite) -> None:
    name = finished_backup(site)
    stalled = [site.raw_reader(name, settings=[(INITIAL_WINDOW, 2**31 - 1)]) for _ in range(12)]
    for session in stalled:
        session.send(frame(WINDOW_UPDATE, 0, 0, number(2**30)))
        session.send(*(session.head(n, "GET", "/download?file-name=large.blob") for n in range(1, 101, 2)))
    reader = site.reader(name)
    assert len(reader.call("GET", "/download?file-name=large.blob").body) > 8 << 20
    writer = site.backup()
    blob = seal_blob(os.urandom(8 << 20))
    assert writer.call("POST", f"/blob?file-name=x.blob&encoded-size={len(blob)}", blob).status == 200
    for session in stalled:
        session.close()


def test_bodies_that_stop_leave_memory_for_others(site: HostileSite) -> None:
    hostile = [site.raw_backup() for _ in range(6)]
    query = f"wid=1&digest={'ab' * 32}&size=16777216&encoded-size=16777228"
    for session in hostile:
        for stream in range(1, 41, 4):
            chunk = session.head(stream, "POST", f"/dynamic_chunk?{query}", end=False)
            blob = session.head(stream + 2, "POST", "/blob?file-name=x.blob&encoded-size=16777228", end=False)
            session.send(chunk, frame(DATA, 0, stream, b"x"), blob, frame(DATA, 0, stream + 2, b"x"))
    started = time.monotonic()
    finished_backup(site, chunks=8)
    assert time.monotonic() - started < 60
    for session in hostile:
        session.close()


def test_large_bodies_of_strangers_keep_nobody_from_logging_in(site: HostileSite) -> None:
    strangers = [site.client() for _ in range(4)]
    for client in strangers:
        head = b"POST /api2/json/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n"
        client.send(head + b"content-length: 16000000\r\n\r\n" + bytes(6 << 20))
    assert site.server.login("mallory@pbs", "Mallory12345")
    for client in strangers:
        client.socket.close()


def test_those_who_guess_passwords_keep_only_themselves_waiting(site: HostileSite) -> None:
    head = b"POST /api2/json/access/ticket HTTP/1.1\r\nhost: x\r\ncontent-length: 32\r\n\r\n"
    guess = head + b"username=root@pbs&password=wrong"
    guessing = [Http1Client(site.address, source="127.0.0.9") for _ in range(100)]
    for client in guessing:
        client.send(guess)
    started = time.monotonic()
    assert site.server.login("mallory@pbs", "Mallory12345")
    assert time.monotonic() - started < 10, "100 guesses of 3 seconds on 64 threads take longer"
    for client in guessing:
        client.socket.close()
    wait_until(lambda: site.server.request("GET", "/nothing").status == 404, "the server answers")
