"""Where a running backup is written: its directory, its locks, and the moment it becomes a snapshot."""

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from pbstore._core import check_blob_crc, open_blob, seal_blob
from pbstore.config.atomic_file import replace_file, sync_directory
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import FILE_MODE
from pbstore.datastore.locks import lock_manifest
from pbstore.datastore.removal import remove_unfinished_snapshot
from pbstore.datastore.snapshots import MANIFEST_NAME, UNFINISHED_NAME
from pbstore.errors import DatastoreError
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace

_UPLOADED_MANIFEST = f"{MANIFEST_NAME}.tmp_upload"
"""The manifest until `finish`: a snapshot counts as finished as soon as the real name is there."""
_MAX_BLOB_BYTES = (16 << 20) + 44


@dataclass(frozen=True)
class PreviousBackup:
    """The snapshot that this backup may build upon."""

    snapshot: Snapshot
    directory: Path


class BackupPlace:
    """The new snapshot; owns `guards`, the locks of group, snapshot, previous snapshot and store."""

    def __init__(
        self,
        datastore: Datastore,
        namespace: Namespace,
        snapshot: Snapshot,
        previous: PreviousBackup | None,
        guards: ExitStack,
    ):
        self.snapshot = snapshot
        self.previous = previous
        self.directory = datastore.snapshot_path(namespace, snapshot)
        self._datastore = datastore
        self._namespace = namespace
        self._guards = guards

    @property
    def relative_path(self) -> str:
        """The directory as the task log names it."""
        return str(self._namespace.directory / str(self.snapshot))

    def write_blob(self, file_name: str, blob: bytes) -> Path:
        """Store a blob whose checksum is right, and return the name it has or will have.

        Raises:
            FormatError: it is no blob.
            IntegrityError: its checksum is wrong.
        """
        check_blob_crc(blob)
        name = _UPLOADED_MANIFEST if file_name == MANIFEST_NAME else file_name
        self._write(name, blob, durable=self._datastore.config.tuning.sync_level == "file")
        return self.directory / file_name

    def uploaded_manifest(self) -> Manifest:
        """Return the manifest that the client uploaded.

        Raises:
            DatastoreError: it did not.
            FormatError: it is none.
        """
        try:
            with (self.directory / _UPLOADED_MANIFEST).open("rb") as file:
                return Manifest.parse(open_blob(file.read(_MAX_BLOB_BYTES + 1)))
        except FileNotFoundError:
            raise DatastoreError(f"backup has no manifest: '{MANIFEST_NAME}' was not uploaded") from None

    def publish(self, manifest: Manifest, upload_statistics: dict[str, int]) -> None:
        """Make the snapshot appear: everything it points at is durable before its manifest gets its name.

        Raises:
            OSError: the system refuses to write or sync.
        """
        manifest.unprotected["chunk_upload_stats"] = upload_statistics
        with lock_manifest(self._datastore, self._namespace, self.snapshot):
            (self.directory / _UPLOADED_MANIFEST).unlink()
            self._datastore.chunk_store.sync()
            level = self._datastore.config.tuning.sync_level
            if level == "file":
                self._sync_parents()
            self._write(MANIFEST_NAME, seal_blob(manifest.encode()), durable=level != "none")
            (self.directory / UNFINISHED_NAME).unlink(missing_ok=True)

    def keep_until_end(self, guard: AbstractContextManager[object]) -> None:
        """Hold one more thing until the locks are given back."""
        self._guards.enter_context(guard)

    def release(self) -> None:
        """Give all locks back."""
        self._guards.close()

    def discard(self) -> None:
        """Remove the snapshot, and the group if it is empty then, while the locks are held; then give them back.

        Raises:
            DatastoreError: something could not be removed; the locks are free all the same.
        """
        with self._guards:
            remove_unfinished_snapshot(self._datastore, self._namespace, self.snapshot)

    def _sync_parents(self) -> None:
        """Make the names of the directories durable that lead to the snapshot."""
        for directory in self.directory.parents:
            sync_directory(directory)
            if directory == self._datastore.path:
                return

    def _write(self, name: str, content: bytes, *, durable: bool) -> None:
        replace_file(self.directory / name, content, mode=FILE_MODE, owner=self._datastore.owner, durable=durable)
