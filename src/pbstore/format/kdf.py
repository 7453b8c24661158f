"""How a password becomes the key that protects an encryption key (keys.md 1)."""

import base64
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt as ScryptFunction

from pbstore.errors import EncryptionKeyError, FormatError

SALT_BYTES = 32
MAX_SALT_BYTES = 1024
MAX_SCRYPT_MEMORY_BYTES = 1025 * 1024 * 1024
MAX_SCRYPT_PARALLEL = 64
MAX_PBKDF2_ROUNDS = 100_000_000


class KdfName(StrEnum):
    """The words of `--kdf`."""

    NONE = "none"
    SCRYPT = "scrypt"
    PBKDF2 = "pbkdf2"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a word.

        Raises:
            FormatError: none of none, scrypt, pbkdf2.
        """
        try:
            return cls(text)
        except ValueError:
            raise FormatError(f"invalid kdf {text!r}: one of none, scrypt, pbkdf2") from None


@dataclass(frozen=True, kw_only=True)
class Kdf(ABC):
    """A function with its parameters and salt."""

    name: ClassVar[KdfName]
    salt: bytes = field(default_factory=lambda: os.urandom(SALT_BYTES))

    @abstractmethod
    def derive(self, password: str) -> bytes:
        """Return 32 bytes; takes a noticeable time, on purpose."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the value of the key file's `kdf`."""


@dataclass(frozen=True, kw_only=True)
class Scrypt(Kdf):
    """scrypt; the defaults are those of new keys."""

    name: ClassVar[KdfName] = KdfName.SCRYPT
    n: int = 65536
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        is_power = self.n >= 2 and self.n.bit_count() == 1
        if not is_power or self.r < 1 or not 1 <= self.p <= MAX_SCRYPT_PARALLEL:
            raise EncryptionKeyError(f"key file has impossible scrypt parameters n={self.n} r={self.r} p={self.p}")
        if 128 * self.n * self.r > MAX_SCRYPT_MEMORY_BYTES or 128 * self.r * self.p > MAX_SCRYPT_MEMORY_BYTES:
            raise EncryptionKeyError(f"key file wants more than {MAX_SCRYPT_MEMORY_BYTES} bytes of memory for scrypt")

    def derive(self, password: str) -> bytes:
        """Run scrypt."""
        return ScryptFunction(salt=self.salt, length=32, n=self.n, r=self.r, p=self.p).derive(password.encode())

    def to_json(self) -> dict[str, Any]:
        """Return `{"Scrypt": ..}`."""
        return {"Scrypt": {"n": self.n, "r": self.r, "p": self.p, "salt": base64.b64encode(self.salt).decode()}}


@dataclass(frozen=True, kw_only=True)
class Pbkdf2(Kdf):
    """PBKDF2 with HMAC-SHA256."""

    name: ClassVar[KdfName] = KdfName.PBKDF2
    rounds: int = 65535

    def __post_init__(self) -> None:
        if not 1 <= self.rounds <= MAX_PBKDF2_ROUNDS:
            raise EncryptionKeyError(f"key file has an impossible number of PBKDF2 rounds, {self.rounds}")

    def derive(self, password: str) -> bytes:
        """Run PBKDF2."""
        function = PBKDF2HMAC(algorithm=SHA256(), length=32, salt=self.salt, iterations=self.rounds)
        return function.derive(password.encode())

    def to_json(self) -> dict[str, Any]:
        """Return `{"PBKDF2": ..}`."""
        return {"PBKDF2": {"iter": self.rounds, "salt": base64.b64encode(self.salt).decode()}}


def new_kdf(name: KdfName) -> Kdf | None:
    """Return the function for a new key, with fresh salt; None for `none`."""
    if name is KdfName.NONE:
        return None
    return Scrypt() if name is KdfName.SCRYPT else Pbkdf2()


def parse_kdf(value: object) -> Kdf | None:
    """Read the value of the key file's `kdf`.

    Raises:
        EncryptionKeyError: an unknown function, or parameters that are missing, wrong or absurd.
    """
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) != 1:
        raise EncryptionKeyError("key file has an invalid 'kdf'")
    ((name, parameters),) = value.items()
    if name not in ("Scrypt", "PBKDF2") or not isinstance(parameters, dict):
        raise EncryptionKeyError("key file has an unknown 'kdf'")
    salt = decode_base64(parameters.get("salt"), "salt")
    if len(salt) > MAX_SALT_BYTES:
        raise EncryptionKeyError(f"key file has a salt of more than {MAX_SALT_BYTES} bytes")
    if name == "Scrypt":
        n, r, p = (_integer(parameters, key) for key in ("n", "r", "p"))
        return Scrypt(n=n, r=r, p=p, salt=salt)
    return Pbkdf2(rounds=_integer(parameters, "iter"), salt=salt)


def decode_base64(value: object, what: str) -> bytes:
    """Read a base64 text, standard alphabet, padded.

    Raises:
        EncryptionKeyError: it is none; the text is not shown, for it may be key material.
    """
    try:
        return base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except ValueError:
        raise EncryptionKeyError(f"key file has no valid base64 text '{what}'") from None


def _integer(parameters: dict[str, Any], key: str) -> int:
    value = parameters.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise EncryptionKeyError(f"key file has no whole number '{key}' in its 'kdf'")
    return value
