"""A real server, an account that misuses it, and a bystander whose session must not notice anything."""

import itertools
import os
import shutil
import time
from calendar import timegm
from collections.abc import Callable
from pathlib import Path

from hostile.raw_session import RawSession
from http1_client import Http1Client
from http2_client import WINDOW, Http2Client
from pbstore.config.roots import Roots
from running_server import RunningServer, token_header

BACKUP = "proxmox-backup-protocol-v1"
READER = "proxmox-backup-reader-protocol-v1"
TOKEN = "mallory@pbs!robot"
MAX_RESIDENT_BYTES = 300 << 20


class HostileSite:
    """The server with the store `main`; `limits` are its PBSTORE_LIMITS."""

    def __init__(self, work: Path, store: Path, certificate: Roots, *, limits: str = ""):
        self.store = store
        self.server = RunningServer(work / "server", environment={"PBSTORE_LIMITS": limits})
        for path in (certificate.certificate, certificate.certificate_key):
            shutil.copy2(path, self.server.roots.config_dir / path.name)
        self.server.add_datastore("main", store)
        self.server.create_user("mallory@pbs", "Mallory12345")
        self.headers = token_header(TOKEN, self.server.create_token(TOKEN))
        for who in ("mallory@pbs", TOKEN):
            self.server.grant("/datastore/main", who, "DatastoreAdmin")
        self.server.start()
        self._names = itertools.count()
        self._clients: list[Http1Client] = []
        self._warm_up()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.server.port

    # Ways in

    def client(self, *, tls: bool = True, source: str = "") -> Http1Client:
        """Connect; closed after the test at the latest."""
        self._clients.append(Http1Client(self.address, tls=tls, source=source))
        return self._clients[-1]

    def backup(self, name: str = "") -> Http2Client:
        """Open a backup session."""
        client, early = self._upgraded("backup", BACKUP, name)
        return Http2Client(client.socket, early=early)

    def reader(self, name: str, *, window: int = WINDOW) -> Http2Client:
        """Open a reader session on the backup of that name."""
        client, early = self._upgraded("reader", READER, name)
        return Http2Client(client.socket, early=early, window=window)

    def raw_backup(self, **options: object) -> RawSession:
        """Open a backup session in which every frame is the test's own."""
        client, early = self._upgraded("backup", BACKUP, "")
        return RawSession(client.socket, early=early, **options)  # type: ignore[arg-type]

    def raw_reader(self, name: str, **options: object) -> RawSession:
        """The same for a reader session."""
        client, early = self._upgraded("reader", READER, name)
        return RawSession(client.socket, early=early, **options)  # type: ignore[arg-type]

    def unused_name(self) -> str:
        """Name of a group that nobody has."""
        return f"{os.urandom(4).hex()}-{next(self._names)}"

    def _upgraded(self, kind: str, protocol: str, name: str) -> tuple[Http1Client, bytes]:
        name = name or self.unused_name()
        stamp = self.snapshot_times(name)[-1] if kind == "reader" else int(time.time())
        target = f"/api2/json/{kind}?store=main&backup-type=host&backup-id={name}&backup-time={stamp}"
        client = self.client()
        answer = client.request("GET", target, {**self.headers, "connection": "upgrade", "upgrade": protocol})
        assert answer.status == 101, answer
        return client, client.rest()

    def _warm_up(self) -> None:
        """Make it open what it keeps open from the first use on."""
        session = self.backup()
        session.call("GET", "/nothing")
        self.close()
        wait_until(lambda: not self.unfinished(), "the first session does not end")

    # What is there

    def snapshot_times(self, name: str) -> list[int]:
        """Epochs of the snapshots of a group, as its directories have them."""
        group = self.store / "host" / name
        stamps = sorted(path.name for path in group.iterdir() if path.is_dir())
        return [timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ")) for stamp in stamps]

    def unfinished(self) -> list[Path]:
        """Snapshot directories without a manifest, and temporary files anywhere beside the chunks."""
        found = []
        for directory, _, files in os.walk(self.store / "host"):
            path = Path(directory)
            if len(path.relative_to(self.store).parts) == 3 and "index.json.blob" not in files:
                found.append(path)
            found += [path / name for name in files if ".tmp" in name]
        return found

    def status(self, field: str) -> int:
        """A number of the server's /proc/PID/status; sizes in bytes."""
        text = Path(f"/proc/{self.server.pid}/status").read_text()
        words = next(line.split() for line in text.splitlines() if line.startswith(f"{field}:"))
        return int(words[1]) * (1024 if words[-1] == "kB" else 1)

    def descriptors(self) -> int:
        """Open files of the server."""
        return len(list(Path(f"/proc/{self.server.pid}/fd").iterdir()))

    def close(self) -> None:
        """Drop all connections that tests left open."""
        while self._clients:
            self._clients.pop().socket.close()


def wait_until(condition: Callable[[], object], what: str, seconds: float = 20) -> None:
    """Wait for something that comes soon."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
