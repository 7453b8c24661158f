"""What the server and its helper say to each other: a few short texts and perhaps a file, complete and bounded.

Four bytes length of the texts as JSON, four bytes length of the file, the texts, the file.
"""

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from pbstore.errors import ProtocolError

MAX_TEXT_LENGTH = 1024
MAX_HEAD_BYTES = 32 << 10
MAX_CONTENT_BYTES = 16 << 20
_LENGTHS = struct.Struct(">II")


@dataclass(frozen=True)
class Message:
    """One request or one answer. Its texts may hold a password, so it is never shown or logged."""

    texts: Mapping[str, str]
    content: bytes = b""

    def __repr__(self) -> str:
        return f"Message({sorted(self.texts)}, {len(self.content)} bytes)"


def send_message(peer: socket.socket, message: Message) -> None:
    """Send a whole message.

    Raises:
        ProtocolError: it is larger than the other side takes.
        OSError: the other side has gone.
    """
    head = json.dumps(dict(message.texts)).encode()
    if len(head) > MAX_HEAD_BYTES or len(message.content) > MAX_CONTENT_BYTES:
        raise ProtocolError("a message for the helper is too large")
    peer.sendall(_LENGTHS.pack(len(head), len(message.content)) + head + message.content)


def receive_message(peer: socket.socket) -> Message:
    """Receive a whole message.

    Raises:
        ProtocolError: it is too large, cut off, or no message.
        OSError: nothing came in time.
    """
    head_length, content_length = _LENGTHS.unpack(_receive(peer, _LENGTHS.size))
    if head_length > MAX_HEAD_BYTES or content_length > MAX_CONTENT_BYTES:
        raise ProtocolError("a message of the helper's is too large")
    texts = _parse(_receive(peer, head_length))
    return Message(texts, _receive(peer, content_length))


def _parse(head: bytes) -> dict[str, str]:
    try:
        texts = json.loads(head)
    except (ValueError, RecursionError):
        texts = None
    if not isinstance(texts, dict) or not all(
        isinstance(text, str) and len(text) <= MAX_TEXT_LENGTH for text in texts.values()
    ):
        # Without the reason: it could show a part of a password.
        raise ProtocolError("a message of the helper's is malformed") from None
    return texts


def _receive(peer: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        part = peer.recv(min(length - len(received), 1 << 20))
        if not part:
            raise ProtocolError("a message of the helper's is cut off")
        received += part
    return bytes(received)
