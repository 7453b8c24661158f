"""JSON in the forms that the formats prescribe: canonical for signatures, pretty for storing (manifest.md 1, 2)."""

import json
from typing import Any, NoReturn

from pbstore.errors import FormatError


def canonical_json(value: object) -> bytes:
    """Serialise to the form that signatures cover: sorted keys, no white space, only necessary escapes.

    Raises:
        FormatError: null, a fraction, or text that is no Unicode.
    """
    _check_canonical(value)
    return _encode(value, separators=(",", ":"))


def pretty_json(value: object) -> bytes:
    """Serialise like the original stores JSON: two spaces a level, sorted keys, no line end at the end.

    Raises:
        FormatError: text that is no Unicode, or a number that JSON has not.
    """
    return _encode(value, indent=2)


def parse_json(data: bytes, what: str) -> Any:
    """Read JSON of any depth and size that the caller let in.

    Args:
        data: UTF-8 text.
        what: named in errors.

    Raises:
        FormatError: not UTF-8, no JSON, nested too deeply, or numbers that JSON has not.
    """
    try:
        value = json.loads(data.decode(), parse_constant=_refuse_constant)
        if b"\\ud" in data.lower():
            # Half of a surrogate pair would only fail when somebody writes it back.
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except RecursionError:
        raise FormatError(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise FormatError(f"{what} is no valid JSON: {error}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"unexpected {name}")


def _check_canonical(value: object) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if item is None or isinstance(item, float):
            raise FormatError("a signed JSON text may have neither null nor fractions")
        if isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item


def _encode(value: object, **options: Any) -> bytes:
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, **options).encode()
    except (RecursionError, ValueError) as error:
        raise FormatError(f"not to be written as JSON: {error}") from None
