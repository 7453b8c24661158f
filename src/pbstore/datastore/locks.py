"""Locks of groups, snapshots and manifests: files below the run directory (version-4.md 5.1)."""

import hashlib
from pathlib import Path

from pbstore.config.file_kind import FileKind, service_owner
from pbstore.config.file_lock import FileLock, lock_file
from pbstore.config.make_directory import make_directory
from pbstore.datastore.datastore import Datastore
from pbstore.errors import LockedError
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace
from pbstore.model.unit_name import escape_unit_name

MANIFEST_TIMEOUT_SECONDS = 5.0
_MAX_NAME_BYTES = 254
_SLICE = 80


def lock_group(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> FileLock:
    """Lock a group exclusively, without waiting.

    Raises:
        LockedError: it is in use.
    """
    path = group_lock_path(datastore, namespace, group)
    return _lock(path, f"backup group '{group}'")


def lock_snapshot(datastore: Datastore, namespace: Namespace, snapshot: Snapshot, *, shared: bool = False) -> FileLock:
    """Lock a snapshot, shared for reading, without waiting.

    Raises:
        LockedError: it is in use.
    """
    path = snapshot_lock_path(datastore, namespace, snapshot)
    return _lock(path, f"snapshot '{snapshot}'", shared=shared)


def lock_manifest(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> FileLock:
    """Lock the manifest of a snapshot for a change; waits up to five seconds.

    Raises:
        LockedError: it is still in use then.
    """
    path = manifest_lock_path(datastore, namespace, snapshot)
    return _lock(path, f"manifest of '{snapshot}'", timeout_seconds=MANIFEST_TIMEOUT_SECONDS)


def group_lock_path(datastore: Datastore, namespace: Namespace, group: BackupGroup) -> Path:
    """Lock file of a group."""
    return lock_path(datastore.locks_dir / datastore.name, namespace, str(group))


def snapshot_lock_path(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> Path:
    """Lock file of a snapshot."""
    return lock_path(datastore.locks_dir / datastore.name, namespace, str(snapshot))


def manifest_lock_path(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> Path:
    """Lock file of a snapshot's manifest."""
    return lock_path(datastore.locks_dir / datastore.name, namespace, f"{snapshot}/.index.json.lck")


def lock_path(base: Path, namespace: Namespace, relative: str) -> Path:
    """Return the lock file below `base` for a path relative to a namespace."""
    directory = base if namespace.is_root else base / ":".join(namespace.components)
    name = escape_unit_name(relative)
    if len(name) <= _MAX_NAME_BYTES:
        return directory / name
    digest = hashlib.sha256(relative.encode()).hexdigest()
    return directory / "hashed" / f"{name[:_SLICE]}...{name[-_SLICE:]}-{digest}"


def _lock(path: Path, what: str, *, shared: bool = False, timeout_seconds: float = 0) -> FileLock:
    kind = FileKind.LOCK
    make_directory(path.parent, owner=service_owner())
    try:
        return lock_file(path, timeout_seconds=timeout_seconds, shared=shared, mode=kind.mode, owner=kind.owner())
    except LockedError:
        raise LockedError(f"unable to acquire lock on {what}: it is in use by another task") from None
