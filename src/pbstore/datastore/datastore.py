"""An open datastore: its directory, chunks and locks (datastore-layout.md 1)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pbstore._core import ChunkStore
from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.process_lock import ProcessLock
from pbstore.errors import DatastoreError
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace

_REASONS = {
    "delete": "datastore is being deleted",
    "unmount": "datastore is being unmounted",
    "s3-refresh": "S3 refresh maintenance mode: {message}",
}
"""The original's words; for the other modes colon and blank come without a message too (version-4.md 16)."""


@dataclass(frozen=True, eq=False)
class Datastore:
    """One store, open in this process and in no other.

    `locks_dir` is that of all stores. `owner` (uid, gid) is what new files get: that of the root directory when running
    as root, so that the directory can be handed to another server; else None.
    """

    config: DatastoreConfig
    path: Path
    locks_dir: Path
    owner: tuple[int, int] | None
    process_lock: ProcessLock
    chunk_store: ChunkStore

    @classmethod
    def open(cls, config: DatastoreConfig, locks_dir: Path) -> Self:
        """Open the store for use by this process.

        Raises:
            LockedError: another process uses it.
            DatastoreError: it is not there, or of a kind that this version cannot serve.
        """
        if not config.is_local_directory:
            raise DatastoreError(f"datastore '{config.name}': only local directories are supported by this version")
        path = config.path
        if not path.is_absolute() or not path.is_dir():
            raise DatastoreError(f"datastore '{config.name}': {path} is no directory")
        status = path.stat()
        owner = (status.st_uid, status.st_gid) if os.geteuid() == 0 else None
        process_lock = ProcessLock.acquire(path)
        try:
            chunk_store = ChunkStore(path, sync_level=config.tuning.sync_level)
        except BaseException:
            process_lock.release()
            raise
        return cls(config, path, locks_dir, owner, process_lock, chunk_store)

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self.config.name

    def close(self) -> None:
        """Let other processes have the store; nothing of it may be in use."""
        self.process_lock.release()

    def namespace_path(self, namespace: Namespace) -> Path:
        """Directory of a namespace."""
        return self.path / namespace.directory

    def group_path(self, namespace: Namespace, group: BackupGroup) -> Path:
        """Directory of a group."""
        return self.namespace_path(namespace) / group.backup_type.value / group.backup_id

    def snapshot_path(self, namespace: Namespace, snapshot: Snapshot) -> Path:
        """Directory of a snapshot."""
        return self.group_path(namespace, snapshot.group) / snapshot.time_text


def check_maintenance(config: DatastoreConfig, operation: Operation) -> None:
    """Return if the store's maintenance mode allows to start an operation.

    Raises:
        DatastoreError: it does not.
    """
    mode = config.maintenance_mode
    if mode is not None and mode.refuses(operation):
        reason = _REASONS.get(mode.mode, f"{mode.mode} maintenance mode: {{message}}")
        raise DatastoreError(f"datastore '{config.name}' is unavailable: {reason.format(message=mode.message)}")
