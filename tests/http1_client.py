"""A plain TLS client that sends exactly the bytes a test wants, and reads HTTP/1.1 answers."""

import socket
import ssl
from dataclasses import dataclass, field
from types import TracebackType


@dataclass
class Answer:
    """An HTTP/1.1 answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def unverified_context() -> ssl.SSLContext:
    """Return a context that takes any certificate, as tests have self-made ones."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass
class Http1Client:
    """One connection; `tls=False` speaks plain text, `source` is the local address it comes from."""

    address: tuple[str, int]
    tls: bool = True
    source: str = ""
    _buffer: bytearray = field(default_factory=bytearray, init=False)

    def __post_init__(self) -> None:
        """Connect."""
        raw = socket.create_connection(self.address, timeout=20, source_address=(self.source, 0))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket: socket.socket = unverified_context().wrap_socket(raw) if self.tls else raw

    def __enter__(self) -> "Http1Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def request(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send a request and read the answer."""
        lines = [f"{method} {target} HTTP/1.1", "host: localhost", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.send("\r\n".join([*lines, "", ""]).encode() + body)
        return self.answer(has_body=method != "HEAD")

    def answer(self, *, has_body: bool = True) -> Answer:
        """Read one answer; EOFError when the connection ends before it is complete."""
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(status_line.split()[1])
        length = int(headers.get("content-length", "0")) if has_body and status >= 200 else 0
        while len(self._buffer) < length:
            self._fill()
        body, self._buffer = bytes(self._buffer[:length]), self._buffer[length:]
        return Answer(status, headers, body)

    def rest(self) -> bytes:
        """Take what was read beyond the last answer."""
        data, self._buffer = bytes(self._buffer), bytearray()
        return data

    def _fill(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError("connection ended")
        self._buffer += data
