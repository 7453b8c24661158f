"""`snapshot list` (also `snapshots`): the snapshots of a namespace or of one group."""

from collections.abc import Sequence
from typing import Any

from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_client.completions import complete_groups
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.list_groups import file_list
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.cli.table import Column
from pbstore.client.listing import SnapshotListing
from pbstore.model.backup import BackupGroup
from pbstore.model.human_size import human_size
from pbstore.model.namespace import Namespace

COLUMNS = (
    Column(name="snapshot"),
    Column(name="size", right=True, render=lambda size: "" if size is None else human_size(size)),
    Column(name="files"),
)


def run(
    console: Console, group: BackupGroup | None, ns: Namespace | None, output_format: str | None, **options: Any
) -> None:
    """Print the snapshots sorted by group and time."""
    server = connect(console, wanted_repository(console, options))
    snapshots = server.snapshots(wanted_namespace(console, ns), group)
    console.print_rows(COLUMNS, table_rows(snapshots), output_format, wire=[item.wire for item in snapshots])


def table_rows(snapshots: Sequence[SnapshotListing]) -> list[dict[str, Any]]:
    """Rows of the table, sorted."""
    return [
        {"snapshot": item.snapshot, "size": item.size, "files": file_list(item.files)}
        for item in sorted(snapshots, key=lambda item: item.snapshot)
    ]


COMMAND = Command(
    description="List backup snapshots.",
    run=run,
    positional=("group",),
    parameters=(
        Parameter(
            name="group",
            schema=String(description="Backup group: <type>/<id>.", convert=BackupGroup.parse),
            optional=True,
        ),
        *REPOSITORY,
        NAMESPACE,
        OUTPUT_FORMAT,
    ),
    completions={"group": complete_groups},
    examples=(
        Example("snapshot list", "All snapshots"),
        Example("snapshot list vm/100 --ns customers/acme", "Those of one group, in a namespace"),
    ),
)
