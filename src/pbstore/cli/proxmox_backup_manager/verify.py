"""`verify`: verify all backups of a datastore."""

from urllib.parse import quote

from pbstore.access.account_items import without_none
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_manager.completions import complete_datastores
from pbstore.cli.proxmox_backup_manager.local_server import local_server
from pbstore.cli.task_output import show_task
from pbstore.server.parameters import STORE
from pbstore.server.verify_parameters import FILTER, THREADS


def run(
    console: Console,
    store: str,
    ignore_verified: bool,
    outdated_after: int | None,
    read_threads: int | None,
    verify_threads: int | None,
) -> None:
    """Start the task and show its log."""
    parameters = {
        "ignore-verified": ignore_verified,
        "outdated-after": outdated_after,
        "read-threads": read_threads,
        "verify-threads": verify_threads,
    }
    server = local_server(console)
    upid = server.post(f"admin/datastore/{quote(store, safe='')}/verify", without_none(parameters))
    show_task(console, server, upid, stops=True)


VERIFY = Command(
    description="Verify backups",
    run=run,
    positional=("store",),
    completions={"store": complete_datastores},
    parameters=(STORE, *FILTER, *THREADS),
)
