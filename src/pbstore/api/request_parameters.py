"""Parameters of one request: query, form or JSON body and path, merged and parsed (protocol-transport.md 3.1)."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from pbstore.api.schema import ListOf, Parameter, parse_parameters
from pbstore.errors import FormatError, ParameterError

MAX_BODY_BYTES = 512 << 10
MAX_JSON_DEPTH = 16
MAX_FIELDS = 8192
FORM = "application/x-www-form-urlencoded"
IGNORED_KEY = "_dc"
_STRUCTURE = re.compile(r'\\.|["\[\]{}]', re.DOTALL)


def request_parameters(
    parameters: Iterable[Parameter],
    *,
    query: str,
    content_type: str | None = None,
    body: bytes = b"",
    path_values: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the keyword arguments of a handler.

    A JSON body makes the query meaningless; a form adds to it. Raw bodies are not passed in here.

    Raises:
        FormatError: a body that is too large, of an unknown type or not well-formed.
        ParameterError: duplicate, unknown, missing or unfit parameters.
    """
    described = tuple(parameters)
    lists = {parameter.name for parameter in described if isinstance(parameter.schema, ListOf)}
    raw: dict[str, object]
    if len(body) > MAX_BODY_BYTES:
        raise FormatError(f"request body is too large: at most {MAX_BODY_BYTES} bytes")
    kind = (content_type or FORM).partition(";")[0].strip().lower()
    if kind == "application/json":
        raw = _json_object(body)
    elif kind == FORM:
        raw = _fields(_pairs(query) + _pairs(_text(body)), lists)
    elif body:
        raise FormatError(f"unsupported content type '{kind}': send application/json or {FORM}")
    else:
        raw = _fields(_pairs(query), lists)
    for name, value in (path_values or {}).items():
        if name in raw:
            raise ParameterError({name: "duplicate parameter."})
        raw[name] = value
    return parse_parameters(described, raw)


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise FormatError("request body is not UTF-8") from None


def _pairs(encoded: str) -> list[tuple[str, str]]:
    """Decode `a=1&b=2`; bytes that are no UTF-8 become replacement characters, which no schema of names takes."""
    try:
        return parse_qsl(encoded, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise FormatError(f"too many parameters: at most {MAX_FIELDS}") from None


def _fields(pairs: list[tuple[str, str]], lists: set[str]) -> dict[str, object]:
    """Collect repeated keys of list parameters; any other repeated key is an error."""
    raw: dict[str, object] = {}
    items: dict[str, list[str]] = {}
    for name, value in pairs:
        if name == IGNORED_KEY:
            continue
        if name in lists:
            items.setdefault(name, []).append(value)
        elif name in raw:
            raise ParameterError({name: "duplicate parameter."})
        else:
            raw[name] = value
    return {**raw, **items}


def _json_object(body: bytes) -> dict[str, object]:
    """Parse a JSON body; an empty one is an object without keys."""
    if not body.strip():
        return {}
    text = _text(body)
    _check_depth(text)
    try:
        value = json.loads(text, object_pairs_hook=_unique_object, parse_constant=_refuse_constant)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise FormatError(f"request body is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise FormatError("request body is not a JSON object")
    return value


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser recurses into it."""
    depth = 0
    in_string = False
    for token in _STRUCTURE.finditer(text):
        character = token[0]
        if character == '"':
            in_string = not in_string
        elif in_string:
            continue
        elif character in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                raise FormatError(f"request body is nested too deeply: at most {MAX_JSON_DEPTH} levels")
        elif character in "]}":
            depth -= 1


def _unique_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has the same key twice")
    return value


def _refuse_constant(text: str) -> object:
    raise ValueError(f"{text} is not a JSON value")
