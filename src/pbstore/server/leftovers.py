"""What sessions of a dead process left in a store; removed when the store is opened, while nobody can use it."""

import contextlib
import logging
import re
from contextlib import ExitStack
from pathlib import Path

from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import list_groups
from pbstore.datastore.locks import lock_group, lock_snapshot
from pbstore.datastore.namespaces import list_namespaces
from pbstore.datastore.removal import remove_empty_group, remove_unfinished_snapshot
from pbstore.datastore.snapshots import UNFINISHED_NAME, is_finished, list_snapshots
from pbstore.errors import LockedError, PbstoreError
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace

_TEMPORARY = re.compile(r".+\.tmp_[A-Za-z0-9_]+")
_log = logging.getLogger(__name__)


def remove_leftovers(datastore: Datastore) -> int:
    """Remove unfinished backups of ours, and temporary files of groups and other snapshots.

    Returns how many backups were removed.

    A snapshot that merely lost its manifest has no mark of an unfinished backup: it stays, for a human to look at.

    The caller holds the store's process lock, so no other server writes to it; whatever is locked all the same stays.
    Temporary files of chunks are left to the garbage collection, which visits those directories anyway.
    """
    removed = 0
    for namespace in list(list_namespaces(datastore, Namespace())):
        for group in list(list_groups(datastore, namespace)):
            try:
                removed += _clean_group(datastore, namespace, group)
            except (PbstoreError, OSError) as error:
                _log.warning("cannot clean up group '%s' of datastore '%s': %s", group, datastore.name, error)
    return removed


def _clean_group(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> int:
    removed = 0
    if not _clean_group_files(datastore, namespace, group):
        return removed
    for snapshot in list_snapshots(datastore, namespace, group):
        path = datastore.snapshot_path(namespace, snapshot)
        if is_finished(datastore, namespace, snapshot):
            (path / UNFINISHED_NAME).unlink(missing_ok=True)
            _remove_temporary_files(path)
        elif (path / UNFINISHED_NAME).exists() or not any(path.iterdir()):
            removed += _remove_unfinished(datastore, namespace, snapshot)
    return removed


def _clean_group_files(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> bool:
    """Remove temporary files of a group itself, and one that was not even given an owner; whether it is there still."""
    path = datastore.group_path(namespace, group)
    with contextlib.suppress(LockedError), lock_group(datastore, namespace, group):
        _remove_temporary_files(path)
        if not any(path.iterdir()):
            return not remove_empty_group(datastore, namespace, group)
    return True


def _remove_unfinished(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> int:
    with ExitStack() as guards, contextlib.suppress(LockedError):
        guards.enter_context(lock_group(datastore, namespace, snapshot.group))
        guards.enter_context(lock_snapshot(datastore, namespace, snapshot))
        remove_unfinished_snapshot(datastore, namespace, snapshot)
        _log.warning("removed unfinished snapshot '%s' of datastore '%s'", snapshot, datastore.name)
        return 1
    return 0


def _remove_temporary_files(directory: Path) -> None:
    for path in directory.iterdir():
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)
