"""`prune`: prune all groups of a datastore, or of a namespace and those below it."""

from urllib.parse import quote

from pbstore.access.account_items import without_none
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_manager.completions import complete_datastores, complete_namespaces
from pbstore.cli.proxmox_backup_manager.local_server import local_server
from pbstore.cli.task_output import show_task
from pbstore.model.namespace import Namespace
from pbstore.server.parameters import MAX_DEPTH_BELOW, NS, STORE
from pbstore.server.retention_options import DRY_RUN, KEEP


def run(console: Console, store: str, ns: Namespace, max_depth: int, dry_run: bool, **keep: int | None) -> None:
    """Start the task and show its log."""
    options = {name.replace("_", "-"): count for name, count in keep.items()}
    parameters = {"ns": str(ns), "max-depth": max_depth, "dry-run": dry_run, **options}
    server = local_server(console)
    upid = server.post(f"admin/datastore/{quote(store, safe='')}/prune-datastore", without_none(parameters))
    show_task(console, server, upid, stops=True)


PRUNE = Command(
    description="Prune the groups of a datastore.",
    run=run,
    positional=("store",),
    completions={"store": complete_datastores, "ns": complete_namespaces},
    parameters=(STORE, NS, MAX_DEPTH_BELOW, *KEEP, DRY_RUN),
)
