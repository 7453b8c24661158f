"""`group move`: move a group into another namespace of the datastore."""

from typing import Any

from pbstore.api.schema import Boolean, Parameter
from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_client.completions import complete_namespaces
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.named_backups import GROUP, GROUP_COMPLETION
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    TARGET_NAMESPACE,
    wanted_namespace,
    wanted_repository,
)
from pbstore.cli.task_output import show_task
from pbstore.client.group_changes import move_group
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace


def run(
    console: Console,
    group: BackupGroup,
    ns: Namespace | None,
    target_ns: Namespace,
    merge_group: bool,
    **options: Any,
) -> None:
    """Start the task and show its log."""
    server = connect(console, wanted_repository(console, options))
    upid = move_group(server, wanted_namespace(console, ns), group, target_ns, merge=merge_group)
    show_task(console, server, upid)


COMMAND = Command(
    description="Move a backup group to a different namespace within the datastore.",
    run=run,
    positional=("group",),
    parameters=(
        GROUP,
        TARGET_NAMESPACE,
        Parameter(
            name="merge-group",
            schema=Boolean(
                description="If the group exists in the target namespace, join both when owner and times allow it."
            ),
            optional=True,
            default=True,
        ),
        *REPOSITORY,
        NAMESPACE,
    ),
    completions=GROUP_COMPLETION | {"target-ns": complete_namespaces},
    examples=(Example("group move vm/100 --target-ns archive", "Move vm/100 from the root into 'archive'"),),
)
