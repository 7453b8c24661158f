"""`login` and `logout`: keep a ticket for the login session, or forget it."""

from typing import Any

from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_client.connect import connect, ticket_cache
from pbstore.cli.proxmox_backup_client.repository_options import REPOSITORY, wanted_repository


def log_in(console: Console, **options: Any) -> None:
    """Get a ticket and keep it."""
    connect(console, wanted_repository(console, options))
    if not ticket_cache(console).is_kept:
        console.warn("the login is right, but the ticket is not kept: XDG_RUNTIME_DIR names no directory")


def log_out(console: Console, **options: Any) -> None:
    """Forget the ticket."""
    repository = wanted_repository(console, options)
    ticket_cache(console).remove(repository.server_name, str(repository.user))


LOGIN = Command(
    description="Try to login. If successful, store ticket.",
    run=log_in,
    parameters=REPOSITORY,
    examples=(Example("login --repository root@pam@server:store", "Type the password once, not at each command"),),
)
LOGOUT = Command(description="Logout (delete stored ticket).", run=log_out, parameters=REPOSITORY)
