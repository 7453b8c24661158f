"""Log in: a ticket for users, the secret itself for API tokens (auth.md 3, 4)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from pbstore import _core
from pbstore.client.answers import data_of
from pbstore.client.ticket_cache import Ticket
from pbstore.errors import AuthenticationError, ProtocolError, ServerError
from pbstore.model.auth_id import AuthId

HOST_COOKIE = "__Host-PBSAuthCookie"
PLAIN_COOKIE = "PBSAuthCookie"
# What clients leave as it is: all but controls, blank, "#<>?`{} and non-ASCII (auth.md 3); `%` must not stay either.
_SAFE = "!$&'()*+,-./:;=@[\\]^_|~"


@dataclass
class Credentials:
    """The header fields that prove who calls; replaced as a whole when a ticket is renewed."""

    headers: Sequence[tuple[str, str]]


def ticket_credentials(ticket: Ticket) -> Credentials:
    """Credentials of a logged-in user."""
    cookie = f"{ticket.cookie_name}={quote(ticket.ticket, safe=_SAFE.replace(';', ''))}"
    return Credentials([("cookie", cookie), ("csrfpreventiontoken", ticket.csrf_token)])


def token_credentials(auth_id: AuthId, secret: str) -> Credentials:
    """Credentials of an API token."""
    return Credentials([("authorization", f"PBSAPIToken={auth_id}:{quote(secret, safe=_SAFE)}")])


def request_ticket(connection: _core.Connection, user: AuthId, password: str) -> Ticket:
    """Exchange a password, or a ticket that still holds, for a new ticket.

    Raises:
        AuthenticationError: the server refuses, or wants a second factor.
        ConnectionFailedError: the server cannot be reached, or its certificate is not trusted.
        ProtocolError: an answer without a ticket.
    """
    body = json.dumps({"username": str(user), "password": password}).encode()
    headers = [("content-type", "application/json")]
    status, fields, answer = connection.request("POST", "/api2/json/access/ticket", headers, body)
    try:
        data = data_of(status, answer)
    except ServerError as error:
        if error.status == 401:
            raise AuthenticationError(f"login as '{user}' failed - {error}") from None
        raise
    if not isinstance(data, dict):
        raise ProtocolError("the server's answer to the login is no object")
    cookie = _host_cookie(fields)
    ticket, csrf_token = cookie or data.get("ticket"), data.get("CSRFPreventionToken")
    if not isinstance(ticket, str) or not isinstance(csrf_token, str):
        raise ProtocolError("the server's answer to the login has no ticket")
    if "!tfa!" in ticket or "%21tfa%21" in ticket:
        raise AuthenticationError(f"'{user}' has a second factor, which this client cannot ask for: use an API token")
    return Ticket(ticket, csrf_token, HOST_COOKIE if cookie else PLAIN_COOKIE)


def _host_cookie(fields: Sequence[tuple[str, str]]) -> str | None:
    """The ticket, if the server hands it out as a cookie only (version-4.md 0.1 C1); empty cookies expire others."""
    for name, value in fields:
        cookie, _, _ = value.partition(";")
        key, _, ticket = cookie.partition("=")
        if name == "set-cookie" and key.strip() == HOST_COOKIE and ticket.strip():
            return ticket.strip()
    return None
