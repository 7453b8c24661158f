"""`diff archive`: which entries came, went or changed between two snapshots."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pbstore.api.schema import Boolean, Enum, Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.prompt import is_terminal
from pbstore.cli.proxmox_backup_client.completions import complete_archives, complete_snapshots
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.key_options import KEY, chosen_keys
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.cli.proxmox_backup_debug.difference_line import difference_line
from pbstore.client.archive_comparison import ComparisonJob, compare_archives
from pbstore.client.key_choice import KeyOptions
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace


def run(
    console: Console,
    prev_snapshot: Snapshot,
    snapshot: Snapshot,
    archive_name: str,
    ns: Namespace | None,
    keyfile: Path | None,
    keyfd: int | None,
    compare_content: bool,
    color: str,
    **options: Any,
) -> None:
    """Print a line for each difference."""
    keys = chosen_keys(console, KeyOptions(keyfile=keyfile, keyfd=keyfd), for_backup=False)
    job = ComparisonJob(
        old=prev_snapshot,
        new=snapshot,
        namespace=wanted_namespace(console, ns),
        archive=archive_name,
        keys=keys,
        compare_content=compare_content,
    )
    in_color = color == "always" or (color == "auto" and is_terminal(sys.stdout))
    for difference in compare_archives(connect(console, wanted_repository(console, options)), job):
        console.print(difference_line(difference.change, difference.entry, difference.changes, color=in_color))


def _trees(console: Console, raw: dict[str, object]) -> Sequence[str]:
    return [name for name in complete_archives(console, raw) if name.endswith("pxar")]


DIFF_ARCHIVE = Command(
    description="Show what differs between the same archive in two snapshots: entries added (A), modified (M) and "
    "deleted (D). What changed has a star; that of the name stands for contents, targets of links and extended "
    "attributes.",
    run=run,
    positional=("prev-snapshot", "snapshot", "archive-name"),
    parameters=(
        Parameter(
            name="prev-snapshot",
            schema=String(description="The older snapshot: <type>/<id>/<time>.", convert=Snapshot.parse),
        ),
        Parameter(
            name="snapshot",
            schema=String(description="The newer snapshot: <type>/<id>/<time>.", convert=Snapshot.parse),
        ),
        Parameter(name="archive-name", schema=String(description="Archive, like root.pxar.", minimum_length=1)),
        Parameter(
            name="compare-content",
            schema=Boolean(description="Compare the contents of files too, where size and chunks do not tell."),
            optional=True,
            default=False,
        ),
        Parameter(
            name="color",
            schema=Enum(description="When to colour the output.", values=("auto", "always", "never")),
            optional=True,
            default="auto",
        ),
        *(parameter for parameter in KEY if parameter.name != "crypt-mode"),
        *REPOSITORY,
        NAMESPACE,
    ),
    completions={
        "prev-snapshot": complete_snapshots,
        "snapshot": complete_snapshots,
        "archive-name": _trees,
    },
)
