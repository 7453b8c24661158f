"""Tickets that let a browser connect to one terminal: bound to caller, path and port (auth.md 3.1)."""

from pbstore.access.tickets import TERMINAL_PREFIX, open_ticket, seal_ticket
from pbstore.config.auth_key import AuthKey
from pbstore.errors import AuthenticationError
from pbstore.model.auth_id import AuthId


def issue_terminal_ticket(key: AuthKey, auth_id: AuthId, path: str, port: int | None, now: float) -> str:
    """Return a ticket for a terminal on a path like `/system`, at a port unless it needs none."""
    return seal_ticket(key, TERMINAL_PREFIX, "", now, aad=_bound_to(auth_id, path, port))


def check_terminal_ticket(key: AuthKey, text: str, auth_id: AuthId, path: str, port: int | None, now: float) -> None:
    """Return if the ticket was issued for just that, in the last two hours.

    Raises:
        AuthenticationError: it was not.
    """
    if open_ticket(key, text, TERMINAL_PREFIX, now, aad=_bound_to(auth_id, path, port)):
        raise AuthenticationError("invalid ticket")


def is_terminal_ticket(text: str) -> bool:
    """Whether a password looks like a ticket for a terminal."""
    return text.startswith(f"{TERMINAL_PREFIX}:")


def _bound_to(auth_id: AuthId, path: str, port: int | None) -> str:
    return f"{auth_id}{path}{'' if port is None else port}"
