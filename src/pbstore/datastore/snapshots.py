"""Snapshots on disk: listing, creation, protection (datastore-layout.md 1, 2, 4)."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pbstore.config.atomic_file import replace_file
from pbstore.config.file_lock import FileLock
from pbstore.config.make_directory import make_directory
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.directory_names import subdirectory_names
from pbstore.datastore.groups import FILE_MODE, require_group
from pbstore.datastore.locks import lock_snapshot
from pbstore.errors import DatastoreError, FormatError
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.backup_time import parse_backup_time
from pbstore.model.namespace import Namespace

MANIFEST_NAME = "index.json.blob"
PROTECTED_NAME = ".protected"
UNFINISHED_NAME = ".unfinished"
"""Marks a snapshot of ours until `finish`: only what has it is thrown away after a crash."""


def iterate_snapshots(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> Iterator[Snapshot]:
    """Yield the snapshots of a group as the directory has them, unfinished ones too; other names are ignored.

    Raises:
        DatastoreError: there is no such group.
    """
    require_group(datastore, namespace, group)
    for name in subdirectory_names(datastore.group_path(namespace, group)):
        with contextlib.suppress(FormatError):
            yield Snapshot(group, parse_backup_time(name))


def list_snapshots(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> list[Snapshot]:
    """Return the snapshots of a group, newest first, unfinished ones too.

    Raises:
        DatastoreError: there is no such group.
    """
    return sorted(iterate_snapshots(datastore, namespace, group), reverse=True)


def last_finished(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> Snapshot | None:
    """Return the newest snapshot that has a manifest.

    Raises:
        DatastoreError: there is no such group.
    """
    snapshots = list_snapshots(datastore, namespace, group)
    return next((snapshot for snapshot in snapshots if is_finished(datastore, namespace, snapshot)), None)


def is_finished(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> bool:
    """Whether the snapshot has a manifest."""
    return (datastore.snapshot_path(namespace, snapshot) / MANIFEST_NAME).is_file()


def require_snapshot(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> Path:
    """Return the snapshot's directory.

    Raises:
        DatastoreError: there is no such snapshot.
    """
    path = datastore.snapshot_path(namespace, snapshot)
    if not path.is_dir():
        raise DatastoreError(f"snapshot '{snapshot}' does not exist: {path} - ENOENT: No such file or directory")
    return path


def create_snapshot(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> FileLock:
    """Make the directory of a new snapshot in a group that the caller has locked, and return the snapshot's lock.

    Raises:
        DatastoreError: the snapshot exists.
        LockedError: it is in use.
    """
    path = datastore.snapshot_path(namespace, snapshot)
    lock = lock_snapshot(datastore, namespace, snapshot)
    try:
        if path.exists():
            raise DatastoreError(f"backup snapshot '{snapshot}' already exists")
        _make_snapshot(path, datastore.owner)
    except BaseException:
        lock.release()
        raise
    return lock


def _make_snapshot(path: Path, owner: tuple[int, int] | None) -> None:
    """Make the directory with its mark, or nothing."""
    try:
        make_directory(path, owner=owner)
        (path / UNFINISHED_NAME).touch(0o644)
    except BaseException:
        with contextlib.suppress(OSError):
            (path / UNFINISHED_NAME).unlink(missing_ok=True)
            path.rmdir()
        raise


def is_protected(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> bool:
    """Whether the snapshot must not be removed."""
    return (datastore.snapshot_path(namespace, snapshot) / PROTECTED_NAME).exists()


def set_protected(datastore: Datastore, namespace: Namespace, snapshot: Snapshot, protected: bool) -> None:
    """Protect a snapshot against removal, or end that.

    Raises:
        DatastoreError: there is no such snapshot.
        LockedError: it is in use.
    """
    path = require_snapshot(datastore, namespace, snapshot) / PROTECTED_NAME
    with lock_snapshot(datastore, namespace, snapshot):
        if protected:
            replace_file(path, b"", mode=FILE_MODE, owner=datastore.owner)
        else:
            path.unlink(missing_ok=True)
