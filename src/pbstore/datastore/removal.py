"""Removal of snapshots and groups (version-4.md 5.2).

The manifest goes first, by becoming the mark of an unfinished backup: a crash in the middle leaves one of those, and
never a finished snapshot that lacks files.
"""

import contextlib
import re
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pbstore.config.atomic_file import sync_directory
from pbstore.datastore import locks
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import require_group
from pbstore.datastore.snapshots import (
    MANIFEST_NAME,
    UNFINISHED_NAME,
    is_protected,
    list_snapshots,
    require_snapshot,
)
from pbstore.errors import DatastoreError, LockedError
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace

_GROUP_FILE = re.compile(r"(?:notes|owner)(?:\.tmp_\w+)?")
"""Files of a group itself, and what a crash can leave of them."""


@dataclass(frozen=True)
class RemovalCounts:
    """What a removal took away, and what it left because it is protected."""

    removed_groups: int = 0
    removed_snapshots: int = 0
    protected_snapshots: int = 0

    def as_json(self) -> dict[str, int]:
        """The counts as answers carry them."""
        return {
            "removed-groups": self.removed_groups,
            "removed-snapshots": self.removed_snapshots,
            "protected-snapshots": self.protected_snapshots,
        }

    def __add__(self, other: "RemovalCounts") -> "RemovalCounts":
        return RemovalCounts(
            self.removed_groups + other.removed_groups,
            self.removed_snapshots + other.removed_snapshots,
            self.protected_snapshots + other.protected_snapshots,
        )


def remove_snapshot(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> None:
    """Remove a snapshot, and its group with the last one.

    Raises:
        DatastoreError: there is no such snapshot, or it is protected.
        LockedError: it is in use.
    """
    require_snapshot(datastore, namespace, snapshot)
    _remove_locked(datastore, namespace, snapshot)
    try:
        group_lock = locks.lock_group(datastore, namespace, snapshot.group)
    except LockedError:
        return
    with group_lock:
        remove_empty_group(datastore, namespace, snapshot.group)


def remove_unfinished_snapshot(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> None:
    """Remove what a failed backup left, and its group if nothing else is in it.

    The caller holds the locks of the group and the snapshot; protection is not looked at.
    """
    _remove_snapshot_directory(datastore, namespace, snapshot)
    remove_lock_files(datastore, namespace, snapshot)
    remove_empty_group(datastore, namespace, snapshot.group)


def remove_group(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> RemovalCounts:
    """Remove the unprotected snapshots of a group, and the group if none is protected.

    Raises:
        DatastoreError: there is no such group.
        LockedError: the group or one of its snapshots is in use; older ones are gone by then.
    """
    require_group(datastore, namespace, group)
    removed = protected = 0
    with locks.lock_group(datastore, namespace, group):
        for snapshot in reversed(list_snapshots(datastore, namespace, group)):
            if is_protected(datastore, namespace, snapshot):
                protected += 1
            else:
                _remove_locked(datastore, namespace, snapshot)
                removed += 1
        gone = not protected and remove_empty_group(datastore, namespace, group)
    return RemovalCounts(int(gone), removed, protected)


def remove_empty_group(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> bool:
    """Remove a group without snapshots, which the caller has locked; return whether that was done.

    What nobody knows is not removed, nor is the group then.

    Raises:
        DatastoreError: the system refuses.
    """
    path = datastore.group_path(namespace, group)
    try:
        names = [entry.name for entry in path.iterdir()]
        if not all(_GROUP_FILE.fullmatch(name) for name in names):
            return False
        for name in names:
            (path / name).unlink(missing_ok=True)
        path.rmdir()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DatastoreError(f"removing {path} failed: {error.strerror}") from error
    locks.group_lock_path(datastore, namespace, group).unlink(missing_ok=True)
    return True


def _remove_locked(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> None:
    with ExitStack() as stack:
        stack.enter_context(locks.lock_snapshot(datastore, namespace, snapshot))
        stack.enter_context(locks.lock_manifest(datastore, namespace, snapshot))
        if is_protected(datastore, namespace, snapshot):
            raise DatastoreError("cannot remove protected snapshot")
        _remove_snapshot_directory(datastore, namespace, snapshot)
        remove_lock_files(datastore, namespace, snapshot)


def _remove_snapshot_directory(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> None:
    path = datastore.snapshot_path(namespace, snapshot)
    try:
        with contextlib.suppress(FileNotFoundError):
            # One step, so that the next start finishes what a crash interrupts; no new file, as the disk may be full.
            (path / MANIFEST_NAME).replace(path / UNFINISHED_NAME)
            if datastore.config.tuning.sync_level != "none":
                sync_directory(path)
        _remove_directory(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise DatastoreError(f"removing {path} failed: {error.strerror}") from error


def _remove_directory(path: Path) -> None:
    """Remove the mark of an unfinished backup last: without it nobody would know what the rest is."""
    for entry in list(path.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != UNFINISHED_NAME:
            entry.unlink()
    (path / UNFINISHED_NAME).unlink(missing_ok=True)
    path.rmdir()


def remove_lock_files(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> None:
    """Remove the lock files of a snapshot that is gone, whose locks the caller holds.

    Whoever opened such a file and waits finds that it was removed and gives up (file_lock.py).
    """
    locks.manifest_lock_path(datastore, namespace, snapshot).unlink(missing_ok=True)
    locks.snapshot_lock_path(datastore, namespace, snapshot).unlink(missing_ok=True)
