"""Moving a group into another namespace of the same store (version-4.md 9).

Snapshots are renamed, the oldest first, under their locks. What is interrupted can be repeated: the rest is newer than
all that arrived, so it is merged into it.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pbstore.config.atomic_file import sync_directory
from pbstore.datastore import locks
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import open_group, read_notes, read_owner, write_notes_locked
from pbstore.datastore.move_journal import append_moves
from pbstore.datastore.namespaces import has_namespace
from pbstore.datastore.removal import remove_empty_group, remove_lock_files
from pbstore.datastore.snapshots import list_snapshots
from pbstore.datastore.work_log import WorkLog
from pbstore.errors import DatastoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace

BATCH_SIZE = 256
"""Snapshots that are locked at once, each with an open file."""
INDEX_SUFFIXES = (".fidx", ".didx")


@dataclass(frozen=True)
class GroupMove:
    """Which group goes from where to where; with `merge` it may join one of the same name."""

    group: BackupGroup
    source: Namespace
    target: Namespace
    merge: bool = True

    def check(self, datastore: Datastore) -> None:
        """Return if the move can begin.

        Raises:
            DatastoreError: it cannot.
        """
        if self.source == self.target:
            raise DatastoreError("source and target namespace must be different")
        if not has_namespace(datastore, self.target):
            raise DatastoreError(f"target namespace '{self.target}' does not exist")
        if not datastore.group_path(self.source, self.group).is_dir():
            raise DatastoreError(f"group '{self.group}' does not exist in namespace '{self.source}'")
        if not self.merge and datastore.group_path(self.target, self.group).is_dir():
            raise DatastoreError(
                f"group '{self.group}' already exists in target namespace '{self.target}' and merge-group is disabled"
            )

    def run(self, datastore: Datastore, work: WorkLog) -> None:
        """Move all snapshots, then remove the group where it was.

        Raises:
            DatastoreError: it cannot be moved; or merged, for another owner or times that do not follow each other.
            LockedError: the group or one of its snapshots is in use; older ones may have been moved.
            AbortedError: the task shall stop; older ones may have been moved.
        """
        with ExitStack() as stack:
            stack.enter_context(locks.lock_group(datastore, self.source, self.group))
            self.check(datastore)
            owner = read_owner(datastore, self.source, self.group)
            is_merge = datastore.group_path(self.target, self.group).is_dir()
            verb = "merging" if is_merge else "moving"
            work.log(f"{verb} group '{self.group}' from '{self.source}' to '{self.target}'")
            target_owner, lock = open_group(datastore, self.target, self.group, owner)
            stack.enter_context(lock)
            snapshots = sorted(list_snapshots(datastore, self.source, self.group))
            try:
                self._check_merge(datastore, owner, target_owner, snapshots, work)
                self._move_notes(datastore, work)
                for start in range(0, len(snapshots), BATCH_SIZE):
                    self._move_batch(datastore, snapshots[start : start + BATCH_SIZE], work)
            except BaseException:
                if not is_merge:
                    remove_empty_group(datastore, self.target, self.group)
                raise
            work.log(f'removing backup group "{datastore.group_path(self.source, self.group)}"')
            remove_empty_group(datastore, self.source, self.group)

    def _check_merge(
        self, datastore: Datastore, owner: AuthId, target_owner: AuthId, snapshots: list[Snapshot], work: WorkLog
    ) -> None:
        failed = f"cannot merge group '{self.group}' from '{self.source}' into '{self.target}'"
        if owner != target_owner:
            raise DatastoreError(f"{failed}: owner mismatch ({owner} != {target_owner})")
        there = list_snapshots(datastore, self.target, self.group)
        if there and snapshots and snapshots[0] <= there[0]:
            work.log(f"oldest source snapshot: {snapshots[0].time_text}")
            work.log(f"conflicting target snapshot: {there[0].time_text}")
            raise DatastoreError(f"{failed}: snapshot time mismatch")

    def _move_notes(self, datastore: Datastore, work: WorkLog) -> None:
        notes = read_notes(datastore, self.source, self.group)
        there = read_notes(datastore, self.target, self.group)
        if notes and not there:
            write_notes_locked(datastore, self.target, self.group, notes)
        elif notes and notes != there:
            work.warn(f"group '{self.group}' has notes in both namespaces: keeping those of '{self.target}'")

    def _move_batch(self, datastore: Datastore, snapshots: list[Snapshot], work: WorkLog) -> None:
        with ExitStack() as stack:
            for snapshot in snapshots:
                stack.enter_context(locks.lock_snapshot(datastore, self.source, snapshot))
            for snapshot in snapshots:
                work.check_abort()
                self._move_snapshot(datastore, snapshot)
        # What was renamed is to be there before the source is removed for good.
        sync_directory(datastore.group_path(self.target, self.group))

    def _move_snapshot(self, datastore: Datastore, snapshot: Snapshot) -> None:
        source = datastore.snapshot_path(self.source, snapshot)
        target = datastore.snapshot_path(self.target, snapshot)
        if target.exists():
            raise DatastoreError(f"snapshot '{snapshot}' already exists in namespace '{self.target}'")
        with locks.lock_manifest(datastore, self.source, snapshot):
            append_moves(datastore, (target / name for name in _index_names(source)))
            try:
                source.rename(target)
            except OSError as error:
                raise DatastoreError(f"moving {source} to {target} failed: {error.strerror}") from error
            remove_lock_files(datastore, self.source, snapshot)


def _index_names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir() if path.suffix in INDEX_SUFFIXES]
