"""How fast this machine and its way to the server can back up (cli-client.md 7, backup-protocol.md 3.5)."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pbstore import _core
from pbstore.client.report import Reporter
from pbstore.client.server import Server
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.namespace import Namespace

CHUNK_BYTES = 4 * 1024 * 1024
UPLOAD_SECONDS = 5.0
WORK_SECONDS = 1.0
UPLOADS_AT_ONCE = 8
_GROUP = BackupGroup(BackupType.HOST, "benchmark")


@dataclass(frozen=True)
class UploadSpeed:
    """What the connection takes, chunks that are sent over TLS and forgotten by the server."""

    chunk_count: int
    seconds: float

    @property
    def bytes_per_second(self) -> float:
        """The speed."""
        return self.chunk_count * CHUNK_BYTES / self.seconds


def measure_upload(
    server: Server, reporter: Reporter, *, no_cache: bool = False, seconds: float = UPLOAD_SECONDS
) -> UploadSpeed:
    """Send chunks for a while; nothing of them stays on the server.

    Raises:
        ServerError: the user may not back up there.
        ConnectionFailedError: the connection broke.
    """
    snapshot = Snapshot(_GROUP, int(time.time()))
    session = server.open_backup(Namespace(), snapshot, no_cache=no_cache, is_benchmark=True)
    try:
        reporter.opened(session)
        return _Uploads(session, seconds).run()
    finally:
        session.close()


class _Uploads:
    """Several requests are on their way at any time, as in a backup."""

    def __init__(self, session: _core.Session, seconds: float):
        self.session = session
        self.seconds = seconds
        self.chunk = os.urandom(CHUNK_BYTES)
        self.counts = [0] * UPLOADS_AT_ONCE
        self.errors: list[Exception] = []

    def run(self) -> UploadSpeed:
        started = time.monotonic()
        threads = [threading.Thread(target=self.send, args=(number, started)) for number in range(UPLOADS_AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.errors:
            raise self.errors[0]
        return UploadSpeed(sum(self.counts), time.monotonic() - started)

    def send(self, number: int, started: float) -> None:
        try:
            while time.monotonic() - started < self.seconds and not self.errors:
                self.session.request("POST", "speedtest", "", self.chunk, "application/octet-stream")
                self.counts[number] += 1
        except Exception as error:
            self.errors.append(error)


def measure_work(key: _core.CryptKey | None, *, seconds: float = WORK_SECONDS) -> dict[str, float]:
    """Bytes per second of each step of a backup, on one thread.

    The names are `sha256`, `compress`, `decompress`, `aes256_gcm` and `verify`; without a key, one is made up.
    """
    used = _core.CryptKey(os.urandom(32)) if key is None else key
    # Half of it can be compressed away, as of much that is backed up.
    data = b"".join(os.urandom(64) + bytes(64) for _ in range(CHUNK_BYTES // 128))
    plain, compressed = _core.seal_blob(data, compress=False), _core.seal_blob(data)

    def verify() -> object:
        return _core.chunk_digest(_core.open_blob(plain))

    steps: dict[str, Callable[[], object]] = {
        "sha256": lambda: _core.chunk_digest(data),
        "compress": lambda: _core.seal_blob(data),
        "decompress": lambda: _core.open_blob(compressed),
        "aes256_gcm": lambda: _core.seal_blob(data, key=used, compress=False),
        "verify": verify,
    }
    return {name: _speed_of(step, len(data), seconds) for name, step in steps.items()}


def _speed_of(step: Callable[[], object], size_bytes: int, seconds: float) -> float:
    started, count = time.monotonic(), 0
    while (elapsed := time.monotonic() - started) < seconds or not count:
        step()
        count += 1
    return count * size_bytes / max(elapsed, 1e-9)
