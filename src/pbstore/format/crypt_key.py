"""The encryption key that a key file holds, ready to open blobs with."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from pbstore import _core
from pbstore.format.key_file import KeyFile

CryptKey: TypeAlias = _core.CryptKey


def load_crypt_key(path: Path, password: Callable[[], str]) -> CryptKey:
    """Read a key file; `password` is only called when it is protected.

    Raises:
        EncryptionKeyError: it cannot be read, is no key file, or the password is wrong.
    """
    return _core.CryptKey(KeyFile.load(path).open(password))
