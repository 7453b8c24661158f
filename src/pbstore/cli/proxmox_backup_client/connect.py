"""Connect and log in: expected fingerprint, password, ticket cache, and the questions on the terminal."""

import contextlib
from collections.abc import Callable
from typing import TypeVar

from pbstore import _core
from pbstore.cli.console import Console
from pbstore.client.fingerprint_cache import FingerprintCache
from pbstore.client.login import Credentials, request_ticket, ticket_credentials, token_credentials
from pbstore.client.places import ClientPlaces
from pbstore.client.repository import RepositorySpec
from pbstore.client.repository_history import RepositoryHistory
from pbstore.client.secrets import read_credential, read_secret
from pbstore.client.server import Server
from pbstore.client.ticket_cache import Ticket, TicketCache
from pbstore.client.ticket_renewal import TicketRenewal
from pbstore.errors import AuthenticationError, CertificateError, FormatError
from pbstore.model.fingerprint import Fingerprint

Answer = TypeVar("Answer")


def connect(console: Console, repository: RepositorySpec, limit: _core.TrafficLimit | None = None) -> Server:
    """Return the server of the repository, logged in; `limit` holds for all connections to it together.

    Raises:
        ConnectionFailedError: it cannot be reached, or its certificate was not confirmed.
        AuthenticationError: the server refuses the credentials.
        NoTerminalError: a password is needed, but there is none and nobody to ask.
    """
    entry = _Entry(console, repository, limit)
    credentials = entry.credentials()
    entry.remember()
    return Server(entry.connection, repository, credentials)


def repository_history(console: Console) -> RepositoryHistory:
    """The repositories that were used before."""
    return RepositoryHistory(ClientPlaces.from_environment(console.environment).place_cache("repo-list"))


def ticket_cache(console: Console) -> TicketCache:
    """The cache of this login session."""
    return TicketCache(ClientPlaces.from_environment(console.environment).place_runtime("tickets"))


class _Entry:
    """The way in: `connection` becomes another object when the user confirms a certificate."""

    def __init__(self, console: Console, repository: RepositorySpec, limit: _core.TrafficLimit | None):
        self.console = console
        self.repository = repository
        self.limit = limit
        self.fingerprints = FingerprintCache(
            ClientPlaces.from_environment(console.environment).place_config("fingerprints")
        )
        self.given = _given_fingerprint(console)
        self.expected = self.given or self.fingerprints.load(repository.server_name)
        self.proxy = console.environment.get("ALL_PROXY") or None
        if self.proxy is not None:
            console.info(f"Using proxy connection: {self.proxy.rpartition('@')[2].removeprefix('http://')}")
        self.connection = self.make_connection(self.expected)

    def make_connection(self, fingerprint: Fingerprint | None) -> _core.Connection:
        host, port = self.repository.address
        text = None if fingerprint is None else str(fingerprint)
        return _core.Connection(host, port, fingerprint=text, proxy=self.proxy, limit=self.limit)

    def credentials(self) -> Credentials:
        password = read_secret("PBS_PASSWORD", self.console.environment, "password")
        user = self.repository.user
        if user.is_token:
            self.trusted(lambda connection: connection.request("GET", "/api2/json/ping", []))
            return token_credentials(user, self.ask() if password is None else password)
        cache = ticket_cache(self.console)
        ticket = self.renewed(cache) if password is None else None
        if ticket is None:
            # Before a password is asked for: whoever types it should know that the server is the right one.
            self.trusted(lambda connection: connection.request("GET", "/api2/json/ping", []))
            secret = self.ask() if password is None else password
            ticket = request_ticket(self.connection, user, secret)
        cache.store(self.repository.server_name, str(user), ticket)
        credentials = ticket_credentials(ticket)
        self.keep_alive(credentials, ticket, cache)
        return credentials

    def keep_alive(self, credentials: Credentials, ticket: Ticket, cache: TicketCache) -> None:
        """Renew the ticket in the background until the program ends, over a connection of its own."""
        user = self.repository.user
        connection = self.make_connection(self.expected)

        def renew(old: Ticket) -> Ticket:
            new = request_ticket(connection, user, old.ticket)
            cache.store(self.repository.server_name, str(user), new)
            return new

        renewal = TicketRenewal(credentials, ticket, renew)
        renewal.start()
        self.console.at_end(renewal.stop)

    def remember(self) -> None:
        """Count the repository for completion; that it cannot be written is nobody's trouble."""
        with contextlib.suppress(OSError):
            repository_history(self.console).add(str(self.repository))

    def renewed(self, cache: TicketCache) -> Ticket | None:
        """A new ticket in exchange for the cached one."""
        user = self.repository.user
        cached = cache.load(self.repository.server_name, str(user))
        if cached is None:
            return None
        try:
            return self.trusted(lambda connection: request_ticket(connection, user, cached.ticket))
        except AuthenticationError:
            cache.remove(self.repository.server_name, str(user))
            return None

    def ask(self) -> str:
        return self.console.ask_password(f'Password for "{self.repository.user}": ')

    def trusted(self, call: Callable[[_core.Connection], Answer]) -> Answer:
        """Make a call; a certificate that nobody vouches for is shown to the user, who may confirm it."""
        try:
            return call(self.connection)
        except CertificateError as error:
            fingerprint = Fingerprint.parse(error.fingerprint)
            self.confirm(fingerprint)
        self.expected = fingerprint
        self.connection = self.make_connection(fingerprint)
        answer = call(self.connection)
        if self.given is None:
            self.fingerprints.store(self.repository.server_name, fingerprint)
        return answer

    def confirm(self, fingerprint: Fingerprint) -> None:
        if self.expected is not None:
            self.console.warn("WARNING: certificate fingerprint does not match expected fingerprint!")
            self.console.warn(f"expected:    {self.expected}")
        if self.console.is_interactive:
            self.console.warn(f"fingerprint: {fingerprint}")
            if self.console.confirm("Are you sure you want to continue connecting?"):
                return
        raise CertificateError(
            f"Certificate fingerprint was not confirmed. {self.repository.server_name} shows {fingerprint}; "
            "if that is right, set PBS_FINGERPRINT to it",
            str(fingerprint),
        )


def _given_fingerprint(console: Console) -> Fingerprint | None:
    text = console.environment.get("PBS_FINGERPRINT") or read_credential("fingerprint", console.environment)
    try:
        return Fingerprint.parse(text) if text else None
    except FormatError as error:
        raise FormatError(f"PBS_FINGERPRINT: {error}") from None
