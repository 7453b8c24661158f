"""`snapshot forget` (also `forget`): remove one snapshot."""

from typing import Any

from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.named_backups import SNAPSHOT, SNAPSHOT_COMPLETION
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.client.snapshot_changes import forget_snapshot
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace


def run(console: Console, snapshot: Snapshot, ns: Namespace | None, **options: Any) -> None:
    """Remove it."""
    server = connect(console, wanted_repository(console, options))
    forget_snapshot(server, wanted_namespace(console, ns), snapshot)


COMMAND = Command(
    description="Forget (remove) backup snapshots.",
    run=run,
    positional=("snapshot",),
    parameters=(SNAPSHOT, *REPOSITORY, NAMESPACE),
    completions=SNAPSHOT_COMPLETION,
    examples=(Example("snapshot forget vm/100/2026-06-01T08:00:00Z", "Remove this one snapshot"),),
)
