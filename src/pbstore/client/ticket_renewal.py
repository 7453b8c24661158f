"""Keep a login alive while the program runs: tickets hold for two hours, backups may take longer (auth.md 3)."""

import threading
from collections.abc import Callable

from pbstore.client.login import Credentials, ticket_credentials
from pbstore.client.ticket_cache import Ticket
from pbstore.errors import PbstoreError

INTERVAL_SECONDS = 15 * 60.0
"""Short enough that a server that is away for an hour does not end the login."""
STOP_SECONDS = 1.0


class TicketRenewal:
    """Exchanges the ticket for a new one now and then, in a thread of its own, and puts it into the credentials."""

    def __init__(
        self,
        credentials: Credentials,
        ticket: Ticket,
        renew: Callable[[Ticket], Ticket],
        *,
        interval_seconds: float = INTERVAL_SECONDS,
    ):
        """Do not start yet; `renew` asks the server, and is called from the thread."""
        self._credentials = credentials
        self._ticket = ticket
        self._renew = renew
        self._interval_seconds = interval_seconds
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="ticket renewal")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a request that is on its way is not waited for long."""
        self._is_over.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._is_over.wait(self._interval_seconds):
            try:
                self._ticket = self._renew(self._ticket)
            except (PbstoreError, OSError):
                # The old ticket still holds for a while: the next attempt may find the server again.
                continue
            self._credentials.headers = ticket_credentials(self._ticket).headers
