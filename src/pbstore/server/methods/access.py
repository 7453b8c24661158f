"""Logging in and out, and what one may do (auth.md 4 and 9)."""

import json
from dataclasses import replace

from pbstore.access.credentials import ticket_of
from pbstore.access.failed_logins import address_of
from pbstore.access.login import LoginResult
from pbstore.access.permission_list import permissions_of
from pbstore.access.privileges import SYS_AUDIT
from pbstore.access.terminal_tickets import is_terminal_ticket
from pbstore.access.tickets import is_ticket, ticket_info
from pbstore.api.envelopes import EXPIRE_COOKIE
from pbstore.api.method import Call, RawReply, method
from pbstore.api.permission import ANYBODY, WORLD, known_caller
from pbstore.api.result import Object, Result, always
from pbstore.api.schema import Boolean, Integer, Parameter, String
from pbstore.errors import AuthenticationError, PbstoreError
from pbstore.model.auth_id import AuthId, UserId
from pbstore.server.account_results import LOGIN, PERMISSIONS
from pbstore.server.parameters import USERNAME
from pbstore.server.proof import proof_of
from pbstore.server.registry import Registry
from pbstore.server.terminal_check import PATH, PORT, PRIVILEGE, Terminal, check_terminal

JSON_WITHOUT_CHARSET = ("content-type", "application/json")
SUCCESS = (
    always("status", Integer(description="200")),
    always("success", Boolean(description="true")),
)

PASSWORD = Parameter(
    name="password",
    schema=String(description="password, or a ticket to renew", maximum_length=16384),
    optional=True,
)
# Of a terminal whose ticket stands in place of the password; beside a real password they mean nothing.
TERMINAL = (replace(PATH, optional=True), replace(PRIVILEGE, optional=True), PORT)
TFA_CHALLENGE = Parameter(
    name="tfa-challenge", schema=String(description="ticket of the first step", maximum_length=16384), optional=True
)
HTTP_ONLY = Parameter(
    name="http-only",
    schema=Boolean(description="send the ticket as a cookie that scripts cannot read"),
    optional=True,
    default=False,
)
AUTH_ID = Parameter(name="auth-id", schema=String(description="whose", convert=AuthId.parse), optional=True)
ACL_PATH = Parameter(
    name="path",
    schema=String(description="only this path", pattern=r"/|(?:/[A-Za-z0-9_][A-Za-z0-9._\-]*)+"),
    optional=True,
)


@method(
    "POST",
    "/access/ticket",
    permission=WORLD,
    parameters=(USERNAME, PASSWORD, *TERMINAL, TFA_CHALLENGE, HTTP_ONLY),
    result=Result(data=LOGIN, beside=SUCCESS),
)
def create_ticket(
    call: Call[Registry],
    *,
    username: UserId,
    password: str | None,
    http_only: bool,
    tfa_challenge: str | None,
    path: str | None,
    privs: str | None,
    port: int | None,
) -> RawReply:
    """Log in, renew a login, or check the ticket of a terminal."""
    if password is not None and is_terminal_ticket(password) and path and privs and port is not None:
        with proof_of(call, username):
            check_terminal(call, AuthId(username), password, Terminal(path, privs, port))
        return RawReply(_envelope({"username": str(username)}), (JSON_WITHOUT_CHARSET,))
    cookie = ticket_of(call.headers) if http_only else None
    if password is None and cookie is None:
        raise PbstoreError("no password provided")
    with proof_of(call, username):
        if tfa_challenge is not None:
            raise AuthenticationError("no second factor is enabled")
        result = _login(call, username, password, cookie)
    call.state.auth_log.success(username)
    return _ticket_reply(result, http_only=http_only)


@method(
    "DELETE",
    "/access/ticket",
    permission=WORLD,
    result=Result(data=Object(description="nothing", properties=()), beside=SUCCESS),
)
def delete_ticket(call: Call[Registry]) -> RawReply:
    """Log out: the cookie expires."""
    return RawReply(_envelope({}), (EXPIRE_COOKIE,))


@method("GET", "/access/permissions", permission=ANYBODY, parameters=(AUTH_ID, ACL_PATH), result=PERMISSIONS)
def permissions(call: Call[Registry], *, auth_id: AuthId | None, path: str | None) -> dict[str, dict[str, bool]]:
    """What somebody may do where; the value says whether it holds below the path too."""
    caller = known_caller(call.caller)
    whose = auth_id or caller
    rights = call.state.rights
    is_own_token = whose.is_token and whose.user == caller.user and not caller.is_token
    if whose != caller and not is_own_token and SYS_AUDIT not in rights.privileges(caller, "/access"):
        raise PbstoreError("not allowed to list permissions of other users")
    return permissions_of(rights, whose, path)


def _login(call: Call[Registry], user: UserId, password: str | None, cookie: str | None) -> LoginResult:
    """Try to renew the cookie's ticket first; a password beside it then means a real login."""
    login, address = call.state.login, address_of(call.peer)
    if cookie is None:
        return login.login(user, password or "", address=address)
    try:
        if not is_ticket(cookie):
            raise AuthenticationError("the cookie holds no ticket")
        return login.login(user, cookie, address=address)
    except AuthenticationError:
        if password is None:
            raise
    return login.login(user, password, address=address, allow_renewal=False)


def _ticket_reply(result: LoginResult, *, http_only: bool) -> RawReply:
    data = {"username": str(result.user), "CSRFPreventionToken": result.csrf_token}
    if not http_only:
        return RawReply(_envelope({**data, "ticket": result.ticket}), (JSON_WITHOUT_CHARSET,))
    cookie = f"__Host-PBSAuthCookie={result.ticket}; Secure; SameSite=Lax; HttpOnly; Path=/;"
    headers = (JSON_WITHOUT_CHARSET, ("set-cookie", cookie))
    return RawReply(_envelope({**data, "ticket-info": ticket_info(result.ticket)}), headers)


def _envelope(data: dict[str, str]) -> bytes:
    """These answers are JSON in every format, and always say success (version-4.md 12)."""
    return json.dumps({"data": data, "status": 200, "success": True}, separators=(",", ":")).encode()


METHODS = (create_ticket, delete_ticket, permissions)
