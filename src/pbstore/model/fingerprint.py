"""SHA-256 fingerprints of certificates and keys: 32 bytes, printed as hex pairs joined by `:`."""

import re
from dataclasses import dataclass
from typing import Self

from pbstore.errors import FormatError

PATTERN = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){31}")


@dataclass(frozen=True)
class Fingerprint:
    """32 bytes; `str()` gives the full form of 95 characters."""

    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != 32:
            raise FormatError(f"invalid fingerprint: {len(self.value)} bytes instead of 32")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read 32 hex pairs joined by `:`, in any case.

        Raises:
            FormatError: not of that form.
        """
        if not PATTERN.fullmatch(text):
            raise FormatError(f"invalid fingerprint {text!r}: expected 32 hex pairs joined by ':'")
        return cls(bytes.fromhex(text.replace(":", "")))

    @property
    def short_id(self) -> str:
        """The first eight bytes, as used in messages about keys."""
        return self.value[:8].hex(":")

    def __str__(self) -> str:
        return self.value.hex(":")
