r"""Escaped names as systemd makes them: one file name from a path (tasks-and-jobs.md 1, version-4.md 5.1).

`/` becomes `-`, letters, digits, `_` and `.` stay (but for a leading `.`), every other byte becomes `\xHH`.
"""

import re

from pbstore.errors import FormatError

_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.")
_ESCAPED = re.compile(r"(?:[A-Za-z0-9_.\-]|\\x[0-9a-fA-F]{2})*")


def escape_unit_name(text: str) -> str:
    r"""Return the escaped form: `s-1:host/a` -> `s\x2d1\x3ahost-a`."""
    return "".join(_escape(byte, first=position == 0) for position, byte in enumerate(text.encode()))


def unescape_unit_name(text: str) -> str:
    """Return what `escape_unit_name` was given.

    Raises:
        FormatError: no escaped form of UTF-8 text.
    """
    if not _ESCAPED.fullmatch(text):
        raise FormatError(f"invalid escaped name {text!r}")
    plain = bytearray()
    position = 0
    while position < len(text):
        if text[position] == "\\":
            plain.append(int(text[position + 2 : position + 4], 16))
            position += 4
        else:
            plain += b"/" if text[position] == "-" else text[position].encode()
            position += 1
    try:
        return plain.decode()
    except UnicodeDecodeError:
        raise FormatError(f"invalid escaped name {text!r}: not UTF-8") from None


def _escape(byte: int, *, first: bool) -> str:
    if byte == ord("/"):
        return "-"
    if byte in _KEPT and not (first and byte == ord(".")):
        return chr(byte)
    return f"\\x{byte:02x}"
