"""What both kinds of sessions do alike: answer calls by their routes and note the failed ones in the task log."""

import itertools

from pbstore.api.envelopes import Response
from pbstore.api.route_table import RouteTable
from pbstore.model.auth_id import AuthId
from pbstore.session.session_router import answer, call_line, failure_line
from pbstore.session.session_task import SessionTask

MAX_FAILURE_LINES = 1000


class SessionControl:
    """The control side of a connection; all methods may be called from any thread."""

    def __init__(self, routes: RouteTable, task: SessionTask, caller: AuthId, *, debug: bool):
        self._routes = routes
        self._task = task
        self._caller = caller
        self._debug = debug
        self._failures = itertools.count(1)

    def handle(self, method: str, path: str, query: str, content_type: str | None, body: bytes) -> Response:
        """Answer one call that the front does not serve itself."""
        if self._debug:
            self._task.log(call_line(method, path))
        response = answer(
            self._routes,
            self,
            http_method=method,
            path=path,
            query=query,
            content_type=content_type,
            body=body,
            caller=self._caller,
        )
        if response[0] >= 400 and isinstance(response[2], bytes):
            self.failed(method, path, response[0], response[2].decode(errors="replace"))
        return response

    def failed(self, method: str, path: str, status: int, message: str) -> None:
        """Note a failed call in the task log, as long as it is not one of very many; the session goes on."""
        number = next(self._failures)
        if number <= MAX_FAILURE_LINES:
            self._task.log(failure_line(method, path, status, message))
        elif number == MAX_FAILURE_LINES + 1:
            self._task.log("too many failed calls: the following ones are not logged")
