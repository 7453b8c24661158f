"""Read one small file of a snapshot, such as a guest's configuration, into memory."""

import os
from collections.abc import Callable

from pbstore import _core
from pbstore.client.key_choice import KeyChoice, KeySource
from pbstore.client.keys import Keys, load_keys
from pbstore.client.restore import RestoreJob, run_restore
from pbstore.client.restore_target import RestoreTarget
from pbstore.client.server import Server
from pbstore.errors import EncryptionKeyError, PbstoreError
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.namespace import Namespace

MAX_BYTES = 16 << 20


def read_small_file(
    server: Server, namespace: Namespace, snapshot: Snapshot, file_name: str, keys: Keys, warn: Callable[[str], None]
) -> bytes:
    """Return the content of a blob, verified and decrypted as by `restore`; `file_name` is the server's.

    Raises:
        EncryptionKeyError: the key is missing or another one.
        IntegrityError: something is not what the manifest says.
        NotFoundError: the snapshot has no such file.
        PbstoreError: larger than a small file may be.
    """
    descriptor = os.memfd_create("restored", os.MFD_CLOEXEC)
    try:
        target = RestoreTarget(descriptor=descriptor)
        job = RestoreJob(snapshot=snapshot, namespace=namespace, file_name=file_name, target=target, keys=keys)
        run_restore(server, job, _OnlyWarnings(warn))
        size = os.fstat(descriptor).st_size
        if size > MAX_BYTES:
            raise PbstoreError(f"'{file_name}' has {size} bytes, more than {MAX_BYTES} for a small file")
        return os.pread(descriptor, size, 0)
    finally:
        os.close(descriptor)


def keys_of(key_file: bytes | None) -> Keys:
    """Open a key file without password; None is no encryption.

    Raises:
        EncryptionKeyError: it is no key file, or protected by a password.
    """
    if key_file is None:
        return Keys()
    choice = KeyChoice(crypt_mode=CryptMode.ENCRYPT, key=KeySource("encryption", key_file))
    return load_keys(choice, _nobody_to_ask, lambda line: None, for_backup=False)


def _nobody_to_ask() -> str:
    raise EncryptionKeyError("the key is protected by a password, and nobody can be asked for it")


class _OnlyWarnings:
    """Follows a restore without showing anything but warnings."""

    def __init__(self, warn: Callable[[str], None]):
        self._warn = warn

    def info(self, text: str) -> None:
        """Not shown."""

    def warn(self, text: str) -> None:
        """A warning line."""
        self._warn(text)

    def opened(self, session: _core.Session) -> None:
        """Nobody watches, so nobody stops it."""

    def begin(self, title: str) -> _core.Progress:
        """Counters that nobody reads."""
        return _core.Progress()

    def end(self) -> None:
        """Nothing to do."""
