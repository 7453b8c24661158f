"""Password and keys of a storage: files below `priv/storage` that only root may read (pve-storage.md 2)."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pbstore.config.atomic_file import replace_file, sync_directory
from pbstore.errors import ConfigError, EncryptionKeyError
from pbstore.format.key_file import KeyFile
from pbstore.pve.host import MAX_FILE_BYTES, Host

KEY_BYTES = 32


@dataclass(frozen=True)
class StorageSecrets:
    """The secrets of one storage."""

    host: Host
    storage_id: str

    @property
    def password_path(self) -> Path:
        """One line: the password, or the secret of an API token."""
        return self._path("pw")

    @property
    def key_path(self) -> Path:
        """The encryption key, a key file without password."""
        return self._path("enc")

    @property
    def old_key_path(self) -> Path:
        """The key that was there before one was generated; nothing here ever removes it."""
        return self._path("enc.old")

    @property
    def master_key_path(self) -> Path:
        """The public key that the encryption key is encrypted with."""
        return self._path("master.pem")

    def read_password(self) -> str | None:
        """The first line; None without a file.

        Raises:
            ConfigError: it cannot be read.
        """
        content = self._read(self.password_path)
        return None if content is None else content.decode(errors="replace").split("\n", 1)[0].removesuffix("\r")

    def read_key(self) -> bytes | None:
        """The key file; None without one.

        Raises:
            ConfigError: it cannot be read.
        """
        return self._read(self.key_path)

    def read_master_key(self) -> bytes | None:
        """The master public key; None without one.

        Raises:
            ConfigError: it cannot be read.
        """
        return self._read(self.master_key_path)

    def write_password(self, password: str) -> None:
        """Store a password.

        Raises:
            ConfigError: it cannot be written.
        """
        self._write(self.password_path, password.encode() + b"\n")

    def write_key(self, text: str) -> None:
        """Store a key file as it was given.

        Raises:
            ConfigError: it cannot be written.
        """
        self._write(self.key_path, text.encode() + b"\n")

    def write_master_key(self, pem: bytes) -> None:
        """Store a master public key.

        Raises:
            ConfigError: it cannot be written.
        """
        self._write(self.master_key_path, pem + b"\n")

    def generate_key(self, random: Callable[[int], bytes] = os.urandom) -> str:
        """Put a new key in place of the old one, which is kept under another name; the text of the key file.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            self.host.make_private(self.host.secrets_dir)
            with contextlib.suppress(FileNotFoundError):
                self.key_path.rename(self.old_key_path)
            KeyFile.create(random(KEY_BYTES)).store(self.key_path)
            return self.key_path.read_text()
        except (OSError, EncryptionKeyError) as error:
            raise ConfigError(f"failed to create encryption key: {error}") from None

    def delete_password(self) -> None:
        """Remove the password, if there is one.

        Raises:
            ConfigError: it stays.
        """
        self._delete(self.password_path, "failed to delete password!")

    def delete_key(self) -> None:
        """Remove the encryption key, if there is one.

        Raises:
            ConfigError: it stays.
        """
        self._delete(self.key_path, "failed to delete encryption key!")

    def delete_master_key(self) -> None:
        """Remove the master public key, if there is one.

        Raises:
            ConfigError: it stays.
        """
        self._delete(self.master_key_path, "failed to delete master public key!")

    def delete_all(self) -> None:
        """Remove what belongs to the storage; a key that was replaced stays.

        Raises:
            ConfigError: something stays.
        """
        self.delete_password()
        self.delete_key()
        self.delete_master_key()

    def _path(self, suffix: str) -> Path:
        return self.host.secrets_dir / f"{self.storage_id}.{suffix}"

    def _read(self, path: Path) -> bytes | None:
        try:
            with path.open("rb") as file:
                return file.read(MAX_FILE_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {error.strerror}") from None

    def _write(self, path: Path, content: bytes) -> None:
        self.host.make_private(path.parent)
        try:
            replace_file(path, content, mode=0o600)
        except OSError as error:
            raise ConfigError(f"cannot write {path}: {error.strerror}") from None

    def _delete(self, path: Path, failure: str) -> None:
        try:
            path.unlink()
            sync_directory(path.parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ConfigError(f"{failure} {error.strerror}: {path}") from None
