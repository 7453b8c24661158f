"""How namespaces, groups and snapshots are named in calls to a server (rest-api.md 5)."""

from typing import Any

from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace


def namespace_parameters(namespace: Namespace) -> dict[str, Any]:
    """`ns`; nothing for the root."""
    return {} if namespace.is_root else {"ns": str(namespace)}


def group_parameters(namespace: Namespace, group: BackupGroup) -> dict[str, Any]:
    """`ns`, `backup-type` and `backup-id`."""
    names = {"backup-type": group.backup_type.value, "backup-id": group.backup_id}
    return names | namespace_parameters(namespace)


def snapshot_parameters(namespace: Namespace, snapshot: Snapshot) -> dict[str, Any]:
    """As `group_parameters`, and `backup-time`."""
    return {**group_parameters(namespace, snapshot.group), "backup-time": snapshot.backup_time}


def target_parameters(namespace: Namespace) -> dict[str, Any]:
    """`target-ns`; nothing for the root."""
    return {} if namespace.is_root else {"target-ns": str(namespace)}


def query_value(value: Any) -> Any:
    """A parameter as it stands in a query: booleans are 1 and 0."""
    return int(value) if isinstance(value, bool) else value
