"""Files of snapshots: as they are stored, decoded, and the client's log that comes later (rest-api.md 5)."""

from contextlib import ExitStack
from pathlib import Path

from pbstore._core import FileBody, check_blob_crc
from pbstore.api.method import Call, RawReply, method
from pbstore.api.result import Content
from pbstore.config.atomic_file import create_file
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import FILE_MODE
from pbstore.datastore.locks import lock_snapshot
from pbstore.datastore.manifest_file import read_manifest
from pbstore.datastore.snapshots import require_snapshot
from pbstore.errors import DatastoreError, EncryptionKeyError
from pbstore.format.damaged_file import in_file
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.namespace import Namespace
from pbstore.server.content_right import BACKUP, READ
from pbstore.server.parameters import FILE_NAME, SNAPSHOT, STORE
from pbstore.server.registry import Registry

CLIENT_LOG_NAME = "client.log.blob"
MAX_LOG_BYTES = (16 << 20) + 44


@method(
    "GET",
    "/admin/datastore/{store}/download",
    permission=READ.permission,
    parameters=(STORE, *SNAPSHOT, FILE_NAME),
    result=Content(description="the file"),
)
def download(
    call: Call[Registry],
    *,
    store: str,
    ns: Namespace,
    backup_type: BackupType,
    backup_id: str,
    backup_time: int,
    file_name: str,
) -> RawReply:
    """A file of a snapshot as it is stored."""
    with ExitStack() as guards:
        datastore = guards.enter_context(call.state.datastores.using(store, Operation.READ))
        snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
        READ.check_group(call, datastore, ns, snapshot.group)
        path = datastore.snapshot_path(ns, snapshot) / file_name
        _require_file(path)
        return _reply(FileBody(path), guards)


@method(
    "GET",
    "/admin/datastore/{store}/download-decoded",
    permission=READ.permission,
    parameters=(STORE, *SNAPSHOT, FILE_NAME),
    result=Content(description="the content"),
)
def download_decoded(
    call: Call[Registry],
    *,
    store: str,
    ns: Namespace,
    backup_type: BackupType,
    backup_id: str,
    backup_time: int,
    file_name: str,
) -> RawReply:
    """The content of an archive or blob, decoded; encrypted ones are refused."""
    with ExitStack() as guards:
        datastore = guards.enter_context(call.state.datastores.using(store, Operation.READ))
        snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
        READ.check_group(call, datastore, ns, snapshot.group)
        try:
            return _reply(_decoded(datastore, ns, snapshot, file_name), guards)
        except EncryptionKeyError:
            raise DatastoreError(f"cannot decode '{file_name}' - is encrypted") from None


@method(
    "POST",
    "/admin/datastore/{store}/upload-backup-log",
    permission=BACKUP.permission,
    parameters=(STORE, *SNAPSHOT),
    raw_body=MAX_LOG_BYTES,
)
def upload_backup_log(
    call: Call[Registry], *, store: str, ns: Namespace, backup_type: BackupType, backup_id: str, backup_time: int
) -> None:
    """Add the client's log to a snapshot, once."""
    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    with call.state.datastores.using(store, Operation.WRITE) as datastore:
        BACKUP.check_group(call, datastore, ns, snapshot.group)
        directory = require_snapshot(datastore, ns, snapshot)
        check_blob_crc(call.body)
        with lock_snapshot(datastore, ns, snapshot, shared=True):
            if not create_file(directory / CLIENT_LOG_NAME, call.body, mode=FILE_MODE, owner=datastore.owner):
                raise DatastoreError("backup already contains a log.")


def _reply(body: FileBody, guards: ExitStack) -> RawReply:
    """The download counts as a read of the store until it is over."""
    body.hold(guards.pop_all())
    return RawReply(body)


def _decoded(datastore: Datastore, namespace: Namespace, snapshot: Snapshot, file_name: str) -> FileBody:
    manifest, _ = read_manifest(datastore, namespace, snapshot)
    entry = manifest.find(file_name)
    if entry is not None and entry.crypt_mode is CryptMode.ENCRYPT:
        raise DatastoreError(f"cannot decode '{file_name}' - is encrypted")
    path = datastore.snapshot_path(namespace, snapshot) / file_name
    _require_file(path)
    with in_file(file_name):
        if file_name.endswith(".blob"):
            return FileBody.decoded_blob(path, csum=None if entry is None else entry.csum)
        if entry is None:
            raise DatastoreError(f"manifest does not contain file '{file_name}'")
        return FileBody.decoded_index(datastore.chunk_store, path, csum=entry.csum, size=entry.size)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise DatastoreError("File open failed: No such file or directory (os error 2)")


METHODS = (download, download_decoded, upload_backup_log)
