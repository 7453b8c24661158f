"""Key files: the encryption key as JSON, in plain or protected by a password (keys.md 1)."""

import base64
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pbstore import _core
from pbstore.errors import EncryptionKeyError, FormatError
from pbstore.format.canonical_json import parse_json
from pbstore.format.kdf import Kdf, decode_base64, parse_kdf
from pbstore.format.secret_file import create_secret_file, replace_secret_file
from pbstore.model.fingerprint import Fingerprint

KEY_BYTES = 32
IV_BYTES = 16
TAG_BYTES = 16
MAX_FILE_BYTES = 1024 * 1024
MIN_PASSWORD_BYTES = 5
MAX_HINT_LENGTH = 64
RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class KeyFile:
    """A key file. `created` and `modified` are UTC seconds; `data` is the key itself if `kdf` is None."""

    kdf: Kdf | None
    created: int
    modified: int
    data: bytes = field(repr=False)
    fingerprint: Fingerprint | None
    hint: str | None = None

    @classmethod
    def create(
        cls,
        key: bytes,
        *,
        kdf: Kdf | None = None,
        password: str | None = None,
        hint: str | None = None,
        created: int | None = None,
    ) -> Self:
        """Make a key file, modified now.

        Args:
            key: 32 bytes.
            kdf: None leaves the key in plain; else `password` is needed.
            password: at least 5 bytes.
            hint: what may remind of the password; 1 to 64 characters on one line.
            created: seconds since 1970, if the key is older than this file.

        Raises:
            EncryptionKeyError: a key, password or hint that cannot be used.
        """
        fingerprint = Fingerprint(_core.CryptKey(key).fingerprint)
        _check_hint(hint, kdf)
        now = int(time.time())
        data = key if kdf is None else _protect(key, kdf, password or "")
        created = now if created is None else created
        return cls(kdf=kdf, created=created, modified=now, data=data, fingerprint=fingerprint, hint=hint)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the JSON text of a key file.

        Raises:
            EncryptionKeyError: it is no key file.
        """
        if len(data) > MAX_FILE_BYTES:
            raise EncryptionKeyError(f"key file is larger than {MAX_FILE_BYTES} bytes")
        try:
            raw = parse_json(data, "key file")
            if not isinstance(raw, dict):
                raise FormatError("key file is no JSON object")
            fingerprint = raw.get("fingerprint")
            return cls(
                kdf=parse_kdf(raw.get("kdf")),
                created=_parse_time(raw, "created"),
                modified=_parse_time(raw, "modified"),
                data=decode_base64(raw.get("data"), "data"),
                fingerprint=None if fingerprint is None else Fingerprint.parse(_text(fingerprint, "fingerprint")),
                hint=None if raw.get("hint") is None else _text(raw["hint"], "hint"),
            )
        except FormatError as error:
            raise EncryptionKeyError(str(error)) from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file from disk.

        Raises:
            EncryptionKeyError: it cannot be read, or is no key file; the text names the path.
        """
        try:
            with path.open("rb") as file:
                return cls.parse(file.read(MAX_FILE_BYTES + 1))
        except OSError as error:
            raise EncryptionKeyError(f"cannot read key file {str(path)!r}: {error.strerror}") from None
        except EncryptionKeyError as error:
            raise EncryptionKeyError(f"{path}: {error}") from None

    def store(self, path: Path, *, replace_existing: bool = False) -> None:
        """Write the file, mode 0600.

        Raises:
            EncryptionKeyError: it exists already and is not to be replaced, or cannot be written.
        """
        write = replace_secret_file if replace_existing else create_secret_file
        write(path, self.encode())

    def open(self, password: Callable[[], str]) -> bytes:
        """Return the key; `password` is only called when it is protected.

        Raises:
            EncryptionKeyError: wrong or too short password, damaged data, or not the key that the fingerprint names.
        """
        key = self.data if self.kdf is None else self._unprotect(self.kdf, password())
        found = Fingerprint(_core.CryptKey(key).fingerprint)
        if self.fingerprint is not None and self.fingerprint != found:
            raise EncryptionKeyError(
                f"key file holds another key than its fingerprint says: {self.fingerprint.short_id} expected, "
                f"{found.short_id} found"
            )
        return key

    def unprotected(self, key: bytes) -> Self:
        """Return the file of the same key without a password, modified now: what a master key protects (keys.md 6)."""
        return replace(self.create(key), created=self.created)

    def to_json(self) -> dict[str, Any]:
        """Return the fields in the original's order."""
        raw: dict[str, Any] = {
            "kdf": None if self.kdf is None else self.kdf.to_json(),
            "created": _time_text(self.created),
            "modified": _time_text(self.modified),
            "data": base64.b64encode(self.data).decode(),
        }
        if self.fingerprint is not None:
            raw["fingerprint"] = str(self.fingerprint)
        if self.hint is not None:
            raw["hint"] = self.hint
        return raw

    def encode(self) -> bytes:
        """Return the JSON text without white space."""
        return json.dumps(self.to_json(), separators=(",", ":"), ensure_ascii=False).encode()

    def encode_pretty(self) -> bytes:
        """Return the JSON text with two spaces a level."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False).encode()

    def _unprotect(self, kdf: Kdf, password: str) -> bytes:
        check_password(password)
        iv, tag, ciphertext = self.data[:IV_BYTES], self.data[IV_BYTES:][:TAG_BYTES], self.data[IV_BYTES + TAG_BYTES :]
        if len(ciphertext) != KEY_BYTES:
            raise EncryptionKeyError(f"key file has protected data of {len(self.data)} bytes instead of 64")
        try:
            return AESGCM(kdf.derive(password)).decrypt(iv, ciphertext + tag, None)
        except InvalidTag:
            reason = f"password hint: {self.hint}" if self.hint is not None else "wrong password?"
            raise EncryptionKeyError(f"unable to decrypt key - {reason}") from None


def check_password(password: str) -> None:
    """Return if a password is long enough to protect a key.

    Raises:
        EncryptionKeyError: shorter than 5 bytes.
    """
    if len(password.encode()) < MIN_PASSWORD_BYTES:
        raise EncryptionKeyError(f"password of a key must have at least {MIN_PASSWORD_BYTES} characters")


def _protect(key: bytes, kdf: Kdf, password: str) -> bytes:
    check_password(password)
    iv = os.urandom(IV_BYTES)
    sealed = AESGCM(kdf.derive(password)).encrypt(iv, key, None)
    return iv + sealed[-TAG_BYTES:] + sealed[:-TAG_BYTES]


def _check_hint(hint: str | None, kdf: Kdf | None) -> None:
    if hint is None:
        return
    if kdf is None:
        raise EncryptionKeyError("password hint not allowed for Kdf::None")
    if not 1 <= len(hint) <= MAX_HINT_LENGTH or not hint.isprintable():
        raise EncryptionKeyError(f"a password hint has 1 to {MAX_HINT_LENGTH} characters on one line")


def _parse_time(raw: dict[str, Any], key: str) -> int:
    text = _text(raw.get(key), key)
    if RFC_3339.fullmatch(text):
        try:
            return int(datetime.fromisoformat(text).timestamp())
        except (ValueError, OverflowError):
            pass
    raise FormatError(f"key file has no valid time '{key}'")


def _time_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise FormatError(f"key file has no text '{key}'")
    return value
