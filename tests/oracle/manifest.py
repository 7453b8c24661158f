"""Text and signature of manifests (manifest.md 1, 2)."""

import json
from typing import Any

from oracle.digest import auth_tag

ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def canonical(value: Any) -> str:
    """The one text of a JSON value that is signed."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return '"' + "".join(map(escaped, value)) + '"'
        case list():
            return "[" + ",".join(map(canonical, value)) + "]"
        case dict():
            keys = sorted(value, key=str.encode)
            return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in keys) + "}"
    raise ValueError(f"{value!r} has no canonical form")


def escaped(character: str) -> str:
    """A character inside a string."""
    if character in ESCAPES:
        return ESCAPES[character]
    return f"\\u{ord(character):04x}" if character < " " else character


def signature(manifest: dict[str, Any], key: bytes) -> str:
    """What belongs into `signature`."""
    signed = {name: value for name, value in manifest.items() if name not in ("signature", "unprotected")}
    return auth_tag(key, canonical(signed).encode()).hex()


def text(manifest: dict[str, Any]) -> bytes:
    """The text as the original writes it."""
    return json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False).encode()
