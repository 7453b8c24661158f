"""The files in a datastore of the fixtures, and the keys that open them."""

from pathlib import Path

from pbstore import _core
from pbstore.format.key_file import KeyFile


def files_of(datastore: Path) -> list[Path]:
    """Every index and blob."""
    found = [path for path in datastore.rglob("*") if path.suffix in (".fidx", ".didx", ".blob")]
    return sorted(path for path in found if ".chunks" not in path.parts)


def crypt_key(path: Path) -> _core.CryptKey:
    """The key of a key file without password."""
    return _core.CryptKey(KeyFile.load(path).open(lambda: ""))
