"""`prune`: remove the snapshots of a group that no keep option asks for."""

from collections.abc import Mapping, Sequence
from typing import Any

from pbstore.api.schema import Boolean, Integer, Parameter
from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.named_backups import GROUP, GROUP_COMPLETION
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.cli.table import Column
from pbstore.client.answers import number_of
from pbstore.client.group_changes import prune_group
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.local_time import local_time_text
from pbstore.model.namespace import MAX_DEPTH, Namespace

PERIODS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
COLUMNS = (Column(name="snapshot"), Column(name="date", right=True), Column(name="action", right=True))


def run(
    console: Console,
    group: BackupGroup,
    ns: Namespace | None,
    max_depth: int | None,
    dry_run: bool,
    quiet: bool,
    output_format: str | None,
    **options: Any,
) -> None:
    """Prune and print what was kept and removed. `max_depth` means nothing for a group; the original takes it too."""
    server = connect(console, wanted_repository(console, options))
    keep = {f"keep-{period}": count for period in PERIODS if (count := options[f"keep_{period}"]) is not None}
    verdicts = prune_group(server, wanted_namespace(console, ns), group, keep, dry_run=dry_run)
    shown = [item for item in verdicts if not (quiet and item.get("keep"))]
    console.print_rows(COLUMNS, table_rows(group, shown), output_format, wire=shown)


def table_rows(group: BackupGroup, verdicts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the table, oldest first."""
    return [
        {
            "snapshot": Snapshot(group, number_of(item, "backup-time")),
            "date": local_time_text(number_of(item, "backup-time")),
            "action": "keep" if item.get("keep") else "remove",
        }
        for item in sorted(verdicts, key=lambda item: number_of(item, "backup-time"))
    ]


_KEEP = tuple(
    Parameter(
        name=f"keep-{period}",
        schema=Integer(description=f"Number of {'' if period == 'last' else f'{period} '}backups to keep.", minimum=1),
        optional=True,
    )
    for period in PERIODS
)

COMMAND = Command(
    description="Prune a backup repository.",
    run=run,
    positional=("group",),
    parameters=(
        GROUP,
        *_KEEP,
        Parameter(
            name="dry-run",
            schema=Boolean(description="Just show what prune would do, but do not delete anything."),
            optional=True,
            default=False,
        ),
        Parameter(
            name="max-depth",
            schema=Integer(description="How many levels of namespaces should be operated on.", maximum=MAX_DEPTH),
            optional=True,
        ),
        Parameter(
            name="quiet",
            schema=Boolean(description="Minimal output - only show removals."),
            optional=True,
            default=False,
        ),
        *REPOSITORY,
        NAMESPACE,
        OUTPUT_FORMAT,
    ),
    completions=GROUP_COMPLETION,
    examples=(
        Example("prune vm/100 --keep-last 3 --keep-daily 14 --dry-run", "See what would go"),
        Example("prune vm/100 --keep-last 3 --keep-daily 14", "Keep the last three, and one a day for 14 days"),
    ),
)
