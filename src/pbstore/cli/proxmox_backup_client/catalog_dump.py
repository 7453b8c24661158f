"""`catalog dump`: the names of all files of a snapshot."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any

from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_list
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.key_options import KEYFD, KEYFILE, chosen_keys
from pbstore.cli.proxmox_backup_client.named_backups import SNAPSHOT, SNAPSHOT_COMPLETION
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.client.catalog_listing import CatalogListing, ListedEntry
from pbstore.client.key_choice import KeyOptions
from pbstore.client.pxar_archive import quoted_path
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace


def run(
    console: Console,
    snapshot: Snapshot,
    ns: Namespace | None,
    keyfile: Path | None,
    keyfd: int | None,
    output_format: str | None,
    **options: Any,
) -> None:
    """Print one entry a line."""
    repository = wanted_repository(console, options)
    namespace = wanted_namespace(console, ns)
    keys = chosen_keys(console, KeyOptions(keyfile=keyfile, keyfd=keyfd), for_backup=False)
    chosen = console.format(output_format)
    with closing(CatalogListing(connect(console, repository), namespace, snapshot, keys)) as listing:
        if chosen == "text":
            console.print_parts(line_of(entry) + "\n" for entry in listing.entries())
        else:
            console.print_parts(json_list((json_of(entry) for entry in listing.entries()), chosen))


def line_of(entry: ListedEntry) -> str:
    """`f "./root.pxar.didx/etc/hosts" 123 2024-01-01T00:00:00Z`; only regular files have size and time."""
    text = f"{entry.kind} {quoted_path(b'./' + entry.path)}"
    if entry.kind != "f":
        return text
    return f"{text} {entry.size} {_utc_text(entry.mtime_seconds)}"


def json_of(entry: ListedEntry) -> dict[str, Any]:
    """The same as an object; the path is escaped as in the text form."""
    item: dict[str, Any] = {"type": entry.kind, "path": quoted_path(b"./" + entry.path)[1:-1]}
    return item | ({"size": entry.size, "mtime": entry.mtime_seconds} if entry.kind == "f" else {})


def _utc_text(seconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return str(seconds)


COMMAND = Command(
    description="Dump catalog.",
    run=run,
    positional=("snapshot",),
    parameters=(SNAPSHOT, KEYFILE, KEYFD, *REPOSITORY, NAMESPACE, OUTPUT_FORMAT),
    completions=SNAPSHOT_COMPLETION,
    examples=(Example("catalog dump host/web/2026-06-01T08:00:00Z | grep hosts", "Look for a file in a snapshot"),),
)
