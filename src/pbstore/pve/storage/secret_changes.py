"""What adding and changing a storage does to its secrets (pve-storage.md 2, hooks).

Everything is checked before anything is written. The values are those of the API: `encryption-key` is `autogen` or the
text of a key file, `master-pubkey` is base64 of a PEM file.
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pbstore.errors import ConfigError, EncryptionKeyError, FormatError, PbstoreError
from pbstore.format.canonical_json import parse_json
from pbstore.format.master_key import load_public_key
from pbstore.pve.storage.names import FINGERPRINT
from pbstore.pve.storage.properties import AUTOGEN
from pbstore.pve.storage.secrets import StorageSecrets
from pbstore.pve.value_types import Value, written

KEY, MASTER_KEY, PASSWORD = "encryption-key", "master-pubkey", "password"
MARKER = "1"


@dataclass(frozen=True)
class SecretMarks:
    """What the configuration says of the secrets that were set, and what the caller is told: the text of a new key."""

    values: Mapping[str, Value]
    result: Mapping[str, str]


@dataclass(frozen=True)
class SecretChanges:
    """Secrets to be set, checked; None where nothing is given. `is_generated`: a new key is to be made."""

    password: str | None
    key_text: str | None
    is_generated: bool
    master_key: bytes | None

    @classmethod
    def of(cls, given: Mapping[str, Value], *, has_key: bool = False) -> "SecretChanges":
        """Check what is given; `has_key` says whether the storage has an encryption key already.

        Raises:
            PbstoreError: a key that is none, or a master key without an encryption key.
        """
        password, key, master = (
            None if (value := given.get(name)) is None else written(value) for name in (PASSWORD, KEY, MASTER_KEY)
        )
        if password is not None and ("\n" in password or "\r" in password):
            raise ConfigError("property 'password' contains a line feed")
        if master is not None and key is None and not has_key:
            raise PbstoreError(f"'{MASTER_KEY}' can only be used together with '{KEY}'")
        is_generated = key == AUTOGEN
        if key is not None and not is_generated:
            _check_key(key)
        pem = None if master is None else _decode_pem(master)
        return cls(password, None if is_generated else key, is_generated, pem)

    def apply(self, secrets: StorageSecrets) -> SecretMarks:
        """Write what is given.

        Raises:
            ConfigError: something cannot be written.
        """
        values: dict[str, Value] = {}
        result: dict[str, str] = {}
        if self.password is not None:
            secrets.write_password(self.password)
        text = self.key_text
        if self.is_generated:
            text = secrets.generate_key()
        elif text is not None:
            secrets.write_key(text)
        if text is not None:
            values[KEY] = _mark_of(text)
            result[KEY] = text
        if self.master_key is not None:
            secrets.write_master_key(self.master_key)
            values[MASTER_KEY] = MARKER
        return SecretMarks(values, result)

    def delete_others(self, secrets: StorageSecrets) -> None:
        """Remove what an earlier storage of the same name may have left and what is not given.

        Raises:
            ConfigError: something stays.
        """
        if self.password is None:
            secrets.delete_password()
        if self.key_text is None and not self.is_generated:
            secrets.delete_key()
        if self.master_key is None:
            secrets.delete_master_key()


def delete_secrets(secrets: StorageSecrets, names: Collection[str]) -> None:
    """Remove the secrets of the named properties.

    Raises:
        ConfigError: something stays.
    """
    if PASSWORD in names:
        secrets.delete_password()
    if KEY in names:
        secrets.delete_key()
    if MASTER_KEY in names:
        secrets.delete_master_key()


def _check_key(text: str) -> None:
    try:
        content = parse_json(text.encode(), "encryption key")
    except FormatError:
        content = None
    if not isinstance(content, dict) or "data" not in content:
        raise EncryptionKeyError("Value does not seems like a valid, JSON formatted encryption key!")
    if content.get("kdf") is not None:
        raise EncryptionKeyError(
            "the encryption key is protected by a password, which nobody could type when a backup runs: "
            "remove it with 'proxmox-backup-client key change-passphrase --kdf none'"
        )


def _mark_of(text: str) -> str:
    content: dict[str, Any] = json.loads(text)
    fingerprint = content.get("fingerprint")
    return fingerprint if isinstance(fingerprint, str) and re.fullmatch(FINGERPRINT, fingerprint) else MARKER


def _decode_pem(text: str) -> bytes:
    try:
        pem = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise EncryptionKeyError(f"'{MASTER_KEY}' is not valid base64") from None
    load_public_key(pem)
    return pem
