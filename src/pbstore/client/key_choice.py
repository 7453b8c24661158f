"""Which keys a command uses, by crypt mode, options and default files: the table of keys.md 3, row by row."""

from dataclasses import dataclass
from pathlib import Path

from pbstore.client.places import ENCRYPTION_KEY, MASTER_PUBLIC_KEY, ClientPlaces
from pbstore.errors import EncryptionKeyError, PbstoreError
from pbstore.model.crypt_mode import CryptMode

MAX_KEY_FILE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class KeySource:
    """Where a key's file content came from; `kind` is `encryption` or `master`."""

    kind: str
    data: bytes
    path: Path | None = None
    is_default: bool = False

    @property
    def message(self) -> str:
        """The line that tells the user which key is used."""
        if self.is_default:
            return f"Using default {self.kind} key.."
        if self.path is not None:
            return f"Using {self.kind} key from '{self.path}'.."
        return f"Using {self.kind} key from file descriptor.."


@dataclass(frozen=True, kw_only=True)
class KeyOptions:
    """What the command line says about keys."""

    crypt_mode: CryptMode | None = None
    keyfile: Path | None = None
    keyfd: int | None = None
    master_pubkey_file: Path | None = None
    master_pubkey_fd: int | None = None


@dataclass(frozen=True, kw_only=True)
class KeyChoice:
    """The outcome: mode, encryption key and master public key. `announcement` is logged before the key's own line."""

    crypt_mode: CryptMode
    key: KeySource | None = None
    master_key: KeySource | None = None
    announcement: str | None = None


def choose_keys(options: KeyOptions, places: ClientPlaces) -> KeyChoice:
    """Choose the keys of a command that may use a key.

    Raises:
        PbstoreError: options that exclude each other, or a key that is needed but not there.
        EncryptionKeyError: a key file that cannot be read.
    """
    _check_exclusive(options)
    mode = options.crypt_mode
    key = _given("encryption", options.keyfile, options.keyfd)
    master = _given("master", options.master_pubkey_file, options.master_pubkey_fd)
    if mode is CryptMode.NONE:
        return KeyChoice(crypt_mode=CryptMode.NONE)
    announcement = None
    if key is None:
        key = _default("encryption", places.find_config(ENCRYPTION_KEY))
        if mode is not None and key is None:
            raise PbstoreError("--crypt-mode without --keyfile and no default key file available")
        if key is None and master is not None:
            raise PbstoreError("--master-pubkey-file/--master-pubkey-fd specified, but no key available")
        if key is None:
            return KeyChoice(crypt_mode=CryptMode.NONE)
        if mode is not None:
            announcement = "Encrypting with default encryption key!"
    if master is None:
        master = _default("master", places.find_config(MASTER_PUBLIC_KEY))
    return KeyChoice(crypt_mode=mode or CryptMode.ENCRYPT, key=key, master_key=master, announcement=announcement)


def _check_exclusive(options: KeyOptions) -> None:
    has_key = options.keyfile is not None or options.keyfd is not None
    has_master = options.master_pubkey_file is not None or options.master_pubkey_fd is not None
    if options.keyfile is not None and options.keyfd is not None:
        raise PbstoreError("--keyfile and --keyfd are mutually exclusive")
    if options.master_pubkey_file is not None and options.master_pubkey_fd is not None:
        raise PbstoreError("--master-pubkey-file and --master-pubkey-fd are mutually exclusive")
    if options.crypt_mode is CryptMode.NONE and has_key:
        raise PbstoreError("--keyfile/--keyfd and --crypt-mode=none are mutually exclusive")
    if options.crypt_mode is CryptMode.NONE and has_master:
        raise PbstoreError("--master-pubkey-file/--master-pubkey-fd and --crypt-mode=none are mutually exclusive")


def _given(kind: str, path: Path | None, descriptor: int | None) -> KeySource | None:
    if path is not None:
        return KeySource(kind, _read(path, f"unable to read {kind} key file '{path}'"), path)
    if descriptor is not None:
        return KeySource(kind, _read(descriptor, f"unable to read {kind} key from file descriptor {descriptor}"))
    return None


def _default(kind: str, path: Path | None) -> KeySource | None:
    if path is None:
        return None
    return KeySource(kind, _read(path, f"unable to read default {kind} key file '{path}'"), path, is_default=True)


def _read(source: Path | int, failure: str) -> bytes:
    """Read a key file or an open descriptor, which is closed."""
    try:
        with open(source, "rb") as file:  # noqa: PTH123 - a descriptor has no Path
            data = file.read(MAX_KEY_FILE_BYTES + 1)
    except OSError as error:
        raise EncryptionKeyError(f"{failure} - {error.strerror}") from None
    if len(data) > MAX_KEY_FILE_BYTES:
        raise EncryptionKeyError(f"{failure} - larger than {MAX_KEY_FILE_BYTES} bytes, so it is no key")
    return data
