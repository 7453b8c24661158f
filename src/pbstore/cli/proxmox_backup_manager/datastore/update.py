"""`datastore update`: change the configuration of a store."""

import time
from typing import Any

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_manager.completions import complete_datastores
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.proxmox_backup_manager.update_options import DIGEST, delete_option
from pbstore.datastore.reconfiguration import Reconfiguration
from pbstore.server.datastore_parameters import CHANGE, DELETABLE, NAME, changed_values


def run(console: Console, name: str, delete: list[str] | None, digest: str | None, **values: Any) -> None:
    """Change what was given, take out what is to be deleted; a running server notices."""
    change = Reconfiguration(*changed_values(values, delete or ()))
    change.apply(manager_roots(console), name, digest=digest, now=int(time.time()))


UPDATE = Command(
    description="Update datastore configuration.",
    run=run,
    positional=("name",),
    completions={"name": complete_datastores},
    parameters=(NAME, *CHANGE, delete_option(DELETABLE), DIGEST),
)
