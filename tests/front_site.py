"""A real front with a small application behind it: what the tests of front and sessions share."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from http1_client import Http1Client
from http2_client import WINDOW, Http2Client
from pbstore._core import BackupChunks, ChunkStore, FileBody, Front, ReaderChunks, Request, SessionGrant

Response = tuple[int, list[tuple[str, str]], bytes | FileBody]

BACKUP = "proxmox-backup-protocol-v1"
READER = "proxmox-backup-reader-protocol-v1"


@dataclass
class Recorder:
    """The control side of a session: answers from a script, and remembers everything."""

    script: Callable[[str, str, str, str | None, bytes], Response] | None = None
    calls: list[tuple[str, str, str, str | None, bytes]] = field(default_factory=list)
    failures: list[tuple[str, str, int, str]] = field(default_factory=list)
    reasons: list[str | None] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def handle(self, method: str, path: str, query: str, content_type: str | None, body: bytes) -> Response:
        """Answer by the script, or with `{"data":null}`."""
        self.calls.append((method, path, query, content_type, body))
        if self.script is None:
            return 200, [("content-type", "application/json;charset=UTF-8")], b'{"data":null}'
        return self.script(method, path, query, content_type, body)

    def failed(self, method: str, path: str, status: int, message: str) -> None:
        """Remember."""
        self.failures.append((method, path, status, message))

    def closed(self, reason: str | None) -> None:
        """Remember; a second call is for the test to find."""
        self.reasons.append(reason)
        self.ended.set()

    def wait(self) -> str | None:
        """Wait for the end and return its reason."""
        assert self.ended.wait(20), "the session was not told of its end"
        return self.reasons[0]


@dataclass
class TinyApplication:
    """Remembers requests; `respond` and `grant` say what to do with them."""

    respond: Callable[[Request], Response] = lambda request: (200, [], b"ok")
    grant: Callable[[Request], Response | SessionGrant] = lambda request: (401, [], b"no")
    requests: list[Request] = field(default_factory=list)

    def handle(self, request: Request) -> Response:
        """Answer an ordinary request."""
        self.requests.append(request)
        return self.respond(request)

    def authorize(self, request: Request) -> Response | SessionGrant:
        """Decide on a session."""
        self.requests.append(request)
        return self.grant(request)


@dataclass
class Site:
    """A front that is listening, its application, and a datastore."""

    front: Front
    application: TinyApplication
    address: tuple[str, int]
    store: ChunkStore
    store_directory: Path
    directory: Path
    clients: list[Http1Client] = field(default_factory=list)

    def client(self, *, tls: bool = True) -> Http1Client:
        """Connect; the connection is closed after the test at the latest."""
        self.clients.append(Http1Client(self.address, tls=tls))
        return self.clients[-1]

    def open_backup(self, session: Recorder, chunks: BackupChunks | None = None) -> Http2Client:
        """Open a backup session."""
        chunks = chunks or BackupChunks(self.store)
        return self._open("backup", BACKUP, session, chunks)

    def open_reader(self, session: Recorder, chunks: ReaderChunks, *, window: int = WINDOW) -> Http2Client:
        """Open a reader session."""
        return self._open("reader", READER, session, chunks, window=window)

    def _open(
        self, name: str, protocol: str, session: Recorder, chunks: BackupChunks | ReaderChunks, *, window: int = WINDOW
    ) -> Http2Client:
        self.application.grant = lambda request: SessionGrant(protocol, chunks, session)
        client = self.client()
        answer = client.request("GET", f"//api2/json/{name}?store=s", {"connection": "upgrade", "upgrade": protocol})
        assert (answer.status, answer.headers["upgrade"], answer.body) == (101, protocol, b"")
        return Http2Client(client.socket, early=client.rest(), window=window)
