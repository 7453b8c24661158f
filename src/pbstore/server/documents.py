"""What is served to browsers beside the API: the API viewer and the OpenAPI document (docs/protocol/rest.md)."""

import json
import threading
from http import HTTPStatus

from pbstore import __version__
from pbstore.api.envelopes import Headers, Response
from pbstore.api.openapi import openapi_document
from pbstore.api.route_table import RouteTable
from pbstore.server.viewer.page import content_security_policy, viewer_page

VIEWER_PATH = "/docs/api-viewer"
PAGE_PATH = f"{VIEWER_PATH}/index.html"
OPENAPI_PATH = f"{VIEWER_PATH}/openapi.json"
TITLE = "pbstore API"
_SECURITY: Headers = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-cache"),
]


class Documents:
    """Made when the first one asks; the same for everybody, as it says nothing of this server but its version."""

    def __init__(self, routes: RouteTable):
        self._routes = routes
        self._lock = threading.Lock()
        self._made: dict[str, Response] = {}

    def find(self, http_method: str, path: str) -> Response | None:
        """Return what is at a path, None if nothing is."""
        if http_method not in ("GET", "HEAD"):
            return None
        if path == VIEWER_PATH:
            return HTTPStatus.FOUND, [("location", PAGE_PATH)], b""
        if path not in (PAGE_PATH, OPENAPI_PATH):
            return None
        with self._lock:
            self._made = self._made or self._make()
        return self._made[path]

    def _make(self) -> dict[str, Response]:
        document = openapi_document(self._routes, title=TITLE, version=__version__)
        page: Response = (
            HTTPStatus.OK,
            [
                ("content-type", "text/html;charset=UTF-8"),
                ("content-security-policy", content_security_policy()),
                *_SECURITY,
            ],
            viewer_page(document),
        )
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        return {
            PAGE_PATH: page,
            OPENAPI_PATH: (HTTPStatus.OK, [("content-type", "application/json"), *_SECURITY], text),
        }
