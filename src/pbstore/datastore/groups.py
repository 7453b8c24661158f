"""Backup groups on disk: listing, creation, owner and notes (datastore-layout.md 1, 2; manifest.md 6)."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pbstore.config.atomic_file import replace_file
from pbstore.config.file_lock import FileLock
from pbstore.config.make_directory import make_directory
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.directory_names import subdirectory_names
from pbstore.datastore.locks import lock_group
from pbstore.datastore.namespaces import require_namespace
from pbstore.errors import DatastoreError, FormatError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, BackupType
from pbstore.model.namespace import Namespace

FILE_MODE = 0o644
MAX_OWNER_BYTES = 1024
MAX_NOTES_BYTES = 1 << 20
_NOT_THERE = "ENOENT: No such file or directory"
"""What original clients look for to print a short message (version-4.md 0.1, C12)."""


def list_groups(datastore: Datastore, namespace: Namespace) -> Iterator[BackupGroup]:
    """Yield the groups of a namespace as the directory has them; other names are ignored.

    Raises:
        DatastoreError: there is no such namespace.
    """
    require_namespace(datastore, namespace)
    for backup_type in BackupType:
        for name in subdirectory_names(datastore.namespace_path(namespace) / backup_type.value):
            with contextlib.suppress(FormatError):
                yield BackupGroup(backup_type, name)


def open_group(
    datastore: Datastore, namespace: Namespace, group: BackupGroup, owner: AuthId
) -> tuple[AuthId, FileLock]:
    """Lock a group, make it for `owner` if it is new, and return its owner and the lock.

    The caller compares the owner: an existing group keeps the one it has.

    Raises:
        LockedError: the group is in use.
        DatastoreError: there is no such namespace, or the group's owner cannot be read.
    """
    require_namespace(datastore, namespace)
    lock = lock_group(datastore, namespace, group)
    try:
        path = datastore.group_path(namespace, group)
        if _needs_owner(path):
            _make_group(datastore, namespace, group, owner)
        return read_owner(datastore, namespace, group), lock
    except BaseException:
        lock.release()
        raise


def read_owner(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> AuthId:
    """Return who owns a group.

    Raises:
        DatastoreError: there is no such group, or its owner cannot be read.
    """
    path = datastore.group_path(namespace, group) / "owner"
    try:
        with path.open("rb") as file:
            return AuthId.parse(file.read(MAX_OWNER_BYTES).decode().strip())
    except FileNotFoundError:
        raise DatastoreError(f"unable to load owner of group '{group}': {path} - {_NOT_THERE}") from None
    except OSError as error:
        raise DatastoreError(f"unable to load owner of group '{group}': {path}: {error.strerror}") from error
    except (FormatError, UnicodeDecodeError) as error:
        raise DatastoreError(f"unable to load owner of group '{group}': {path}: {error}") from None


def write_owner(datastore: Datastore, namespace: Namespace, group: BackupGroup, owner: AuthId) -> None:
    """Change who owns an existing group; the caller has locked it.

    Raises:
        DatastoreError: there is no such group.
    """
    _write(datastore, namespace, group, "owner", f"{owner}\n")


def change_owner(datastore: Datastore, namespace: Namespace, group: BackupGroup, owner: AuthId) -> None:
    """Give a group to somebody else, under its lock.

    Raises:
        DatastoreError: there is no such group.
        LockedError: the group is in use.
    """
    require_group(datastore, namespace, group)
    with lock_group(datastore, namespace, group):
        write_owner(datastore, namespace, group, owner)


def read_notes(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> str:
    """Return the notes of a group, empty if there are none or no such group."""
    try:
        with (datastore.group_path(namespace, group) / "notes").open("rb") as file:
            return file.read(MAX_NOTES_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def write_notes(datastore: Datastore, namespace: Namespace, group: BackupGroup, notes: str) -> None:
    """Replace the notes of a group, under its lock.

    Raises:
        DatastoreError: there is no such group, or the notes are too long.
        LockedError: the group is in use.
    """
    require_group(datastore, namespace, group)
    with lock_group(datastore, namespace, group):
        write_notes_locked(datastore, namespace, group, notes)


def write_notes_locked(datastore: Datastore, namespace: Namespace, group: BackupGroup, notes: str) -> None:
    """Replace the notes of a group that the caller has locked.

    Raises:
        DatastoreError: there is no such group, or the notes are too long.
    """
    if len(notes.encode()) > MAX_NOTES_BYTES:
        raise DatastoreError(f"notes are too long: at most {MAX_NOTES_BYTES >> 20} MiB")
    _write(datastore, namespace, group, "notes", notes)


def require_group(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> None:
    """Return if the group exists.

    Raises:
        DatastoreError: it does not.
    """
    path = datastore.group_path(namespace, group)
    if not path.is_dir():
        raise DatastoreError(f'read dir "{path}" - {_NOT_THERE}')


def _needs_owner(path: Path) -> bool:
    """Whether a group is new, or was left without owner and snapshots by a crash while it was made."""
    return not path.is_dir() or (not (path / "owner").exists() and not any(subdirectory_names(path)))


def _make_group(datastore: Datastore, namespace: Namespace, group: BackupGroup, owner: AuthId) -> None:
    path = datastore.group_path(namespace, group)
    existed = path.is_dir()
    make_directory(path, owner=datastore.owner)
    try:
        write_owner(datastore, namespace, group, owner)
    except BaseException:
        if not existed:
            with contextlib.suppress(OSError):
                (path / "owner").unlink(missing_ok=True)
                path.rmdir()
        raise


def _write(datastore: Datastore, namespace: Namespace, group: BackupGroup, name: str, text: str) -> None:
    require_group(datastore, namespace, group)
    path = datastore.group_path(namespace, group) / name
    try:
        replace_file(path, text.encode(), mode=FILE_MODE, owner=datastore.owner)
    except OSError as error:
        raise DatastoreError(f"cannot write {path}: {os.strerror(error.errno or 0)}") from error
