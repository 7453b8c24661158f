"""Sign in where nobody can be asked: address, user, secret and fingerprint are known beforehand.

What a storage host or another server uses; the command line asks, and keeps tickets, in `cli`.
"""

from dataclasses import dataclass, field
from typing import Any

from pbstore import _core
from pbstore.client.answers import data_of, rows_of
from pbstore.client.login import Credentials, request_ticket, ticket_credentials, token_credentials
from pbstore.client.repository import DEFAULT_PORT, RepositorySpec, server_name_of
from pbstore.client.server import Server
from pbstore.model.auth_id import AuthId
from pbstore.model.fingerprint import Fingerprint


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """A backup server and who asks. Without `fingerprint` the system's authorities have to vouch for it."""

    host: str
    port: int = DEFAULT_PORT
    user: AuthId
    password: str = field(repr=False)
    fingerprint: Fingerprint | None = None

    def repository(self, datastore: str) -> RepositorySpec:
        """A datastore on this server."""
        return RepositorySpec(datastore, self.user, server_name_of(self.host), self.port)


def open_server(entrance: Entrance, datastore: str) -> Server:
    """Return the server, signed in.

    Raises:
        AuthenticationError: the server refuses the credentials.
        ConnectionFailedError: it cannot be reached, or its certificate is not trusted.
        ProtocolError: an answer that makes no sense.
    """
    connection = _connection(entrance)
    return Server(connection, entrance.repository(datastore), _credentials(entrance, connection))


def list_datastores(entrance: Entrance) -> list[dict[str, Any]]:
    """The datastores that the user may see, as the server lists them: objects with `store` and perhaps `comment`.

    Raises:
        AuthenticationError: the server refuses the credentials.
        ConnectionFailedError: it cannot be reached, or its certificate is not trusted.
        ServerError, ProtocolError: another answer than a list.
    """
    connection = _connection(entrance)
    headers = [*_credentials(entrance, connection).headers]
    status, _, body = connection.request("GET", "/api2/json/admin/datastore", headers)
    return rows_of(data_of(status, body))


def _connection(entrance: Entrance) -> _core.Connection:
    fingerprint = None if entrance.fingerprint is None else str(entrance.fingerprint)
    return _core.Connection(entrance.host, entrance.port, fingerprint=fingerprint)


def _credentials(entrance: Entrance, connection: _core.Connection) -> Credentials:
    if entrance.user.is_token:
        return token_credentials(entrance.user, entrance.password)
    return ticket_credentials(request_ticket(connection, entrance.user, entrance.password))
