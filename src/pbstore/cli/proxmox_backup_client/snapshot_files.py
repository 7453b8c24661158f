"""`snapshot files` (also `files`): the files of one snapshot."""

from collections.abc import Sequence
from typing import Any

from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_client.completions import complete_snapshots
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.cli.table import Column
from pbstore.client.listing import FileListing
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace

COLUMNS = (Column(name="filename"), Column(name="crypt-mode"), Column(name="size", right=True))


def run(console: Console, snapshot: Snapshot, ns: Namespace | None, output_format: str | None, **options: Any) -> None:
    """Print the files sorted by name."""
    server = connect(console, wanted_repository(console, options))
    files = server.files(wanted_namespace(console, ns), snapshot)
    console.print_rows(COLUMNS, table_rows(files), output_format, wire=[item.wire for item in files])


def table_rows(files: Sequence[FileListing]) -> list[dict[str, Any]]:
    """Rows of the table, sorted."""
    return [
        {"filename": item.filename, "crypt-mode": item.crypt_mode, "size": item.size}
        for item in sorted(files, key=lambda item: item.filename)
    ]


COMMAND = Command(
    description="List snapshot files.",
    run=run,
    positional=("snapshot",),
    parameters=(
        Parameter(
            name="snapshot",
            schema=String(description="Snapshot path: <type>/<id>/<time>.", convert=Snapshot.parse),
        ),
        *REPOSITORY,
        NAMESPACE,
        OUTPUT_FORMAT,
    ),
    completions={"snapshot": complete_snapshots},
)
