"""Lists of groups, snapshots and files, and the removal of groups and snapshots (rest-api.md 5)."""

from collections.abc import Iterator

from pbstore.api.method import Call, method
from pbstore.api.permission import known_caller
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import list_groups, read_notes, read_owner
from pbstore.datastore.removal import remove_group, remove_snapshot
from pbstore.datastore.snapshot_info import SnapshotFile, describe_snapshot
from pbstore.datastore.snapshots import is_finished, list_snapshots
from pbstore.errors import DatastoreError, PbstoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.namespace import Namespace
from pbstore.server.content_results import FILES, GROUPS, REMOVAL_COUNTS, SNAPSHOTS
from pbstore.server.content_right import LIST, LIST_FILES, PRUNE
from pbstore.server.parameters import (
    ERROR_ON_PROTECTED,
    GROUP,
    NS,
    ONLY_BACKUP_ID,
    ONLY_BACKUP_TYPE,
    SNAPSHOT,
    STORE,
)
from pbstore.server.registry import Registry


@method("GET", "/admin/datastore/{store}/groups", permission=LIST.permission, parameters=(STORE, NS), result=GROUPS)
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
    result=SNAPSHOTS,
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


@method(
    "GET",
    "/admin/datastore/{store}/files",
    permission=LIST_FILES.permission,
    parameters=(STORE, *SNAPSHOT),
    result=FILES,
)
def files(
    call: Call[Registry], *, store: str, ns: Namespace, backup_type: BackupType, backup_id: str, backup_time: int
) -> list[dict[str, object]]:
    """List the files of a snapshot."""
    datastore = call.state.datastores.get(store, Operation.READ)
    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    LIST_FILES.check_group(call, datastore, ns, snapshot.group)
    return [_file_item(file) for file in describe_snapshot(datastore, ns, snapshot).files]


@method(
    "DELETE",
    "/admin/datastore/{store}/groups",
    permission=PRUNE.permission,
    parameters=(STORE, *GROUP, ERROR_ON_PROTECTED),
    result=REMOVAL_COUNTS,
)
def delete_group(
    call: Call[Registry],
    *,
    store: str,
    ns: Namespace,
    backup_type: BackupType,
    backup_id: str,
    error_on_protected: bool,
) -> dict[str, int]:
    """Remove a group with its snapshots; protected ones stay, and the group with them."""
    group = BackupGroup(backup_type, backup_id)
    with call.state.datastores.using(store, Operation.WRITE) as datastore:
        PRUNE.check_group(call, datastore, ns, group)
        counts = remove_group(datastore, ns, group)
    if counts.protected_snapshots and error_on_protected:
        raise DatastoreError("group only partially deleted due to protected snapshots")
    return counts.as_json()


@method("DELETE", "/admin/datastore/{store}/snapshots", permission=PRUNE.permission, parameters=(STORE, *SNAPSHOT))
def delete_snapshot(
    call: Call[Registry], *, store: str, ns: Namespace, backup_type: BackupType, backup_id: str, backup_time: int
) -> None:
    """Remove a snapshot, and its group with the last one."""
    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    with call.state.datastores.using(store, Operation.WRITE) as datastore:
        PRUNE.check_group(call, datastore, ns, snapshot.group)
        try:
            remove_snapshot(datastore, ns, snapshot)
        except PbstoreError as error:
            raise DatastoreError(f"failed to delete snapshot - {error}") from error


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
    first_line, line_end, _ = read_notes(datastore, namespace, group).partition("\n")
    comment = first_line + line_end
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
            "verification": info.verification.to_json() if info.verification is not None else None,
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


METHODS = (groups, snapshots, files, delete_group, delete_snapshot)
