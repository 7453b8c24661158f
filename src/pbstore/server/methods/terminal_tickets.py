"""Tickets of terminals, as whoever serves the terminal has them checked (version-4.md 12)."""

from pbstore.api.method import Call, method
from pbstore.api.permission import WORLD
from pbstore.api.schema import Parameter, String
from pbstore.model.auth_id import AuthId
from pbstore.server.proof import proof_of
from pbstore.server.registry import Registry
from pbstore.server.terminal_check import PATH, PORT, PRIVILEGE, Terminal, check_terminal

AUTH_ID = Parameter(name="authid", schema=String(description="User or API token.", convert=AuthId.parse))
TICKET = Parameter(name="vncticket", schema=String(description="The ticket.", maximum_length=16384))


@method("POST", "/access/vncticket", permission=WORLD, parameters=(AUTH_ID, TICKET, PATH, PRIVILEGE, PORT))
def check_ticket(
    call: Call[Registry], *, authid: AuthId, vncticket: str, path: str, privs: str, port: int | None
) -> None:
    """Return if the ticket is good for that terminal."""
    with proof_of(call, authid.user):
        check_terminal(call, authid, vncticket, Terminal(path, privs, port))


METHODS = (check_ticket,)
