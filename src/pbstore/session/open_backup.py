"""The checks before a backup session, in the order of protocol-transport.md 4.2, and the locks it starts with."""

import contextlib
from contextlib import ExitStack
from dataclasses import dataclass

from pbstore.config.file_lock import FileLock
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import open_group
from pbstore.datastore.locks import lock_snapshot
from pbstore.datastore.manifest_file import read_manifest
from pbstore.datastore.namespaces import require_namespace
from pbstore.datastore.removal import remove_empty_group
from pbstore.datastore.snapshots import create_snapshot, last_finished
from pbstore.datastore.verify_state import VerifyState
from pbstore.errors import DatastoreError, NotFoundError, PbstoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace
from pbstore.session.backup_place import BackupPlace, PreviousBackup

BENCHMARK_GROUP = "host/benchmark"


@dataclass(frozen=True, kw_only=True)
class BackupRequest:
    """What a client wants to back up."""

    namespace: Namespace
    snapshot: Snapshot
    caller: AuthId
    is_benchmark: bool = False


def open_backup(datastore: Datastore, request: BackupRequest, *, now: float, allowed_ahead_seconds: int) -> BackupPlace:
    """Lock the group and make the snapshot's directory; `now` is the server's time.

    Raises:
        NotFoundError: there is no such namespace.
        LockedError: another backup of the group runs, or the last one is being removed.
        DatastoreError: not the owner's, not newer than the last backup, or there already.
        PbstoreError: everything else that must not be backed up.
    """
    try:
        require_namespace(datastore, request.namespace)
    except DatastoreError:
        raise NotFoundError("namespace not found") from None
    _check_benchmark(request)
    _check_clock(request.snapshot, now, allowed_ahead_seconds)
    with ExitStack() as guards:
        owner, group_lock = open_group(datastore, request.namespace, request.snapshot.group, request.caller)
        guards.enter_context(group_lock)
        if not request.is_benchmark and not request.caller.owns(owner):
            raise DatastoreError(f"backup owner check failed ({request.caller} != {owner})")
        previous = _previous(datastore, request)
        if previous is not None:
            guards.enter_context(lock_snapshot(datastore, request.namespace, previous.snapshot, shared=True))
        guards.enter_context(datastore.process_lock.shared(now))
        guards.enter_context(_new_snapshot(datastore, request))
        return BackupPlace(datastore, request.namespace, request.snapshot, previous, guards.pop_all())


def _new_snapshot(datastore: Datastore, request: BackupRequest) -> FileLock:
    """Make the snapshot; where that fails, a group that has no other goes, as after a backup that failed later."""
    try:
        return create_snapshot(datastore, request.namespace, request.snapshot)
    except OSError:
        with contextlib.suppress(DatastoreError):
            remove_empty_group(datastore, request.namespace, request.snapshot.group)
        raise


def _check_benchmark(request: BackupRequest) -> None:
    is_benchmark_group = str(request.snapshot.group) == BENCHMARK_GROUP
    if is_benchmark_group != request.is_benchmark:
        reason = "is reserved for benchmarks" if is_benchmark_group else "is the only group for benchmarks"
        raise PbstoreError(f"group '{BENCHMARK_GROUP}' {reason}")
    if is_benchmark_group and not request.namespace.is_root:
        raise PbstoreError("benchmarks run in the root namespace only")


def _check_clock(snapshot: Snapshot, now: float, allowed_ahead_seconds: int) -> None:
    ahead = snapshot.backup_time - int(now)
    if ahead > allowed_ahead_seconds:
        raise PbstoreError(
            f"backup time {snapshot.time_text} is {ahead} seconds ahead of the server's clock"
            f" (at most {allowed_ahead_seconds}): set the client's clock"
        )


def _previous(datastore: Datastore, request: BackupRequest) -> PreviousBackup | None:
    """Return the last backup; one that failed verification is treated as if there were none."""
    last = last_finished(datastore, request.namespace, request.snapshot.group)
    if last is None:
        return None
    manifest, _ = read_manifest(datastore, request.namespace, last)
    verification = VerifyState.of(manifest)
    if verification is not None and not verification.is_ok:
        return None
    if request.snapshot.backup_time <= last.backup_time:
        raise DatastoreError("backup timestamp is older than last backup.")
    return PreviousBackup(last, datastore.snapshot_path(request.namespace, last))
