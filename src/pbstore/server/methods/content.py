"""Groups, snapshots and files of a datastore (rest-api.md 5)."""

from collections.abc import Iterator

from pbstore._core import FileBody, check_blob_crc
from pbstore.api.method import Call, RawReply, method
from pbstore.api.permission import known_caller
from pbstore.config.atomic_file import create_file
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import FILE_MODE, list_groups, read_notes, read_owner
from pbstore.datastore.locks import lock_snapshot
from pbstore.datastore.snapshot_info import SnapshotFile, describe_snapshot
from pbstore.datastore.snapshots import is_finished, list_snapshots, require_snapshot
from pbstore.errors import DatastoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.namespace import Namespace
from pbstore.server.content_right import BACKUP, LIST, LIST_FILES, READ
from pbstore.server.parameters import FILE_NAME, NS, ONLY_BACKUP_ID, ONLY_BACKUP_TYPE, SNAPSHOT, STORE
from pbstore.server.registry import Registry

CLIENT_LOG_NAME = "client.log.blob"
MAX_LOG_BYTES = (16 << 20) + 44


@method("GET", "/admin/datastore/{store}/groups", permission=LIST.permission, parameters=(STORE, NS))
def groups(call: Call[Registry], *, store: str, ns: Namespace) -> list[dict[str, object]]:
    """List the groups of a namespace."""
    datastore = call.state.datastores.get(store, Operation.READ)
    return [
        _group_item(datastore, ns, group, owner)
        for group, owner in _visible_groups(call, datastore, ns, list_groups(datastore, ns))
    ]


@method(
    "GET",
    "/admin/datastore/{store}/snapshots",
    permission=LIST.permission,
    parameters=(STORE, NS, ONLY_BACKUP_TYPE, ONLY_BACKUP_ID),
)
def snapshots(
    call: Call[Registry], *, store: str, ns: Namespace, backup_type: BackupType | None, backup_id: str | None
) -> list[dict[str, object]]:
    """List the snapshots of a namespace, of all groups or of some."""
    datastore = call.state.datastores.get(store, Operation.READ)
    if backup_type is not None and backup_id is not None:
        wanted = iter([BackupGroup(backup_type, backup_id)])
        list_snapshots(datastore, ns, BackupGroup(backup_type, backup_id))
    else:
        wanted = (
            group
            for group in list_groups(datastore, ns)
            if backup_type in (None, group.backup_type) and backup_id in (None, group.backup_id)
        )
    items = []
    for group, owner in _visible_groups(call, datastore, ns, wanted):
        items += _snapshot_items(datastore, ns, group, owner)
    return items


@method("GET", "/admin/datastore/{store}/files", permission=LIST_FILES.permission, parameters=(STORE, *SNAPSHOT))
def files(
    call: Call[Registry], *, store: str, ns: Namespace, backup_type: BackupType, backup_id: str, backup_time: int
) -> list[dict[str, object]]:
    """List the files of a snapshot."""
    datastore = call.state.datastores.get(store, Operation.READ)
    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    LIST_FILES.check_group(call, datastore, ns, snapshot.group)
    return [_file_item(file) for file in describe_snapshot(datastore, ns, snapshot).files]


@method(
    "GET",
    "/admin/datastore/{store}/download",
    permission=READ.permission,
    parameters=(STORE, *SNAPSHOT, FILE_NAME),
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
    datastore = call.state.datastores.get(store, Operation.READ)
    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    READ.check_group(call, datastore, ns, snapshot.group)
    path = require_snapshot(datastore, ns, snapshot) / file_name
    try:
        return RawReply(FileBody(path))
    except FileNotFoundError:
        raise DatastoreError(f"snapshot '{snapshot}' has no file '{file_name}'") from None


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
    datastore = call.state.datastores.get(store, Operation.WRITE)
    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    BACKUP.check_group(call, datastore, ns, snapshot.group)
    directory = require_snapshot(datastore, ns, snapshot)
    check_blob_crc(call.body)
    with lock_snapshot(datastore, ns, snapshot, shared=True):
        if not create_file(directory / CLIENT_LOG_NAME, call.body, mode=FILE_MODE, owner=datastore.owner):
            raise DatastoreError("backup already contains a log.")


def _visible_groups(
    call: Call[Registry], datastore: Datastore, namespace: Namespace, wanted: Iterator[BackupGroup]
) -> list[tuple[BackupGroup, AuthId | None]]:
    """Return the groups that the caller may list, sorted, each with its owner if that can be read."""
    is_full = LIST.is_full(call, datastore.name, namespace)
    caller = known_caller(call.caller)
    visible: list[tuple[BackupGroup, AuthId | None]] = []
    for group in sorted(wanted):
        try:
            owner = read_owner(datastore, namespace, group)
        except DatastoreError:
            owner = None
        if is_full or (owner is not None and caller.owns(owner)):
            visible.append((group, owner))
    return visible


def _group_item(
    datastore: Datastore, namespace: Namespace, group: BackupGroup, owner: AuthId | None
) -> dict[str, object]:
    finished = [
        snapshot
        for snapshot in list_snapshots(datastore, namespace, group)
        if is_finished(datastore, namespace, snapshot)
    ]
    newest = describe_snapshot(datastore, namespace, finished[0]) if finished else None
    comment = read_notes(datastore, namespace, group).partition("\n")[0]
    return {
        "backup-type": group.backup_type.value,
        "backup-id": group.backup_id,
        "last-backup": finished[0].backup_time if finished else 0,
        "backup-count": len(finished),
        "files": [file.filename for file in newest.files] if newest else [],
        **({"owner": str(owner)} if owner is not None else {}),
        **({"comment": comment} if comment else {}),
    }


def _snapshot_items(
    datastore: Datastore, namespace: Namespace, group: BackupGroup, owner: AuthId | None
) -> list[dict[str, object]]:
    items = []
    for snapshot in list_snapshots(datastore, namespace, group):
        try:
            info = describe_snapshot(datastore, namespace, snapshot)
        except DatastoreError:  # removed while we look
            continue
        item: dict[str, object] = {
            "backup-type": group.backup_type.value,
            "backup-id": group.backup_id,
            "backup-time": snapshot.backup_time,
            "comment": info.comment,
            "verification": info.verification,
            "fingerprint": str(info.fingerprint) if info.fingerprint is not None else None,
            "files": [_file_item(file) for file in info.files],
            "size": info.size,
            "owner": str(owner) if owner is not None else None,
            "protected": info.is_protected,
        }
        items.append({key: value for key, value in item.items() if value is not None})
    return items


def _file_item(file: SnapshotFile) -> dict[str, object]:
    item: dict[str, object] = {"filename": file.filename}
    if file.crypt_mode is not None:
        item["crypt-mode"] = file.crypt_mode.value
    if file.size is not None:
        item["size"] = file.size
    return item


METHODS = (groups, snapshots, files, download, upload_backup_log)
