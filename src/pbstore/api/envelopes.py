"""How results and errors look on the wire: the formats `json` and `extjs` (protocol-transport.md 3.2)."""

import json
import zlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Literal

from pbstore.api.method import RawReply, Reply
from pbstore.errors import FormatError, ParameterError, PbstoreError

Format = Literal["json", "extjs"]
Headers = list[tuple[str, str]]
Response = tuple[int, Headers, object]

JSON_TYPE = ("content-type", "application/json;charset=UTF-8")
EXPIRE_COOKIE = (
    "set-cookie",
    "__Host-PBSAuthCookie=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; SameSite=Lax; HttpOnly; Path=/;",
)
UNAUTHORIZED_DELAY_SECONDS = 3.0
FORBIDDEN_DELAY_SECONDS = 0.5
_MIN_DEFLATE_BYTES = 1024
_FORMATS: dict[str, Format] = {"json": "json", "extjs": "extjs"}


def parse_format(name: str) -> Format:
    """Return the format that stands behind `/api2/`.

    Raises:
        FormatError: no such format.
    """
    if name not in _FORMATS:
        raise FormatError(f"Unsupported output format '{name}'.")
    return _FORMATS[name]


def success(output_format: Format, result: object) -> Response:
    """Wrap what a handler returned."""
    if isinstance(result, RawReply):
        return HTTPStatus.OK, list(result.headers), result.body
    reply = result if isinstance(result, Reply) else Reply(result)
    value: dict[str, object] = {"data": reply.data, **reply.attributes}
    if output_format == "extjs":
        value |= {"success": True, "status": int(HTTPStatus.OK)}
    return HTTPStatus.OK, [JSON_TYPE], _dump(value)


def failure(output_format: Format, error: PbstoreError) -> Response:
    """Tell why a method failed: plain text with the real status, or an extjs object with status 200."""
    if output_format == "extjs":
        is_parameter_error = isinstance(error, ParameterError)
        value = {
            "message": "parameter verification errors" if is_parameter_error else str(error),
            "errors": error.errors if isinstance(error, ParameterError) else {},
            "success": False,
            "status": error.status,
        }
        return HTTPStatus.OK, [JSON_TYPE], _dump(value)
    headers = [JSON_TYPE]
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers.append(EXPIRE_COOKIE)
    return error.status, headers, _encode(str(error))


def unauthenticated(reason: str) -> Response:
    """Turn a caller without valid credentials away; the same in both formats."""
    return HTTPStatus.UNAUTHORIZED, [EXPIRE_COOKIE], _encode(f"authentication failed - {reason}")


def plain_error(status: int, text: str) -> Response:
    """An answer outside of any format, for requests that are not even an API call."""
    return status, [], _encode(text)


def delay(status: int, sleep: Callable[[float], None]) -> None:
    """Slow down guessing (auth.md 5)."""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS):
        sleep(UNAUTHORIZED_DELAY_SECONDS)
    elif status == HTTPStatus.FORBIDDEN:
        sleep(FORBIDDEN_DELAY_SECONDS)


def deflated(response: Response, accept_encoding: str) -> Response:
    """Compress the body (zlib format) when the client offers `deflate` and it is worth it."""
    status, headers, body = response
    offered = {item.partition(";")[0].strip().lower() for item in accept_encoding.split(",")}
    if "deflate" not in offered or not isinstance(body, bytes) or len(body) < _MIN_DEFLATE_BYTES:
        return response
    return status, [*headers, ("content-encoding", "deflate")], zlib.compress(body)


def _dump(value: Mapping[str, object]) -> bytes:
    return _encode(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def _encode(text: str) -> bytes:
    """Encode; a file name that is no UTF-8 must not break the listing it stands in."""
    return text.encode(errors="replace")
