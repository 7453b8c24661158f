"""One configuration file: read whole, changed under its lock, replaced at once."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pbstore.config.atomic_file import remove_temporary_files
from pbstore.config.file_kind import FileKind
from pbstore.config.file_lock import CONFIG_TIMEOUT_SECONDS, FileLock, lock_file
from pbstore.config.root_files import read_config_file, replace_config_file
from pbstore.errors import ConfigError


class ConfigFile:
    """A file with its lock file beside it, `.NAME.lck` unless the original calls it otherwise."""

    def __init__(self, path: Path, kind: FileKind, *, lock_name: str | None = None):
        self.path = path
        self.kind = kind
        self._lock_path = path.parent / (lock_name or f".{path.stem}.lck")

    def read(self) -> bytes:
        """Return the content; a missing file is an empty one.

        Raises:
            ConfigError: it cannot be read.
        """
        try:
            return read_config_file(self.path)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise ConfigError(f"cannot read {self.path}: {error.strerror}") from error

    def replace(self, content: bytes) -> None:
        """Write the whole content; the caller holds the lock.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            remove_temporary_files(self.path)
            replace_config_file(self.path, content, self.kind)
        except OSError as error:
            raise ConfigError(f"cannot write {self.path}: {error.strerror}") from error

    @contextmanager
    def locked(self, timeout_seconds: float = CONFIG_TIMEOUT_SECONDS) -> Iterator[FileLock]:
        """Hold the lock within a `with` block.

        Raises:
            LockedError: somebody else held it for too long.
            ConfigError: there is no directory to lock in.
        """
        kind = FileKind.LOCK
        try:
            lock = lock_file(self._lock_path, timeout_seconds=timeout_seconds, mode=kind.mode, owner=kind.owner())
        except OSError as error:
            raise ConfigError(f"cannot lock {self.path}: {error.strerror}") from error
        with lock:
            yield lock


def content_digest(content: bytes) -> str:
    """Return the digest that guards changes: SHA-256 as hex."""
    return hashlib.sha256(content).hexdigest()


def check_digest(expected: str | None, actual: str) -> None:
    """Return if the file is still the one that the caller looked at; None checks nothing.

    Raises:
        ConfigError: it is not.
    """
    if expected is not None and expected.lower() != actual:
        raise ConfigError("detected modified configuration - file changed by other user? Try again.")
