"""`datastore create`: make a store, or take over a directory that is one already."""

import time
from typing import Any

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_manager.own_task import run_own_task
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.config.datastore_cfg import DatastoreFile
from pbstore.server.datastore_parameters import CREATE as PARAMETERS
from pbstore.server.datastore_parameters import new_datastore


def run(console: Console, **values: Any) -> None:
    """Make the directories, check them, then configure the store; a running server notices."""
    roots, new = manager_roots(console), new_datastore(values)
    new.check(DatastoreFile(roots).load())
    run_own_task(
        console, roots, "create-datastore", new.config.name, lambda log: new.set_up(roots, int(time.time()), log)
    )


CREATE = Command(
    description="Create new datastore config.",
    run=run,
    positional=("name", "path"),
    parameters=PARAMETERS,
)
