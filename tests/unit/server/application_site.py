"""The application without its front: real files, real requests, a clock and a sleep that the test owns."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from pbstore._core import FileBody, Request, SessionGrant
from pbstore.access.pam_realm import PamRealm
from pbstore.config.roots import Roots
from pbstore.server.application import Application
from pbstore.server.methods.all_methods import ROUTES
from pbstore.server.registry import Registry
from unit.server.described_answers import check_answer

START = 1_780_300_800.0
PASSWORDS = {"admin": "Admin12345", "archiver": "Archiver12345", "nobody": "Nobody12345"}


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of an answer."""

    status: int
    headers: dict[str, str]
    body: object

    @property
    def text(self) -> str:
        """The body as text."""
        assert isinstance(self.body, bytes)
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        """`data` of a 200 answer."""
        assert self.status == 200, self
        return self.json["data"]

    @property
    def file_size(self) -> int:
        """Bytes of a streamed file."""
        assert isinstance(self.body, FileBody), self
        assert self.body.size is not None
        return self.body.size


@dataclass
class Site:
    """An application and how to call it; `holds_answers` to what the descriptions say of them."""

    roots: Roots
    now: float = START
    slept: list[float] = field(default_factory=list)
    holds_answers: bool = True
    pam: PamRealm | None = None

    def __post_init__(self) -> None:
        self.registry = Registry(self.roots, clock=lambda: self.now, pam=self.pam)
        self.application = Application(self.registry, ROUTES, sleep=self.slept.append)

    def call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        target: str | None = None,
    ) -> Answer:
        """Send a request; `parameters` become a query, or a form for PUT and POST without a `body`."""
        status, sent_headers, answer_body = self.application.handle(
            self._request(method, path, parameters, headers, body, target)
        )
        return self._described(method, path, status, sent_headers, answer_body)

    def raw(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        """Send a request whose query is encoded already."""
        request = Request(method=method, path=path, query=query, headers=list(headers.items()), peer="127.0.0.1:4711")
        status, sent_headers, body = self.application.handle(request)
        return self._described(method, path, status, sent_headers, body)

    def upgrade(self, path: str, parameters: Mapping[str, object], headers: Mapping[str, str]) -> Answer | SessionGrant:
        """Ask for a session."""
        outcome = self.application.authorize(self._request("GET", path, parameters, headers, None, None))
        return outcome if isinstance(outcome, SessionGrant) else Answer(outcome[0], dict(outcome[1]), outcome[2])

    def login(self, name: str) -> dict[str, str]:
        """The headers of a ticket."""
        parameters = {"username": f"{name}@pbs", "password": PASSWORDS[name]}
        data = self.call("POST", "/api2/json/access/ticket", parameters).data
        return {"cookie": f"PBSAuthCookie={data['ticket']}", "csrfpreventiontoken": data["CSRFPreventionToken"]}

    @property
    def access_log(self) -> list[str]:
        """Lines of the access log."""
        return self.roots.access_log.read_text().splitlines()

    @property
    def auth_log(self) -> list[str]:
        """Lines of the log of logins."""
        return self.roots.auth_log.read_text().splitlines()

    def _described(self, method: str, path: str, status: int, headers: list[tuple[str, str]], body: object) -> Answer:
        if status == 200 and path.startswith("/api2/") and self.holds_answers:
            check_answer(method, path, headers, body)
        return Answer(status, dict(headers), body)

    def _request(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, object] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        target: str | None,
    ) -> Request:
        encoded = urlencode(parameters or {}, doseq=True)
        is_form = method in ("PUT", "POST") and body is None
        return Request(
            method=method,
            path=path,
            query="" if is_form else encoded,
            target=target,
            headers=[("user-agent", "test/1"), *(headers or {}).items()],
            body=encoded.encode() if is_form else body or b"",
            peer="127.0.0.1:4711",
        )
