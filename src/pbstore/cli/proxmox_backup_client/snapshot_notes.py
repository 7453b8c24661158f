"""`snapshot notes show` and `snapshot notes update`."""

from typing import Any

from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command, Example, Group
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.printable import printable_lines
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.named_backups import SNAPSHOT, SNAPSHOT_COMPLETION
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.client.snapshot_changes import read_notes, write_notes
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace

MAX_NOTES_LENGTH = 1024 * 1024


def show(console: Console, snapshot: Snapshot, ns: Namespace | None, output_format: str | None, **options: Any) -> None:
    """Print the notes."""
    server = connect(console, wanted_repository(console, options))
    notes = read_notes(server, wanted_namespace(console, ns), snapshot)
    chosen = console.format(output_format)
    console.print(printable_lines(notes) if chosen == "text" else json_text({"notes": notes}, chosen))


def update(console: Console, snapshot: Snapshot, notes: str, ns: Namespace | None, **options: Any) -> None:
    """Replace the notes."""
    server = connect(console, wanted_repository(console, options))
    write_notes(server, wanted_namespace(console, ns), snapshot, notes)


NOTES = Group(
    commands={
        "show": Command(
            description="Show notes.",
            run=show,
            positional=("snapshot",),
            parameters=(SNAPSHOT, *REPOSITORY, NAMESPACE, OUTPUT_FORMAT),
            completions=SNAPSHOT_COMPLETION,
        ),
        "update": Command(
            description="Update notes.",
            run=update,
            positional=("snapshot", "notes"),
            parameters=(
                SNAPSHOT,
                Parameter(name="notes", schema=String(description="The notes.", maximum_length=MAX_NOTES_LENGTH)),
                *REPOSITORY,
                NAMESPACE,
            ),
            completions=SNAPSHOT_COMPLETION,
            examples=(
                Example(
                    "snapshot notes update vm/100/2026-06-01T08:00:00Z 'before the upgrade'",
                    "The first line is what lists show as comment",
                ),
            ),
        ),
    }
)
