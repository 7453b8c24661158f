"""Tickets of user logins, kept for the login session: `{server: {user: {timestamp, ticket, token}}}`.

Lifetime and file rules: protocol-transport.md 2.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pbstore.client.replace_file import replace_file

LIFETIME_SECONDS = 7200 - 60


@dataclass(frozen=True)
class Ticket:
    """What a login returned: the ticket, the CSRF token, and the cookie that the ticket belongs into."""

    ticket: str
    csrf_token: str
    cookie_name: str = "PBSAuthCookie"


class TicketCache:
    """The cache file; without a path nothing is kept."""

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time):
        self._path = path
        self._clock = clock

    @property
    def is_kept(self) -> bool:
        """Whether there is a place for the file."""
        return self._path is not None

    def load(self, server: str, user: str) -> Ticket | None:
        """The ticket of a user, None when there is none that still holds."""
        entry = self._usable().get(server, {}).get(user)
        return None if entry is None else Ticket(entry["ticket"], entry["token"])

    def store(self, server: str, user: str, ticket: Ticket) -> None:
        """Remember a ticket; expired ones are dropped."""
        entries = self._usable()
        entry = {"timestamp": int(self._clock()), "ticket": ticket.ticket, "token": ticket.csrf_token}
        entries.setdefault(server, {})[user] = entry
        self._write(entries)

    def remove(self, server: str, user: str) -> None:
        """Forget the ticket of a user."""
        entries = self._usable()
        entries.get(server, {}).pop(user, None)
        self._write(entries)

    def _usable(self) -> dict[str, dict[str, Any]]:
        try:
            content = json.loads(self._path.read_bytes()) if self._path is not None else {}
        except (FileNotFoundError, ValueError, RecursionError):
            content = {}
        if not isinstance(content, dict):
            return {}
        usable: dict[str, dict[str, Any]] = {}
        for server, users in content.items():
            if isinstance(users, dict):
                kept = {user: entry for user, entry in users.items() if self._is_usable(entry)}
                if kept:
                    usable[server] = kept
        return usable

    def _is_usable(self, entry: object) -> bool:
        if not isinstance(entry, dict):
            return False
        timestamp, ticket, token = (entry.get(name) for name in ("timestamp", "ticket", "token"))
        if not isinstance(timestamp, int) or not isinstance(ticket, str) or not isinstance(token, str):
            return False
        return 0 <= int(self._clock()) - timestamp < LIFETIME_SECONDS

    def _write(self, entries: dict[str, dict[str, Any]]) -> None:
        if self._path is not None:
            replace_file(self._path, json.dumps(entries).encode())
