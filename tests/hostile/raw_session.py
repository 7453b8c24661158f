"""HTTP/2 frame by frame: what a well-behaved library would never send."""

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence

import hpack
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, RstStreamFrame, SettingsFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 32
INITIAL_WINDOW = 4
CLOSED = -1
"""In place of an error code: the connection ended without one."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"", *, length: int | None = None) -> bytes:
    """A frame as it is on the wire; `length` is what its head says, true or not."""
    said = len(payload) if length is None else length
    return said.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def number(value: int) -> bytes:
    """Four bytes, as window updates and error codes have them."""
    return value.to_bytes(4, "big")


class RawSession:
    """The client's end of an upgraded connection. `settings` are pairs of identifier and value."""

    def __init__(
        self,
        upgraded: socket.socket,
        *,
        early: bytes = b"",
        settings: Sequence[tuple[int, int]] = (),
        preface: bytes = PREFACE,
    ):
        self.socket = upgraded
        self._buffer = bytearray(early)
        self._encoder = hpack.Encoder()
        self._decoder = hpack.Decoder(max_header_list_size=1 << 20)
        values = b"".join(identifier.to_bytes(2, "big") + number(value) for identifier, value in settings)
        self.send(preface + frame(SETTINGS, 0, 0, values))

    def send(self, *data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(b"".join(data))

    def try_send(self, *data: bytes) -> bool:
        """The same to a server that may have had enough; whether it took everything."""
        with contextlib.suppress(OSError):
            self.send(*data)
            return True
        return False

    def block(self, method: str, target: str, *more: tuple[str, str]) -> bytes:
        """A header block."""
        head = [(":method", method), (":scheme", "https"), (":authority", "x"), (":path", target), *more]
        return bytes(self._encoder.encode(head))

    def head(self, stream: int, method: str, target: str, *more: tuple[str, str], end: bool = True) -> bytes:
        """The frame that opens a call."""
        return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, self.block(method, target, *more))

    def frames(self) -> Iterator[Frame]:
        """What comes, until the connection ends; settings and pings are not answered."""
        while True:
            while len(self._buffer) >= 9:
                length = int.from_bytes(self._buffer[:3], "big")
                if len(self._buffer) < 9 + length:
                    break
                with contextlib.suppress(HyperframeError):
                    head, _ = Frame.parse_frame_header(memoryview(bytes(self._buffer[:9])))
                    head.parse_body(memoryview(bytes(self._buffer[9 : 9 + length])))
                    yield head
                del self._buffer[: 9 + length]
            try:
                data = self.socket.recv(1 << 16)
            except (ConnectionError, ssl.SSLError):
                return
            if not data:
                return
            self._buffer += data

    def end(self) -> int:
        """The error code with which the server ends the connection."""
        code = CLOSED
        for received in self.frames():
            if isinstance(received, GoAwayFrame):
                code = received.error_code
        return code

    def verdict(self, stream: int = 1) -> tuple[str, int]:
        """What becomes of a stream first: `status`, `reset` or `end` of the connection, and the code of that."""
        for received in self.frames():
            if isinstance(received, GoAwayFrame):
                return "end", received.error_code
            if received.stream_id == stream and isinstance(received, RstStreamFrame):
                return "reset", received.error_code
            if isinstance(received, HeadersFrame):
                fields = {str(name): str(value) for name, value in self._decoder.decode(received.data)}
                if received.stream_id == stream:
                    return "status", int(fields[":status"])
        return "end", CLOSED

    def status(self, stream: int) -> int:
        """Status of a call that is answered."""
        kind, code = self.verdict(stream)
        assert kind == "status", (kind, code)
        return code

    def settings(self) -> dict[int, int]:
        """What the server announces first."""
        received = next(self.frames())
        assert isinstance(received, SettingsFrame)
        return dict(received.settings)

    def data_bytes(self, stream: int) -> int:
        """Bytes of the answer on a stream, up to its end or reset."""
        received_bytes = 0
        for received in self.frames():
            if received.stream_id != stream:
                continue
            if isinstance(received, DataFrame):
                received_bytes += len(received.data)
            if isinstance(received, RstStreamFrame) or "END_STREAM" in received.flags:
                break
        return received_bytes

    def close(self) -> None:
        """Drop the connection."""
        self.socket.close()
