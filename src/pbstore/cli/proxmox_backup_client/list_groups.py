"""`list`: the backup groups."""

from collections.abc import Sequence
from typing import Any

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.cli.table import Column
from pbstore.client.listing import GroupListing
from pbstore.model.archive_name import archive_name
from pbstore.model.namespace import Namespace

COLUMNS = (
    Column(name="group"),
    Column(name="last snapshot"),
    Column(name="backup-count", right=True),
    Column(name="files"),
)


def run(console: Console, ns: Namespace | None, output_format: str | None, **options: Any) -> None:
    """Print the groups sorted by type and id."""
    server = connect(console, wanted_repository(console, options))
    groups = server.groups(wanted_namespace(console, ns))
    console.print_rows(COLUMNS, table_rows(groups), output_format, wire=[item.wire for item in groups])


def table_rows(groups: Sequence[GroupListing]) -> list[dict[str, Any]]:
    """Rows of the table, sorted."""
    return [
        {
            "group": item.group,
            "last snapshot": item.newest,
            "backup-count": item.backup_count,
            "files": file_list(item.files),
        }
        for item in sorted(groups, key=lambda item: item.group)
    ]


def file_list(files: tuple[str, ...]) -> str:
    """Names without the server's suffix, sorted."""
    return " ".join(sorted(archive_name(name) for name in files))


COMMAND = Command(
    description="List backup groups.",
    run=run,
    parameters=(*REPOSITORY, NAMESPACE, OUTPUT_FORMAT),
)
