"""`change-owner`: give a backup group to another user or API token."""

from typing import Any

from pbstore.api.schema import Parameter, String
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
from pbstore.client import group_changes
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace


def run(console: Console, group: BackupGroup, new_owner: AuthId, ns: Namespace | None, **options: Any) -> None:
    """Change it."""
    server = connect(console, wanted_repository(console, options))
    group_changes.change_owner(server, wanted_namespace(console, ns), group, new_owner)


COMMAND = Command(
    description="Change owner of a backup group.",
    run=run,
    positional=("group", "new-owner"),
    parameters=(
        GROUP,
        Parameter(name="new-owner", schema=String(description="Authentication ID", convert=AuthId.parse)),
        *REPOSITORY,
        NAMESPACE,
    ),
    completions=GROUP_COMPLETION,
    examples=(Example("change-owner host/web 'backup@pbs!web'", "Only this API token may add to the group then"),),
)
