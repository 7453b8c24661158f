"""Frames that HTTP/2 does not allow: the session ends, or the call does, with the code that says why."""

from collections.abc import Callable

import pytest

from hostile.hostile_site import HostileSite
from hostile.raw_session import (
    ACK,
    CLOSED,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    RawSession,
    frame,
    number,
)

pytestmark = pytest.mark.slow

NO_ERROR, PROTOCOL, INTERNAL, FLOW_CONTROL, _, STREAM_CLOSED, FRAME_SIZE = range(7)
REFUSED, CANCEL, COMPRESSION, _, CALM = 7, 8, 9, 10, 11

OPEN = "/speedtest"
Build = Callable[[RawSession], bytes]


def opened(session: RawSession, stream: int = 1) -> bytes:
    """A call whose body is still to come."""
    return session.head(stream, "POST", OPEN, end=False)


BROKEN: dict[str, tuple[Build, set[int]]] = {
    "frame that is larger than allowed": (
        lambda s: opened(s) + frame(DATA, 0, 1, b"x", length=(4 << 20) + 1),
        {FRAME_SIZE},
    ),
    "largest length there is": (lambda s: frame(DATA, 0, 1, b"x", length=(1 << 24) - 1), {FRAME_SIZE}),
    "settings of odd length": (lambda s: frame(SETTINGS, 0, 0, b"12345"), {FRAME_SIZE, PROTOCOL}),
    "settings ack with content": (lambda s: frame(SETTINGS, ACK, 0, b"123456"), {FRAME_SIZE, PROTOCOL}),
    "settings of a stream": (lambda s: frame(SETTINGS, 0, 1, b""), {PROTOCOL}),
    "window setting of 2^31": (lambda s: frame(SETTINGS, 0, 0, b"\0\4\x80\0\0\0"), {FLOW_CONTROL, PROTOCOL}),
    "frame size setting of 0": (lambda s: frame(SETTINGS, 0, 0, b"\0\5\0\0\0\0"), {PROTOCOL}),
    "push setting of 7": (lambda s: frame(SETTINGS, 0, 0, b"\0\2\0\0\0\7"), {PROTOCOL}),
    "ping of 7 bytes": (lambda s: frame(PING, 0, 0, b"1234567"), {FRAME_SIZE, PROTOCOL}),
    "ping of a stream": (lambda s: frame(PING, 0, 1, b"12345678"), {PROTOCOL}),
    "goaway that is too short": (lambda s: frame(GOAWAY, 0, 0, b"123"), {FRAME_SIZE, PROTOCOL}),
    "window update of 0": (lambda s: frame(WINDOW_UPDATE, 0, 0, number(0)), {PROTOCOL}),
    "window update of 3 bytes": (lambda s: frame(WINDOW_UPDATE, 0, 0, b"abc"), {FRAME_SIZE, PROTOCOL}),
    "window overflow": (lambda s: frame(WINDOW_UPDATE, 0, 0, number(2**31 - 1)) * 2, {FLOW_CONTROL}),
    "data with more padding than bytes": (lambda s: opened(s) + frame(DATA, PADDED, 1, b"\xff123"), {PROTOCOL}),
    "data with padding and no length": (lambda s: opened(s) + frame(DATA, PADDED, 1, b""), {PROTOCOL, FRAME_SIZE}),
    "headers with more padding than bytes": (
        lambda s: frame(HEADERS, END_HEADERS | PADDED, 1, b"\xff12"),
        {PROTOCOL},
    ),
    "headers with half a priority": (
        lambda s: frame(HEADERS, END_HEADERS | WITH_PRIORITY, 1, b"12"),
        {PROTOCOL, FRAME_SIZE},
    ),
    "even stream": (lambda s: s.head(2, "GET", "/"), {PROTOCOL}),
    "stream that goes back": (lambda s: s.head(5, "GET", "/") + s.head(3, "GET", "/"), {PROTOCOL, STREAM_CLOSED}),
    "data of stream 0": (lambda s: frame(DATA, 0, 0, b"x"), {PROTOCOL}),
    "headers of stream 0": (lambda s: s.head(0, "GET", "/"), {PROTOCOL}),
    "data of an idle stream": (lambda s: frame(DATA, 0, 7, b"x"), {PROTOCOL}),
    "reset of an idle stream": (lambda s: frame(RST_STREAM, 0, 7, number(8)), {PROTOCOL}),
    "reset of stream 0": (lambda s: frame(RST_STREAM, 0, 0, number(8)), {PROTOCOL}),
    "window of an idle stream": (lambda s: frame(WINDOW_UPDATE, 0, 7, number(1)), {PROTOCOL}),
    "continuation of nothing": (lambda s: frame(CONTINUATION, END_HEADERS, 1, b""), {PROTOCOL}),
    "another frame within headers": (
        lambda s: frame(HEADERS, 0, 1, s.block("GET", "/")) + frame(PING, 0, 0, bytes(8)),
        {PROTOCOL},
    ),
    "push by the client": (lambda s: opened(s) + frame(PUSH_PROMISE, END_HEADERS, 1, number(2)), {PROTOCOL}),
    "header index that does not exist": (
        lambda s: frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\x0f"),
        {COMPRESSION, PROTOCOL},
    ),
    "header integer without end": (lambda s: frame(HEADERS, END_HEADERS, 1, b"\xff" * 50), {COMPRESSION, PROTOCOL}),
    "header table beyond what was offered": (
        lambda s: frame(HEADERS, END_HEADERS, 1, b"\x3f\xff\xff\xff\x07"),
        {COMPRESSION, PROTOCOL},
    ),
    "broken huffman text": (
        lambda s: frame(HEADERS, END_HEADERS, 1, b"\x00\x84\xff\xff\xff\xff\x01x"),
        {COMPRESSION, PROTOCOL},
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_session_ends(site: HostileSite, name: str) -> None:
    build, codes = BROKEN[name]
    session = site.raw_backup()
    session.send(build(session))
    assert session.end() in codes


LENIENT: dict[str, tuple[Build, set[tuple[str, int]]]] = {
    "priority of 4 bytes": (
        lambda s: frame(PRIORITY, 0, 1, b"1234"),
        {("end", FRAME_SIZE), ("end", PROTOCOL), ("reset", FRAME_SIZE)},
    ),
    "stream that depends on itself": (
        lambda s: opened(s) + frame(PRIORITY, 0, 1, number(1) + b"\0"),
        {("reset", PROTOCOL), ("end", PROTOCOL)},
    ),
    "window overflow of a stream": (
        lambda s: opened(s) + frame(WINDOW_UPDATE, 0, 1, number(2**31 - 1)) * 2,
        {("reset", FLOW_CONTROL), ("end", FLOW_CONTROL)},
    ),
    "data behind the end": (
        lambda s: s.head(1, "GET", "/previous_backup_time") + frame(DATA, 0, 1, b"x"),
        {("reset", STREAM_CLOSED), ("end", STREAM_CLOSED), ("end", PROTOCOL), ("status", 200)},
    ),
    "no method": (
        lambda s: frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x84\x87"),
        {("reset", PROTOCOL), ("end", PROTOCOL)},
    ),
    "upper case header": (
        lambda s: frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x82\x84\x87\x00\x01X\x01y"),
        {("reset", PROTOCOL), ("end", PROTOCOL), ("end", COMPRESSION)},
    ),
    "pseudo header behind others": (
        lambda s: frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x82\x87\x00\x01x\x01y\x84"),
        {("reset", PROTOCOL), ("end", PROTOCOL)},
    ),
    "connection header": (
        lambda s: s.head(1, "GET", "/", ("connection", "close")),
        {("reset", PROTOCOL), ("end", PROTOCOL)},
    ),
    "body longer than its length": (
        lambda s: s.head(1, "POST", OPEN, ("content-length", "3"), end=False) + frame(DATA, END_STREAM, 1, b"12345"),
        {("reset", PROTOCOL), ("end", PROTOCOL), ("status", 200)},
    ),
    "body shorter than its length": (
        lambda s: s.head(1, "POST", OPEN, ("content-length", "9"), end=False) + frame(DATA, END_STREAM, 1, b"12345"),
        {("reset", PROTOCOL), ("end", PROTOCOL), ("status", 200)},
    ),
    "length that is no number": (
        lambda s: s.head(1, "POST", OPEN, ("content-length", "x"), end=False) + frame(DATA, END_STREAM, 1, b"12345"),
        {("reset", PROTOCOL), ("end", PROTOCOL), ("status", 200)},
    ),
    "more data than the window": (
        lambda s: opened(s) + frame(DATA, 0, 1, bytes(4 << 20)) * 20,
        {("end", FLOW_CONTROL), ("reset", FLOW_CONTROL)},
    ),
}


@pytest.mark.parametrize("name", LENIENT)
def test_the_call_or_the_session_ends(site: HostileSite, name: str) -> None:
    build, verdicts = LENIENT[name]
    session = site.raw_backup()
    session.try_send(build(session))
    assert session.verdict() in verdicts


def test_frames_of_unknown_kinds_are_passed_over(site: HostileSite) -> None:
    session = site.raw_backup()
    session.send(frame(0x42, 0xFF, 0, bytes(1000)), frame(0xFE, 0, 9), session.head(1, "GET", "/previous_backup_time"))
    assert session.status(1) == 200


@pytest.mark.parametrize(
    "preface", [b"", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", b"\x16\x03\x01" * 20]
)
def test_no_preface_no_session(site: HostileSite, preface: bytes) -> None:
    assert site.raw_backup(preface=preface).end() in (CLOSED, PROTOCOL)
