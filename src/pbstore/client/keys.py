"""The keys of one backup or restore, loaded: what seals, what signs, and what a master key holder can open."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pbstore import _core
from pbstore.client.key_choice import KeyChoice, KeySource
from pbstore.errors import EncryptionKeyError
from pbstore.format.key_file import KeyFile
from pbstore.format.master_key import encrypt_key_file, load_public_key
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.fingerprint import Fingerprint


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Nothing but the mode when no key is used. `sealed_for_master` is the content of `rsa-encrypted.key.blob`.

    `path` is the file that the key came from, None for a descriptor.
    """

    crypt_mode: CryptMode = CryptMode.NONE
    key: _core.CryptKey | None = None
    fingerprint: Fingerprint | None = None
    sealed_for_master: bytes | None = None
    path: Path | None = None

    @property
    def sealing_key(self) -> _core.CryptKey | None:
        """The key that data is encrypted with: none when it is only signed."""
        return self.key if self.crypt_mode is CryptMode.ENCRYPT else None


def load_keys(
    choice: KeyChoice, password: Callable[[], str], announce: Callable[[str], None], *, for_backup: bool
) -> Keys:
    """Open the chosen keys.

    Args:
        choice: which files, already read.
        password: called when the key file is protected.
        announce: takes the lines that say which keys are used.
        for_backup: whether a backup is to be made, which has a use for the master key.

    Raises:
        EncryptionKeyError: a file that is no key, or the wrong password.
        FormatError: a key file that cannot be parsed.
    """
    if choice.key is None:
        return Keys(crypt_mode=choice.crypt_mode)
    if choice.announcement is not None:
        announce(choice.announcement)
    announce(choice.key.message)
    key_file, raw_key = _open(choice.key, password)
    key = _core.CryptKey(raw_key)
    fingerprint = Fingerprint(key.fingerprint)
    sealed = None
    if for_backup:
        announce(f"Encryption key fingerprint: {fingerprint.short_id}")
        if choice.master_key is not None:
            announce(choice.master_key.message)
            sealed = encrypt_key_file(key_file.unprotected(raw_key), load_public_key(choice.master_key.data))
    return Keys(
        crypt_mode=choice.crypt_mode,
        key=key,
        fingerprint=fingerprint,
        sealed_for_master=sealed,
        path=choice.key.path,
    )


def _open(source: KeySource, password: Callable[[], str]) -> tuple[KeyFile, bytes]:
    try:
        key_file = KeyFile.parse(source.data)
        return key_file, key_file.open(password)
    except EncryptionKeyError as error:
        raise EncryptionKeyError(f"{source.path or 'file descriptor'}: {error}") from None
