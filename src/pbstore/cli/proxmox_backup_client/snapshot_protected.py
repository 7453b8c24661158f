"""`snapshot protected show` and `snapshot protected update`: protection against removal."""

from typing import Any

from pbstore.api.schema import Boolean, Parameter
from pbstore.cli.command import Command, Example, Group
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.named_backups import SNAPSHOT, SNAPSHOT_COMPLETION
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.client.snapshot_changes import is_protected, set_protected
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace


def show(console: Console, snapshot: Snapshot, ns: Namespace | None, output_format: str | None, **options: Any) -> None:
    """Print whether it is protected."""
    server = connect(console, wanted_repository(console, options))
    protected = is_protected(server, wanted_namespace(console, ns), snapshot)
    chosen = console.format(output_format)
    console.print(str(protected).lower() if chosen == "text" else json_text({"protected": protected}, chosen))


def update(console: Console, snapshot: Snapshot, protected: bool, ns: Namespace | None, **options: Any) -> None:
    """Protect it, or end that."""
    server = connect(console, wanted_repository(console, options))
    set_protected(server, wanted_namespace(console, ns), snapshot, protected)


PROTECTED = Group(
    commands={
        "show": Command(
            description="Show protection status of the specified snapshot.",
            run=show,
            positional=("snapshot",),
            parameters=(SNAPSHOT, *REPOSITORY, NAMESPACE, OUTPUT_FORMAT),
            completions=SNAPSHOT_COMPLETION,
        ),
        "update": Command(
            description="Update protection status of a snapshot.",
            run=update,
            positional=("snapshot", "protected"),
            parameters=(
                SNAPSHOT,
                Parameter(name="protected", schema=Boolean(description="The protection status.")),
                *REPOSITORY,
                NAMESPACE,
            ),
            completions=SNAPSHOT_COMPLETION,
            examples=(
                Example("snapshot protected update vm/100/2026-06-01T08:00:00Z true", "Keep it whatever pruning says"),
            ),
        ),
    }
)
