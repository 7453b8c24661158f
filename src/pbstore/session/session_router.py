"""Routing of the calls inside a session: the same descriptions and parameter rules as REST, without credentials.

Who may do what was decided when the session was opened (protocol-transport.md 4.3). Answers are JSON envelopes or
streams; errors are plain text, and none of them ends the session.
"""

from http import HTTPStatus
from typing import Any

from pbstore.api.envelopes import Response, failure, success
from pbstore.api.method import Call, Method
from pbstore.api.permission import Rights, World
from pbstore.api.request_parameters import request_parameters
from pbstore.api.route_table import RouteTable
from pbstore.errors import FormatError, PbstoreError, system_error_text
from pbstore.model.auth_id import AuthId

MAX_LINE_CHARS = 4096


class DecidedAtUpgrade(World):
    """The permission of session calls: given when the session was opened."""


DECIDED_AT_UPGRADE = DecidedAtUpgrade()


class NoRights(Rights):
    """Rights of a session call: it must not need any."""

    def privileges(self, auth_id: AuthId, path: str) -> tuple[str, ...]:
        """Return nothing."""
        return ()


_NO_RIGHTS = NoRights()


def answer(
    routes: RouteTable,
    session: object,
    *,
    http_method: str,
    path: str,
    query: str,
    content_type: str | None,
    body: bytes,
    caller: AuthId,
) -> Response:
    """Run one call of `session` and return its answer; only errors of this project become answers."""
    try:
        match = routes.find(http_method, path)
        values = _parameters(match.method, query, content_type, body)
        call = Call[Any](state=session, rights=_NO_RIGHTS, caller=caller, peer="", body=body)
        return success("json", match.method.invoke(call, values))
    except PbstoreError as error:
        status, _, text = failure("json", error)
        return status, [], text
    except OSError as error:
        return HTTPStatus.BAD_REQUEST, [], f"{path}: {system_error_text(error)}".encode(errors="replace")


def call_line(http_method: str, path: str) -> str:
    """Return the task log's line about a call, in detailed logs."""
    return _line(f"{http_method} {path}")


def failure_line(http_method: str, path: str, status: int, message: str) -> str:
    """Return the task log's line about a failed call."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Unknown"
    return _line(f"{http_method} {path}: {status} {reason}: {message}")


def _line(text: str) -> str:
    """Make a single line of bounded length and without control characters, whatever the client put into it."""
    return "".join(character if character.isprintable() else " " for character in text[:MAX_LINE_CHARS])


def _parameters(method: Method, query: str, content_type: str | None, body: bytes) -> dict[str, Any]:
    if method.raw_body is None:
        return request_parameters(method.parameters, query=query, content_type=content_type, body=body)
    if len(body) > method.raw_body:
        raise FormatError(f"request body is too large: at most {method.raw_body} bytes")
    return request_parameters(method.parameters, query=query)
