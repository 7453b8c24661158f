"""The client's end of a session's HTTP/2 connection, by the package `h2`."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings

WINDOW = 2**31 - 2


@dataclass
class StreamAnswer:
    """What came back on one stream so far; `reset` is the error code when the server broke it off."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    reset: int | None = None


class Http2Client:
    """Calls on an upgraded socket. `window` is what the server may send ahead, for each stream and in all."""

    def __init__(self, upgraded: socket.socket, *, early: bytes = b"", window: int = WINDOW):
        self.socket = upgraded
        self.answers: dict[int, StreamAnswer] = {}
        self.terminated = False
        self._connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        settings = {
            h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window,
            h2.settings.SettingCodes.MAX_FRAME_SIZE: 4 << 20,
        }
        self._connection.local_settings = h2.settings.Settings(client=True, initial_values=settings)
        self._connection.max_inbound_frame_size = 4 << 20
        self._connection.initiate_connection()
        if window > 65535:
            self._connection.increment_flow_control_window(window - 65535)
        self._flush()
        self._take(early)

    @property
    def remote_settings(self) -> Any:
        """What the server announced."""
        return self._connection.remote_settings

    @property
    def connection_window(self) -> int:
        """Bytes that the server takes in all, as far as is known."""
        return int(self._connection.outbound_flow_control_window)

    def start(self, method: str, target: str, *, content_type: str | None = None, end: bool = False) -> int:
        """Send the head of a call and return its stream."""
        stream = self._connection.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":authority", "localhost:8007"), (":path", target)]
        if content_type is not None:
            head.append(("content-type", content_type))
        self.answers[stream] = StreamAnswer()
        self._connection.send_headers(stream, head, end_stream=end)
        self._flush()
        return stream

    def send(self, stream: int, data: bytes, *, end: bool) -> None:
        """Send a body as far as windows allow, waiting for them."""
        view = memoryview(data)
        while view:
            room = min(
                self._connection.local_flow_control_window(stream), self._connection.max_outbound_frame_size, len(view)
            )
            if room == 0:
                self.receive()
                continue
            self._connection.send_data(stream, bytes(view[:room]))
            view = view[room:]
            self._flush()
        if end:
            self._connection.end_stream(stream)
            self._flush()

    def call(
        self, method: str, target: str, body: bytes | None = None, *, content_type: str | None = None
    ) -> StreamAnswer:
        """Make a call and wait for its answer."""
        stream = self.start(method, target, content_type=content_type, end=body is None)
        if body is not None:
            self.send(stream, body, end=True)
        return self.wait(stream)

    def reset(self, stream: int) -> None:
        """Take a call back."""
        self._connection.reset_stream(stream)
        self._flush()

    def wait(self, stream: int) -> StreamAnswer:
        """Read until a stream has ended."""
        answer = self.answers[stream]
        while not answer.ended:
            self.receive()
        return answer

    def receive(self) -> None:
        """Read once; EOFError at the end of the connection."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError("connection ended")
        self._take(data)

    def close(self) -> None:
        """Drop the connection like a client that is done."""
        self.socket.close()

    def _take(self, data: bytes) -> None:
        for event in self._events(data):
            stream = getattr(event, "stream_id", None)
            answer = self.answers.get(stream) if stream else None
            if isinstance(event, h2.events.ConnectionTerminated):
                self.terminated = True
            elif answer is None:
                continue
            elif isinstance(event, h2.events.ResponseReceived):
                answer.headers = {str(name): str(value) for name, value in event.headers or []}
                answer.status = int(answer.headers[":status"])
            elif isinstance(event, h2.events.DataReceived):
                answer.body += event.data or b""
                if event.flow_controlled_length:
                    self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id or 0)
            elif isinstance(event, h2.events.StreamEnded):
                answer.ended = True
            elif isinstance(event, h2.events.StreamReset):
                answer.ended, answer.reset = True, int(event.error_code or 0)
        self._flush()

    def _events(self, data: bytes) -> Iterator[h2.events.Event]:
        if data:
            yield from self._connection.receive_data(data)

    def _flush(self) -> None:
        data = self._connection.data_to_send()
        if data:
            self.socket.sendall(data)
