"""Messages of the helper: whole, bounded, and silent about what is in them."""

import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbstore.errors import ProtocolError
from pbstore.privileged.message import (
    MAX_CONTENT_BYTES,
    MAX_HEAD_BYTES,
    Message,
    receive_message,
    send_message,
)

TEXTS = st.dictionaries(st.text(max_size=10), st.text(max_size=50), max_size=5)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@given(TEXTS, st.binary(max_size=1000))
def test_round_trip(texts: dict[str, str], content: bytes) -> None:
    one, other = socket.socketpair()
    with one, other:
        send_message(one, Message(texts, content))
        received = receive_message(other)
        assert (received.texts, received.content) == (texts, content)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\0\0",
        struct.pack(">II", MAX_HEAD_BYTES + 1, 0) + b"{}",
        struct.pack(">II", 2, MAX_CONTENT_BYTES + 1) + b"{}",
        struct.pack(">II", 9, 0) + b"{}",
        struct.pack(">II", 2, 5) + b"{}abc",
        struct.pack(">II", 2, 0) + b"[]",
        struct.pack(">II", 7, 0) + b'{"a":1}',
        struct.pack(">II", 4, 0) + b"\xff{}x",
        struct.pack(">II", 10000, 0) + b"[" * 10000,
        struct.pack(">II", 1100 + 8, 0) + b'{"a": "' + b"x" * 1099 + b'"}',
    ],
)
def test_what_is_no_message(pair: tuple[socket.socket, socket.socket], sent: bytes) -> None:
    one, other = pair
    one.sendall(sent)
    one.shutdown(socket.SHUT_WR)
    with pytest.raises(ProtocolError):
        receive_message(other)


@given(st.binary(max_size=100))
def test_any_bytes(sent: bytes) -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(sent)
        one.shutdown(socket.SHUT_WR)
        with pytest.raises(ProtocolError):
            receive_message(other)


def test_a_message_does_not_show_what_is_in_it() -> None:
    message = Message({"password": "geheim"}, b"inhalt")
    assert "geheim" not in repr(message)
    assert "inhalt" not in repr(message)


def test_too_much_is_not_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(ProtocolError, match="too large"):
        send_message(pair[0], Message({"a": "x" * MAX_HEAD_BYTES}))
