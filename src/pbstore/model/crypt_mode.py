"""What the client does to the data of a file: nothing, encrypt and sign, or sign only (manifest.md 1.1)."""

from enum import StrEnum
from typing import Self

from pbstore.errors import FormatError


class CryptMode(StrEnum):
    """The text is that of the manifest and of `--crypt-mode`."""

    NONE = "none"
    ENCRYPT = "encrypt"
    SIGN_ONLY = "sign-only"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a mode.

        Raises:
            FormatError: none of none, encrypt, sign-only.
        """
        try:
            return cls(text)
        except ValueError:
            raise FormatError(f"invalid crypt mode {text!r}: one of none, encrypt, sign-only") from None
