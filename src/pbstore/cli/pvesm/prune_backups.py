"""`pvesm prune-backups`: remove the backups that are not to be kept."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pvesm.own_storages import STORAGE_COMPLETION, own_storages
from pbstore.cli.pvesm.storage_options import STORAGE
from pbstore.cli.pvesm.volume_parameters import VMID
from pbstore.pve.storage.retention import KEEP_ALL, KEEP_OPTIONS, checked_retention
from pbstore.pve.storage.volume_id import SUBTYPES
from pbstore.pve.storage.volume_info import PruneVerdict
from pbstore.pve.value_types import Choice, Flag, Number

PREVIEW_NOTE = (
    "NOTE: this is only a preview and might not be what a subsequent",
    "prune call does if backups are removed/added in the meantime.",
    "",
)


def run(console: Console, storage: str, vmid: int | None, type: str | None, dry_run: bool, **options: Any) -> None:
    """Prune, or show what would be done."""
    values = {name: options[name.replace("-", "_")] for name in (KEEP_ALL, *KEEP_OPTIONS)}
    given = {name: value for name, value in values.items() if value is not None}
    keep = checked_retention(given) if given else None
    verdicts = own_storages(console).prune(storage, keep, vmid=vmid, subtype=type, dry_run=dry_run)
    if dry_run:
        for line in table_lines(verdicts):
            console.print(line)


def table_lines(verdicts: Sequence[PruneVerdict]) -> Iterator[str]:
    """The lines of the preview, by guest and time."""
    if not verdicts:
        yield "No backups found"
        return
    yield from PREVIEW_NOTE
    width = max(len(str(verdict.volume)) for verdict in verdicts) + 1
    yield f"{'Backup':<{width}} {'Backup-ID':>15} {'Prune-Mark':>10}"
    for verdict in sorted(verdicts, key=lambda verdict: (verdict.vmid, verdict.ctime)):
        yield f"{verdict.volume!s:<{width}} {f'{verdict.subtype}/{verdict.vmid}':>15} {verdict.mark:>10}"


_KEEP = (
    Parameter(
        name=KEEP_ALL, schema=Flag(description="Keep all backups. Conflicts with the other options."), optional=True
    ),
    *(
        Parameter(
            name=name,
            schema=Number(description=f"Keep backups for the last <N> of what {name.partition('-')[2]} counts."),
            optional=True,
        )
        for name in KEEP_OPTIONS
    ),
)

COMMAND = Command(
    description="Prune backups. Only those using the standard naming scheme are considered.",
    run=run,
    positional=("storage",),
    parameters=(
        STORAGE,
        *_KEEP,
        replace(VMID, optional=True),
        Parameter(
            name="type",
            schema=Choice(description="Only consider backups of this type.", values=tuple(SUBTYPES.values())),
            optional=True,
        ),
        Parameter(
            name="dry-run",
            schema=Flag(description="Only show what would be pruned, don't delete anything."),
            optional=True,
            default=False,
        ),
    ),
    completions=STORAGE_COMPLETION,
)
