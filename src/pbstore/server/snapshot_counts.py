"""How many groups and snapshots of each type somebody can see in a datastore (rest-api.md 5, status)."""

from pbstore.access.acl_tree import AclTree
from pbstore.api.permission import acl_path
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import list_groups, read_owner
from pbstore.datastore.namespaces import list_namespaces
from pbstore.datastore.snapshots import is_finished, iterate_snapshots
from pbstore.errors import DatastoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, BackupType
from pbstore.model.namespace import Namespace
from pbstore.server.content_right import LIST, NAMESPACE_PATH

Counts = dict[str, dict[str, int] | None]


def count_snapshots(datastore: Datastore, rights: AclTree, caller: AuthId) -> Counts:
    """Count finished snapshots and the groups that have some, in all namespaces; None for a type without any."""
    counts: Counts = {backup_type.value: None for backup_type in BackupType}
    for namespace in list_namespaces(datastore, Namespace()):
        path = acl_path(NAMESPACE_PATH, {"store": datastore.name, "ns": namespace})
        held = rights.privileges(caller, path)
        is_full = bool(set(LIST.full) & held)
        if not is_full and LIST.owned not in held:
            continue
        for group in list_groups(datastore, namespace):
            if is_full or _owns(datastore, namespace, group, caller):
                _add(counts, group.backup_type.value, _finished_count(datastore, namespace, group))
    counts["other"] = None
    return counts


def _add(counts: Counts, backup_type: str, snapshot_count: int) -> None:
    if snapshot_count:
        old = counts[backup_type] or {"groups": 0, "snapshots": 0}
        counts[backup_type] = {"groups": old["groups"] + 1, "snapshots": old["snapshots"] + snapshot_count}


def _owns(datastore: Datastore, namespace: Namespace, group: BackupGroup, caller: AuthId) -> bool:
    try:
        return caller.owns(read_owner(datastore, namespace, group))
    except DatastoreError:
        return False


def _finished_count(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> int:
    try:
        snapshots = list(iterate_snapshots(datastore, namespace, group))
    except DatastoreError:  # removed while we look
        return 0
    return sum(is_finished(datastore, namespace, snapshot) for snapshot in snapshots)
