"""Read what a server answers, trusting none of it: JSON envelopes, lists of objects, members of a given type."""

import json
from collections.abc import Mapping
from typing import Any

from pbstore.errors import ProtocolError, ServerError


def data_of(status: int, body: bytes) -> Any:
    """Return the `data` member of a 2xx answer; an empty body is None.

    Raises:
        ServerError: another status; the text is the server's.
        ProtocolError: not JSON, or no `data`.
    """
    _check_status(status, body)
    return envelope_of(status, body)["data"] if body else None


def envelope_of(status: int, body: bytes) -> dict[str, Any]:
    """Return the whole object of a 2xx answer, of which `data` is one member.

    Raises:
        ServerError: another status; the text is the server's.
        ProtocolError: not JSON, or no `data`.
    """
    _check_status(status, body)
    content = parse_json(body, "answer")
    if not isinstance(content, dict) or "data" not in content:
        raise ProtocolError("the server's answer has no member 'data'")
    return content


def _check_status(status: int, body: bytes) -> None:
    if not 200 <= status < 300:
        text = body.decode(errors="replace").strip()
        raise ServerError(text or f"the server answered with HTTP status {status}", status)


def parse_json(body: bytes, what: str) -> Any:
    """Parse JSON from the server.

    Raises:
        ProtocolError: not JSON, or nested too deep.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ProtocolError(f"the server's {what} is not valid JSON") from None


def rows_of(data: Any) -> list[dict[str, Any]]:
    """Return data that must be a list of objects.

    Raises:
        ProtocolError: it is not.
    """
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise ProtocolError("the server's answer is not a list of objects")
    return data


def text_of(row: Mapping[str, Any], name: str) -> str:
    """Return a member that must be a text.

    Raises:
        ProtocolError: it is not.
    """
    value = row.get(name)
    if not isinstance(value, str):
        raise ProtocolError(f"the server's answer has no text '{name}'")
    return value


def number_of(row: Mapping[str, Any], name: str) -> int:
    """Return a member that must be a whole number.

    Raises:
        ProtocolError: it is not.
    """
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ProtocolError(f"the server's answer has no number '{name}'")
    return value
