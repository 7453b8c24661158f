"""The key file that a command works on: the one named, else the default key."""

from pathlib import Path

from pbstore.api.schema import Enum, Parameter, String
from pbstore.cli.console import Console
from pbstore.client.places import ENCRYPTION_KEY, MASTER_PUBLIC_KEY, ClientPlaces
from pbstore.errors import EncryptionKeyError
from pbstore.format.kdf import KdfName
from pbstore.format.key_file import MAX_FILE_BYTES

PATH = Parameter(
    name="path",
    schema=String(
        description="Key file. Without this the default key's path will be used.", minimum_length=1, convert=Path
    ),
    optional=True,
)
KDF = Parameter(
    name="kdf",
    schema=Enum(
        description="Key derivation function for password protected encryption keys.",
        values=[name.value for name in KdfName],
        convert=KdfName,
    ),
    optional=True,
    default=KdfName.SCRYPT,
)
HINT = Parameter(
    name="hint",
    schema=String(description="Password hint.", minimum_length=1, maximum_length=64, pattern=r"[^\x00-\x1f\x7f]*"),
    optional=True,
)


def existing_key(console: Console, path: Path | None) -> Path:
    """The named key file, or the default key where there is one.

    Raises:
        EncryptionKeyError: no file was named and there is no default key.
    """
    found = path or _places(console).find_config(ENCRYPTION_KEY)
    if found is None:
        raise EncryptionKeyError("no encryption key file provided, and no default file found")
    return found


def new_default_key(console: Console) -> Path:
    """Where the default key is to be made.

    Raises:
        EncryptionKeyError: there is one already.
    """
    path = _places(console).place_config(ENCRYPTION_KEY)
    if path.exists():
        raise EncryptionKeyError(f"default key '{path}' exists already")
    return path


def existing_master_key(console: Console, path: Path | None) -> Path:
    """The named master public key, or the default one.

    Raises:
        EncryptionKeyError: no file was named and there is no default one.
    """
    found = path or _places(console).find_config(MASTER_PUBLIC_KEY)
    if found is None:
        raise EncryptionKeyError("no master public key file provided, and no default file found")
    return found


def default_master_key(console: Console) -> Path:
    """Where the default master public key lies or is to lie."""
    return _places(console).place_config(MASTER_PUBLIC_KEY)


def read_file(path: Path) -> bytes:
    """Return the content of a file of the size that keys have.

    Raises:
        EncryptionKeyError: it cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise EncryptionKeyError(f"unable to read '{path}' - {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise EncryptionKeyError(f"'{path}' is too large for a key")
    return data


def check_hint(kdf: KdfName, hint: str | None) -> None:
    """Return if a hint may be given.

    Raises:
        EncryptionKeyError: there is no password to hint at.
    """
    if kdf is KdfName.NONE and hint is not None:
        raise EncryptionKeyError("password hint not allowed for Kdf::None")


def _places(console: Console) -> ClientPlaces:
    return ClientPlaces.from_environment(console.environment)
