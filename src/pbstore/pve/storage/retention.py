"""`prune-backups`: how many backups of a guest are kept, as a property string (pve-storage.md 5)."""

import re
from collections.abc import Mapping
from typing import Any

from pbstore.api.schema import FALSE_WORDS, TRUE_WORDS
from pbstore.errors import FormatError

PERIODS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
KEEP_ALL = "keep-all"
KEEP_OPTIONS = tuple(f"keep-{period}" for period in PERIODS)

Retention = Mapping[str, int]
"""Numbers above zero by option, like `keep-last`; empty keeps everything."""


def parse_retention(text: str) -> dict[str, int]:
    """Read a property string such as `keep-last=3,keep-daily=7` or `keep-all=1`.

    Raises:
        FormatError: not of the form, or options that exclude each other.
    """
    values: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals:
            raise FormatError("value without key, but schema does not define a default key")
        if key in values:
            raise FormatError(f"duplicate key in comma-separated list property: {key}")
        if key not in (KEEP_ALL, *KEEP_OPTIONS):
            raise FormatError(f"invalid key in comma-separated list property: {key}")
        values[key] = _keep_all(value) if key == KEEP_ALL else _count(key, value)
    return checked_retention(values)


def checked_retention(values: Mapping[str, int | bool]) -> dict[str, int]:
    """Return what options given one by one mean: `keep-all` as truth value, the others as numbers.

    Raises:
        FormatError: `keep-all` together with a number above zero.
    """
    counts = {key: int(count) for key, count in values.items() if key != KEEP_ALL and count > 0}
    if values.get(KEEP_ALL) and counts:
        raise FormatError("keep-all cannot be set together with other options.")
    return counts


def retention_text(retention: Retention) -> str:
    """Write a retention as it stands in configurations."""
    return ",".join(f"{key}={count}" for key, count in sorted(retention.items())) or f"{KEEP_ALL}=1"


def canonical_retention(text: str) -> str:
    """Check a property string and write it in its one form.

    Raises:
        FormatError: it cannot be read.
    """
    return retention_text(parse_retention(text))


def of_maxfiles(count: int) -> str:
    """What the option says that releases before 6.3 had: 0 is no limit."""
    return retention_text({"keep-last": count} if count else {})


def _keep_all(text: str) -> bool:
    if text.lower() not in TRUE_WORDS | FALSE_WORDS:
        raise FormatError(f"{KEEP_ALL}: type check ('boolean') failed - got '{text[:80]}'")
    return text.lower() in TRUE_WORDS


def _count(key: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise FormatError(f"{key}: type check ('integer') failed - got '{text[:80]}'")
    return int(text)
