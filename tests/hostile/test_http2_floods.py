"""Very many small things in a session: each is cheap or ends it, and nobody else waits."""

import pytest

from hostile.hostile_site import HostileSite, wait_until
from hostile.raw_session import (
    CLOSED,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    RawSession,
    frame,
    number,
)

pytestmark = pytest.mark.slow

CALM = 11
CALL = "/previous_backup_time"


def is_alive(session: RawSession, stream: int) -> bool:
    """Whether the session still answers."""
    session.send(session.head(stream, "GET", CALL))
    return session.verdict(stream) == ("status", 200)


def test_headers_without_end(site: HostileSite) -> None:
    session = site.raw_backup()
    session.send(frame(HEADERS, 0, 1, session.block("GET", "/")))
    more = frame(CONTINUATION, 0, 1, b"\x00\x04name" + b"\x7f\x81\x7c" + b"v" * 16_000)
    taken = 0
    while taken < 2000 and session.try_send(more):
        taken += 1
    assert taken < 2000
    assert session.end() in (CLOSED, CALM, 1, 9)


def test_empty_continuations_without_end(site: HostileSite) -> None:
    session = site.raw_backup()
    session.send(frame(HEADERS, 0, 1, session.block("GET", "/")))
    taken = 0
    while taken < 1000 and session.try_send(frame(CONTINUATION, 0, 1) * 1000):
        taken += 1
    assert taken < 1000
    assert session.end() in (CLOSED, CALM)


def test_a_small_block_that_means_many_headers(site: HostileSite) -> None:
    session = site.raw_backup()
    add = b"\x40\x01x" + b"\x7f\xa0\x1e" + b"v" * 3999  # one entry that fills the dynamic table
    bomb = session.block("GET", CALL) + add + b"\xbe" * 60_000  # 240 MB of headers
    session.try_send(frame(HEADERS, END_HEADERS | END_STREAM, 1, bomb))
    kind, code = session.verdict()
    assert (kind, code) == ("status", 431) or kind in ("end", "reset")


def test_calls_that_are_taken_back_at_once(site: HostileSite) -> None:
    session = site.raw_backup()
    stream, sent = 1, 0
    for _ in range(100):
        burst = []
        for _ in range(200):
            burst += [session.head(stream, "GET", CALL), frame(RST_STREAM, 0, stream, number(8))]
            stream += 2
        if not session.try_send(*burst):
            break
        sent += 200
    assert session.end() == CALM if sent < 20_000 else is_alive(session, stream)
    session.close()


def test_calls_that_are_taken_back_a_few_at_a_time_do_not_pile_up(site: HostileSite) -> None:
    session = site.raw_backup()
    before = site.status("VmRSS")
    for stream in range(1, 8000, 2):
        body = frame(DATA, END_STREAM, stream, b"{" + b" " * 1000)
        head = session.head(stream, "PUT", "/fixed_index", ("content-type", "application/json"), end=False)
        if not session.try_send(head, body, frame(RST_STREAM, 0, stream, number(8))):
            break
    assert site.status("VmRSS") < before + (64 << 20)
    session.close()


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (frame(SETTINGS, 0, 0, b"\0\4\0\1\0\0"), 20_000),
        (frame(PING, 0, 0, b"12345678"), 50_000),
        (frame(PRIORITY, 0, 1, number(3) + b"\xff"), 50_000),
        (frame(WINDOW_UPDATE, 0, 0, number(1)), 50_000),
        (frame(0x42, 0, 0), 100_000),
    ],
    ids=["settings", "pings", "priorities", "window updates", "unknown"],
)
def test_frames_that_cost_nothing(site: HostileSite, data: bytes, count: int) -> None:
    before = site.status("VmRSS")
    session = site.raw_backup()
    session.socket.settimeout(10)
    for _ in range(count // 500):
        if not session.try_send(data * 500):
            break  # answers that nobody reads stop the flood
    assert site.status("VmRSS") < before + (64 << 20)
    session.close()


@pytest.mark.parametrize("payload", [b"", b"x"], ids=["empty", "one byte"])
def test_bodies_in_tiny_frames(site: HostileSite, payload: bytes) -> None:
    before = site.status("VmRSS")
    session = site.raw_backup()
    digest = "ab" * 32
    target = f"/dynamic_chunk?wid=1&digest={digest}&size=9&encoded-size=16000000"
    session.send(session.head(1, "POST", target, end=False))
    for _ in range(200):
        if not session.try_send(frame(DATA, 0, 1, payload) * 1000):
            break
    assert site.status("VmRSS") < before + (100 << 20)
    session.close()


def test_thousands_of_streams_at_once(site: HostileSite) -> None:
    session = site.raw_backup()
    for first in range(1, 10_000, 200):
        heads = (session.head(stream, "POST", "/speedtest", end=False) for stream in range(first, first + 200, 2))
        if not session.try_send(*heads):
            break
    session.close()
    wait_until(lambda: not session.socket.fileno() > 0, "the socket is closed")


def test_no_more_streams_than_announced(site: HostileSite) -> None:
    session = site.raw_backup()
    session.send(*(session.head(stream, "POST", "/speedtest", end=False) for stream in range(1, 403, 2)))
    assert session.verdict(401) == ("reset", 7)
    session.send(*(frame(DATA, END_STREAM, stream) for stream in range(1, 401, 2)))
    assert session.status(399) == 200
    assert is_alive(session, 501)


def test_ten_sessions_that_flood_together_do_not_stop_an_eleventh(site: HostileSite) -> None:
    hostile = [site.raw_backup() for _ in range(10)]
    for session in hostile:
        body = frame(DATA, END_STREAM, 0, b"")
        for stream in range(1, 401, 2):
            body = frame(DATA, END_STREAM, stream, b'{"wid":1,"digest-list":[' + b'"x",' * 15_000 + b'"x"]}')
            head = session.head(stream, "PUT", "/fixed_index", ("content-type", "application/json"), end=False)
            if stream < 100:
                session.try_send(head, body)
    client = site.backup()
    assert client.call("GET", CALL).status == 200
    for session in hostile:
        session.close()
