"""Taking over a directory that is a datastore already, as it is (version-4.md 5.3)."""

import os
import stat
from pathlib import Path

from pbstore.config.file_kind import service_owner
from pbstore.datastore.process_lock import LOCK_NAME
from pbstore.errors import DatastoreError

CHUNKS_NAME = ".chunks"
ROOT_MODE = 0o755
CHUNKS_MODE = 0o750
LOCK_MODE = 0o644
PREFIX_COUNT = 1 << 16


def check_adoptable(path: Path) -> None:
    """Return if the directory has all parts of a datastore, with the modes and the owner that a server needs.

    Nothing is changed, so that the directory can be given back. The owner is the service user; without being root,
    oneself.

    Raises:
        DatastoreError: a part is missing or has another mode or owner; named with what it should have.
    """
    service = service_owner()
    uid = os.geteuid() if service is None else service[0]
    _check(path, ROOT_MODE, uid, is_directory=True)
    _check(path / LOCK_NAME, LOCK_MODE, uid, is_directory=False)
    _check(path / CHUNKS_NAME, CHUNKS_MODE, uid, is_directory=True)
    for prefix in range(PREFIX_COUNT):
        _check(path / CHUNKS_NAME / f"{prefix:04x}", CHUNKS_MODE, uid, is_directory=True)


def _check(path: Path, mode: int, uid: int, *, is_directory: bool) -> None:
    try:
        status = path.lstat()
    except OSError as error:
        raise DatastoreError(f"cannot reuse datastore: {path}: {error.strerror}") from error
    if stat.S_ISDIR(status.st_mode) != is_directory or stat.S_ISLNK(status.st_mode):
        raise DatastoreError(f"cannot reuse datastore: {path} is no {'directory' if is_directory else 'file'}")
    if stat.S_IMODE(status.st_mode) != mode:
        found = stat.S_IMODE(status.st_mode)
        raise DatastoreError(f"cannot reuse datastore: {path} has mode {found:04o}, it needs {mode:04o} (chmod)")
    if status.st_uid != uid:
        raise DatastoreError(
            f"cannot reuse datastore: {path} belongs to user id {status.st_uid}, it has to belong to {uid} (chown)"
        )
