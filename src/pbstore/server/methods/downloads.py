"""Files of snapshots: as they are stored, decoded, and the client's log that comes later (rest-api.md 5)."""

from typing import Unpack

from pbstore._core import check_blob_crc
from pbstore.api.method import Call, RawReply, method
from pbstore.api.result import Content
from pbstore.config.atomic_file import create_file
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.groups import FILE_MODE
from pbstore.datastore.locks import lock_snapshot
from pbstore.datastore.snapshots import require_snapshot
from pbstore.errors import DatastoreError
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.namespace import Namespace
from pbstore.server.content_right import BACKUP, READ
from pbstore.server.parameters import FILE_NAME, SNAPSHOT, STORE
from pbstore.server.registry import Registry
from pbstore.server.snapshot_reading import SnapshotPlace, reading

CLIENT_LOG_NAME = "client.log.blob"
MAX_LOG_BYTES = (16 << 20) + 44


@method(
    "GET",
    "/admin/datastore/{store}/download",
    permission=READ.permission,
    parameters=(STORE, *SNAPSHOT, FILE_NAME),
    result=Content(description="the file"),
)
def download(call: Call[Registry], *, file_name: str, **place: Unpack[SnapshotPlace]) -> RawReply:
    """A file of a snapshot as it is stored."""
    with reading(call, **place) as snapshot:
        return snapshot.reply(snapshot.files.stored(file_name))


@method(
    "GET",
    "/admin/datastore/{store}/download-decoded",
    permission=READ.permission,
    parameters=(STORE, *SNAPSHOT, FILE_NAME),
    result=Content(description="the content"),
)
def download_decoded(call: Call[Registry], *, file_name: str, **place: Unpack[SnapshotPlace]) -> RawReply:
    """The content of an archive or blob, decoded; encrypted ones are refused."""
    with reading(call, **place) as snapshot:
        return snapshot.reply(snapshot.files.decoded(file_name))


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


METHODS = (download, download_decoded, upload_backup_log)
