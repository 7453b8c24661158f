"""Whether a terminal's ticket is good, and its holder may use the terminal (auth.md 4)."""

from dataclasses import dataclass

from pbstore.access.terminal_tickets import check_terminal_ticket
from pbstore.api.method import Call
from pbstore.api.schema import Integer, Parameter, String
from pbstore.errors import AuthenticationError
from pbstore.model.auth_id import AuthId
from pbstore.server.account_parameters import ACL_PATH
from pbstore.server.registry import Registry

PATH = Parameter(name="path", schema=ACL_PATH)
PRIVILEGE = Parameter(name="privs", schema=String(description="Name of the privilege that is needed on the path."))
PORT = Parameter(
    name="port", schema=Integer(description="Port of the terminal.", minimum=0, maximum=65535), optional=True
)


@dataclass(frozen=True)
class Terminal:
    """What a ticket is for: the privilege on the path is what its holder needs."""

    path: str
    privilege: str
    port: int | None


def check_terminal(call: Call[Registry], auth_id: AuthId, ticket: str, terminal: Terminal) -> None:
    """Return if the ticket is good and its holder active and allowed.

    Raises:
        AuthenticationError: for the log; a client is not told why.
    """
    registry, now = call.state, call.state.clock()
    check_terminal_ticket(registry.auth_key, ticket, auth_id, terminal.path, terminal.port, now)
    if not registry.users.load().is_active(auth_id, now):
        raise AuthenticationError("user account or token disabled or expired.")
    if terminal.privilege not in call.rights.privileges(auth_id, terminal.path):
        raise AuthenticationError(f"no privilege '{terminal.privilege}' on {terminal.path}")
