"""Files that only their owner may read: created once, or replaced as a whole (keys.md 1.3)."""

import os
import tempfile
from pathlib import Path

from pbstore.errors import EncryptionKeyError


def create_secret_file(path: Path, data: bytes) -> None:
    """Write a new file, mode 0600, and make it durable.

    Raises:
        EncryptionKeyError: it exists already, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        _write(descriptor, data)
        _sync_directory(path.parent)
    except FileExistsError:
        raise EncryptionKeyError(f"Unable to store key file {str(path)!r} - File exists") from None
    except OSError as error:
        raise EncryptionKeyError(f"Unable to store key file {str(path)!r} - {error.strerror}") from None


def replace_secret_file(path: Path, data: bytes) -> None:
    """Write a file, mode 0600, in place of what is there; a crash leaves the old one or the new one.

    Raises:
        EncryptionKeyError: it cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        try:
            _write(descriptor, data)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(path.parent)
    except OSError as error:
        raise EncryptionKeyError(f"Unable to store key file {str(path)!r} - {error.strerror}") from None


def _write(descriptor: int, data: bytes) -> None:
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
