"""The application behind the front: one request in, one answer out (docs/protocol/rest.md)."""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from pbstore._core import FileBody, Request, SessionGrant
from pbstore.api.envelopes import (
    Format,
    Response,
    deflated,
    delay,
    failure,
    parse_format,
    plain_error,
    success,
    unauthenticated,
)
from pbstore.api.method import Call, Method
from pbstore.api.request_parameters import request_parameters
from pbstore.api.route_table import Match, RouteTable
from pbstore.errors import AuthenticationError, FormatError, NotFoundError, PbstoreError, system_error_text
from pbstore.model.auth_id import AuthId
from pbstore.server.access_log import access_line
from pbstore.server.documents import Documents
from pbstore.server.registry import Registry

MAX_TARGET_LENGTH = 3072
API_PREFIX = "/api2"

_log = logging.getLogger(__name__)


class Application:
    """What the front calls, on any of its threads; `sleep` and the registry's clock can be replaced in tests."""

    def __init__(self, registry: Registry, routes: RouteTable, *, sleep: Callable[[float], None] = time.sleep):
        self._registry = registry
        self._routes = routes
        self._sleep = sleep
        self._documents = Documents(routes)

    def handle(self, request: Request) -> Response:
        """Answer an ordinary request."""
        exchange = _Exchange(self._registry, self._routes, request, may_upgrade=False)
        document = self._documents.find(request.method, request.path)
        return self._finished(exchange, exchange.response() if document is None else exchange.deflated(document))

    def handle_for(self, caller: AuthId, request: Request) -> Response:
        """Answer a request whose caller is known already, without looking for credentials."""
        exchange = _Exchange(self._registry, self._routes, request, may_upgrade=False, caller=caller)
        return self._finished(exchange, exchange.response())

    def authorize(self, request: Request) -> Response | SessionGrant:
        """Answer a request that wants to become a session: with a grant, or like any other."""
        exchange = _Exchange(self._registry, self._routes, request, may_upgrade=True)
        outcome = exchange.response_or_grant()
        if isinstance(outcome, SessionGrant):
            exchange.log(HTTPStatus.SWITCHING_PROTOCOLS, 0)
            return outcome
        return self._finished(exchange, outcome)

    def _finished(self, exchange: "_Exchange", response: Response) -> Response:
        status, _, body = response
        size = body.size if isinstance(body, FileBody) else len(body) if isinstance(body, bytes) else 0
        exchange.log(status, size or 0)
        delay(exchange.delayed_as or status, self._sleep)
        return response


class _Exchange:
    """One request while it is answered."""

    def __init__(
        self,
        registry: Registry,
        routes: RouteTable,
        request: Request,
        *,
        may_upgrade: bool,
        caller: AuthId | None = None,
    ):
        self._registry = registry
        self._routes = routes
        self._request = request
        self._headers = tuple((name, value) for name, value in request.headers if may_upgrade or name != "upgrade")
        self._caller = caller
        self.delayed_as: int | None = None

    def response(self) -> Response:
        """Answer with anything but a session."""
        outcome = self.response_or_grant()
        if isinstance(outcome, SessionGrant):
            raise TypeError(f"{self._request.path}: a session was opened without an upgrade")
        return outcome

    def response_or_grant(self) -> Response | SessionGrant:
        """Run the method that the request names."""
        request = self._request
        if len(request.target) > MAX_TARGET_LENGTH:
            return HTTPStatus.REQUEST_URI_TOO_LONG, [], b""
        parts = request.path.strip("/").split("/", 2)
        if f"/{parts[0]}" != API_PREFIX:
            return plain_error(HTTPStatus.NOT_FOUND, f"no such file: '{request.path.strip('/')}'")
        if len(parts) == 1:
            return plain_error(HTTPStatus.NOT_FOUND, f"invalid api path '{request.path}'")
        try:
            output_format = parse_format(parts[1])
        except FormatError as error:
            return plain_error(HTTPStatus.BAD_REQUEST, str(error))
        return self._api(output_format, "/" + "".join(parts[2:]))

    def deflated(self, response: Response) -> Response:
        """Compress the body if the client takes that."""
        return deflated(response, self._header("accept-encoding") or "")

    def log(self, status: int, size: int) -> None:
        """Write the line of the access log."""
        line = access_line(
            peer=self._request.peer,
            caller=self._caller,
            now=self._registry.clock(),
            method=self._request.method,
            target=self._request.target,
            status=status,
            size=size,
            agent=self._header("user-agent") or "",
        )
        self._registry.access_log.write(line)

    def _api(self, output_format: Format, path: str) -> Response | SessionGrant:
        try:
            match, not_found = self._find(path)
            if self._caller is None and (match is None or match.method.permission.needs_login):
                self._authenticate()
            if match is None:
                raise not_found or NotFoundError(f"Path '{self._request.path}' not found.")
        except AuthenticationError as error:
            return unauthenticated(str(error))
        except PbstoreError as error:
            return self._failed(output_format, error)
        try:
            result = self._invoke(match)
            if isinstance(result, SessionGrant):
                return result
            return self.deflated(success(output_format, result))
        except PbstoreError as error:
            return self._failed(output_format, error)
        except OSError as error:
            return self._failed(output_format, _system_error(error))

    def _find(self, path: str) -> tuple[Match | None, NotFoundError | None]:
        """Look the method up; that there is none is told only to those who may know."""
        try:
            return self._routes.find(self._request.method, path, self._request.path), None
        except NotFoundError as error:
            return None, error

    def _authenticate(self) -> None:
        try:
            self._caller = self._registry.credentials.authenticate(self._request.method, self._headers)
        except AuthenticationError as error:
            self._registry.auth_log.failure(self._request.peer, str(error))
            raise

    def _invoke(self, match: Match) -> object:
        values = self._parameters(match.method, match.path_values)
        call = Call[Any](
            state=self._registry,
            rights=self._registry.rights,
            caller=self._caller,
            peer=self._request.peer,
            headers=self._headers,
            body=self._request.body,
        )
        return match.method.invoke(call, values)

    def _parameters(self, method: Method, path_values: dict[str, str]) -> dict[str, Any]:
        request = self._request
        if method.raw_body is None:
            return request_parameters(
                method.parameters,
                query=request.query,
                content_type=self._header("content-type"),
                body=request.body,
                path_values=path_values,
            )
        if len(request.body) > method.raw_body:
            raise FormatError(f"request body is too large: at most {method.raw_body} bytes")
        return request_parameters(method.parameters, query=request.query, path_values=path_values)

    def _failed(self, output_format: Format, error: PbstoreError) -> Response:
        self.delayed_as = error.status
        return failure(output_format, error)

    def _header(self, name: str) -> str | None:
        return next((value for key, value in self._headers if key == name), None)


def _system_error(error: OSError) -> PbstoreError:
    """Say what the system refused, in the words that clients of the original look for (version-4.md 0.1 C12)."""
    _log.warning("a call failed: %s", error)
    if isinstance(error, FileNotFoundError):
        return PbstoreError("ENOENT: No such file or directory")
    return PbstoreError(system_error_text(error))
