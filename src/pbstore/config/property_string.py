"""Property strings: `key=value` lists in one value (config-files.md 2)."""

import re
from collections.abc import Mapping

from pbstore.errors import FormatError

MAX_LENGTH = 64 << 10
# Each run of spaces can be matched in one way only: else a long one that leads nowhere would be tried in all ways.
_ITEM = re.compile(r'\s*+(?:([A-Za-z0-9_\-]+)=)?("(?:[^"\\]|\\["\\n])*"|(?:[^",]*[^",\s])?)\s*+(,|$)')
_ESCAPE = re.compile(r'\\(["\\n])')


def parse_property_string(text: str, *, default_key: str | None = None) -> dict[str, str]:
    """Return the values by key; an item without `key=` is the value of `default_key`.

    Raises:
        FormatError: not of the form, or a key comes twice.
    """
    values: dict[str, str] = {}
    if len(text) > MAX_LENGTH:
        raise FormatError("property string is too long")
    position = 0
    while position < len(text):
        match = _ITEM.match(text, position)
        if not match or not (match[1] or match[2]):
            raise FormatError(f"invalid property string {text[:80]!r} at character {position + 1}")
        key = match[1] or default_key
        if key is None:
            raise FormatError(f"invalid property string {text[:80]!r}: value {match[2]!r} without a key")
        if key in values:
            raise FormatError(f"invalid property string {text[:80]!r}: '{key}' comes twice")
        values[key] = _unquoted(match[2])
        position = match.end()
        if match[3] and position == len(text):
            raise FormatError(f"invalid property string {text[:80]!r}: ends with a comma")
    return values


def format_property_string(values: Mapping[str, str], *, default_key: str | None = None) -> str:
    """Return the text of `values`, that of `default_key` first and without its key."""
    first = [_quoted(value) for key, value in values.items() if key == default_key]
    rest = [f"{key}={_quoted(value)}" for key, value in values.items() if key != default_key]
    return ",".join(first + rest)


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], text[1:-1])


def _quoted(text: str) -> str:
    if text and not re.search(r'[\s,="\\]', text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
