"""A small HTTPS server that answers what the original answers when a client starts a task and follows its log."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

UPID = "UPID:pbs42:00000051:000A0FB4:00000060:6B03CC20:garbage_collection:fix42:root@pam:"
TICKET = "PBS:test@pbs:6B03CC20::c2lnbmF0dXJl"


class TaskStandIn:
    """One task with a log that grows by a line a look; it ends by itself, or never until it is asked to stop."""

    def __init__(self, lines: list[str], exit_status: str = "OK", *, runs_until_stopped: bool = False):
        self.lines = lines
        self.exit_status = exit_status
        self.is_stopped = threading.Event()
        self.is_watched = threading.Event()
        self.calls: list[tuple[str, str]] = []
        self._runs_until_stopped = runs_until_stopped
        self._shown = 0

    def answer(self, method: str, target: str) -> object:
        """The `data` of an answer, or a whole one if it has members besides."""
        parts = urlsplit(target)
        path = unquote(parts.path).removeprefix("/api2/json/")
        self.calls.append((method, path))
        if path == "ping":
            return {"data": {"pong": True}}
        if path == "access/ticket":
            return {"data": {"username": "test@pbs", "ticket": TICKET, "CSRFPreventionToken": "6B03CC20:token"}}
        if (method, path) == ("POST", "admin/datastore/fix42/gc"):
            return {"data": UPID}
        if (method, path) == ("DELETE", f"nodes/localhost/tasks/{UPID}"):
            self.is_stopped.set()
            self.exit_status = "task aborted"
            return {"data": None}
        if path == f"nodes/localhost/tasks/{UPID}/status":
            return {"data": {"upid": UPID, "status": "stopped", "exitstatus": self.exit_status}}
        assert path == f"nodes/localhost/tasks/{UPID}/log", path
        return self._log(int(parse_qs(parts.query)["start"][0]))

    def _log(self, start: int) -> object:
        self._shown = min(self._shown + 1, len(self.lines))
        has_more = self._shown < len(self.lines)
        if self._shown >= 1:
            self.is_watched.set()
        shown = self.lines[: self._shown]
        data = [{"n": number, "t": line} for number, line in enumerate(shown, 1) if number >= start]
        runs = has_more or (self._runs_until_stopped and not self.is_stopped.is_set())
        return {"data": data, "total": len(shown), "active": runs}


@contextmanager
def serving(task: TaskStandIn, certificate: Path, key: Path) -> Iterator[int]:
    """Serve it on a port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            body = json.dumps(task.answer(self.command, self.path)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json;charset=UTF-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
