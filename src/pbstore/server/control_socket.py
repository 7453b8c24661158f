"""The Unix socket by which the manager program talks to the running server, as root@pam (docs/design/process.md).

The kernel says who connects: root, or the user that the server runs as. Nobody else gets an answer.
"""

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from urllib.parse import urlsplit

from pbstore._core import Request
from pbstore.api.envelopes import Response, plain_error
from pbstore.api.request_parameters import MAX_BODY_BYTES
from pbstore.model.auth_id import AuthId
from pbstore.server.application import Application

LOCAL_CALLER = AuthId.parse("root@pam")
IDLE_SECONDS = 60.0
_PEER_CREDENTIALS = "3i"
"""`struct ucred`: pid, uid, gid."""
_POLL_SECONDS = 0.1


@contextmanager
def control_socket(application: Application, path: Path) -> Iterator[None]:
    """Answer on `path` within a `with` block; a socket that a dead server left there is replaced.

    Raises:
        OSError: the socket cannot be made.
    """
    server = _Server(application)
    try:
        server.listen(path)
        thread = threading.Thread(
            target=server.serve_forever, args=(_POLL_SECONDS,), name="control socket", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            path.unlink(missing_ok=True)
    finally:
        server.server_close()


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, application: Application):
        super().__init__("", _Handler, bind_and_activate=False)
        self.application = application

    def listen(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # By the descriptor, since the address of a socket holds a hundred bytes only.
            self.socket.bind(f"/proc/self/fd/{directory}/{path.name}")
        finally:
            os.close(directory)
        path.chmod(0o600)
        self.server_activate()

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether the peer may come in."""
        assert isinstance(request, socket.socket)  # noqa: S101 - what a stream server hands over
        size = struct.calcsize(_PEER_CREDENTIALS)
        _, uid, _ = struct.unpack(_PEER_CREDENTIALS, request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        return uid in (0, os.geteuid())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: the application has a log of its own."""

    def _answer(self) -> None:
        status, headers, body = self._response()
        content = body if isinstance(body, bytes) else b"ask for files over HTTPS"
        self.send_response(status if content is body else HTTPStatus.NOT_IMPLEMENTED)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _response(self) -> Response:
        length = self.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            return plain_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request body is too large")
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parts.query,
            headers=[(name.lower(), value) for name, value in self.headers.items()],
            body=self.rfile.read(int(length)),
            peer="local:0",
        )
        return self.server.application.handle_for(LOCAL_CALLER, request)

    do_GET = do_PUT = do_POST = do_DELETE = _answer
