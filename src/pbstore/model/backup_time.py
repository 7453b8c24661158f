"""Backup times: UTC seconds, written `2020-06-26T13:56:05Z` (manifest.md 5)."""

import re
from datetime import UTC, datetime

from pbstore.errors import FormatError

PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def parse_backup_time(text: str) -> int:
    """Read the text form and return seconds since the epoch.

    Raises:
        FormatError: not of the form, no such date, or before 1970-01-01T00:00:01Z.
    """
    if PATTERN.fullmatch(text):
        try:
            seconds = int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
        except ValueError:
            seconds = 0
        if seconds >= 1:
            return seconds
    raise FormatError(f"invalid backup time {text!r}: expected like 2020-06-26T13:56:05Z")


def format_backup_time(seconds: int) -> str:
    """Return the text form of `seconds` since the epoch.

    Raises:
        FormatError: below 1 or past the year 9999.
    """
    if not 1 <= seconds <= 253402300799:
        raise FormatError(f"invalid backup time {seconds}: seconds since 1970, at least 1, before the year 10000")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
