"""Byte sizes as people write them: `10MiB`, `1.5 MB`, `512` (rest-api.md 1, HumanByte)."""

import re
from decimal import Decimal

from pbstore.errors import FormatError

_FORM = re.compile(
    r"(?P<number>\d{1,20}(?:\.\d{1,20})?) ?(?:(?P<power>[kmgtpe])(?P<binary>i)?)?b?", re.ASCII | re.IGNORECASE
)
_POWERS = "kmgtpe"
_MAX_BYTES = (1 << 64) - 1


def parse_byte_size(text: str) -> int:
    """Bytes, a fraction of one rounded down.

    Raises:
        FormatError: not of that form, or 2^64 and more.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise FormatError(f"not a size: '{text}' (write a number of bytes, or one with a unit like 'MB' or 'MiB')")
    power = _POWERS.index(match["power"].lower()) + 1 if match["power"] else 0
    size = int(Decimal(match["number"]) * (1024 if match["binary"] else 1000) ** power)
    if size > _MAX_BYTES:
        raise FormatError(f"not a size: '{text}' is too large")
    return size
