"""A running server with a store, and the client's compiled core in front of it: sessions, snapshots, indexes."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from pbstore._core import Connection, CryptKey, Session, UploadStats, seal_blob
from pbstore.format.manifest import Manifest
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.crypt_mode import CryptMode
from running_server import RunningServer

TOKEN = "archiver@pbs!test"
BACKUP = "proxmox-backup-protocol-v1"
READER = "proxmox-backup-reader-protocol-v1"
FIRST_TIME = 1_700_000_000
MIB = 1 << 20
BLOCK = 4 * MIB


@dataclass
class ClientSite:
    """The server, its store `main`, and a token that may back up."""

    server: RunningServer
    store_path: Path
    secret: str
    times: Iterator[int] = field(default_factory=lambda: itertools.count(FIRST_TIME))

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What proves who we are."""
        return [("Authorization", f"PBSAPIToken={TOKEN}:{self.secret}")]

    def connection(self) -> Connection:
        """Connect to the server, whose certificate is known by its fingerprint."""
        return Connection("127.0.0.1", self.server.port, fingerprint=self.server.fingerprint)

    def backup(self, backup_id: str | None = None) -> tuple[Snapshot, Session]:
        """Begin a snapshot that is newer than all before, in a group of its own if none is named."""
        backup_time = next(self.times)
        group = BackupGroup(BackupType.HOST, backup_id or f"client-{backup_time}")
        snapshot = Snapshot(group, backup_time)
        return snapshot, self._open("backup", BACKUP, snapshot)

    def finish(
        self, snapshot: Snapshot, session: Session, archives: dict[str, UploadStats], *, encrypted: bool = False
    ) -> Session:
        """Write the manifest, finish, and open a reader session on the snapshot."""
        manifest = Manifest(snapshot)
        for name, stats in archives.items():
            manifest.add(name, CryptMode.ENCRYPT if encrypted else CryptMode.NONE, stats.size, stats.csum)
        blob = seal_blob(manifest.encode())
        query = f"file-name=index.json.blob&encoded-size={len(blob)}"
        session.request("POST", "blob", query, blob, "application/octet-stream")
        session.request("POST", "finish")
        session.close()
        return self._open("reader", READER, snapshot)

    def back_up_image(
        self, source: Path, backup_id: str | None = None, *, key: CryptKey | None = None
    ) -> tuple[Session, bytes, UploadStats]:
        """A whole backup of one image: reader session, index and what the upload did."""
        snapshot, session = self.backup(backup_id)
        stats = session.upload_image(source, "disk.img.fidx", key=key)
        reader = self.finish(snapshot, session, {"disk.img.fidx": stats}, encrypted=key is not None)
        return reader, reader.request("GET", "download", "file-name=disk.img.fidx"), stats

    def chunk_path(self, digest: bytes) -> Path:
        """Where the server keeps a chunk."""
        return self.store_path / ".chunks" / digest.hex()[:4] / digest.hex()

    def _open(self, kind: str, protocol: str, snapshot: Snapshot) -> Session:
        parameters = {
            "store": "main",
            "backup-type": snapshot.group.backup_type.value,
            "backup-id": snapshot.group.backup_id,
            "backup-time": snapshot.backup_time,
        }
        return self.connection().open_session(f"/api2/json/{kind}?{urlencode(parameters)}", protocol, self.headers)


def restore_image(
    reader: Session, index: bytes, target: Path, *, key: CryptKey | None = None, crypt_mode: str = "none"
) -> bytes:
    """Restore an image to a file and read that."""
    with target.open("wb+") as file:
        reader.restore_image(index, file.fileno(), key=key, crypt_mode=crypt_mode, archive_name="disk.img")
    return target.read_bytes()
