"""What a user does to backup groups on a server (rest-api.md 5, version-4.md 9)."""

from collections.abc import Mapping
from typing import Any

from pbstore.client.answers import rows_of
from pbstore.client.server import Server
from pbstore.client.started_task import start_task
from pbstore.client.wire_parameters import group_parameters, target_parameters
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace


def forget_group(server: Server, namespace: Namespace, group: BackupGroup) -> None:
    """Remove a group with all its snapshots.

    Raises:
        ServerError: a snapshot is protected, so that the group stays with it; or there is no such group.
    """
    server.delete(f"{server.datastore_path}/groups", group_parameters(namespace, group))


def prune_group(
    server: Server, namespace: Namespace, group: BackupGroup, keep: Mapping[str, int], *, dry_run: bool
) -> list[dict[str, Any]]:
    """Remove the snapshots of a group that no option keeps; without an option all are kept.

    Args:
        server: where the group is.
        namespace: the group's namespace.
        group: the group.
        keep: numbers by option, like `keep-last`.
        dry_run: only say what would be done.

    Returns:
        The server's verdict on each snapshot: `backup-type`, `backup-id`, `backup-time`, `keep`, `protected`.
    """
    parameters = {**group_parameters(namespace, group), **keep, "dry-run": dry_run}
    return rows_of(server.post(f"{server.datastore_path}/prune", parameters))


def change_owner(server: Server, namespace: Namespace, group: BackupGroup, new_owner: AuthId) -> None:
    """Give a group to somebody else."""
    parameters = {**group_parameters(namespace, group), "new-owner": str(new_owner)}
    server.post(f"{server.datastore_path}/change-owner", parameters)


def move_group(server: Server, namespace: Namespace, group: BackupGroup, target: Namespace, *, merge: bool) -> str:
    """Start moving a group into another namespace; the id of the task."""
    parameters = {**group_parameters(namespace, group), **target_parameters(target), "merge-group": merge}
    return start_task(server, f"{server.datastore_path}/move-group", parameters)
