"""`group forget`: remove a group with all its snapshots, after a question."""

from typing import Any

from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.named_backups import GROUP, GROUP_COMPLETION
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.client.group_changes import forget_group
from pbstore.errors import NotFoundError
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace


def run(console: Console, group: BackupGroup, ns: Namespace | None, **options: Any) -> None:
    """Ask and remove."""
    server = connect(console, wanted_repository(console, options))
    namespace = wanted_namespace(console, ns)
    if all(item.group != group for item in server.groups(namespace)):
        raise NotFoundError("Unable to find backup group!")
    count = len(server.snapshots(namespace, group))
    if not console.agrees(f'Delete group "{group}" with {count} snapshot(s)?'):
        console.print("Abort.")
        return
    forget_group(server, namespace, group)
    console.print("Successfully deleted group!")


COMMAND = Command(
    description="Forget (remove) backup group.",
    run=run,
    positional=("group",),
    parameters=(GROUP, *REPOSITORY, NAMESPACE),
    completions=GROUP_COMPLETION,
    examples=(
        Example("group forget vm/100", "Remove all snapshots of vm/100; the number is shown before, and asked about"),
    ),
)
