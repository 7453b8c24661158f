"""What the verify tasks do and log: of a snapshot, a group, a datastore (version-4.md 7)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pbstore._core import Verification
from pbstore.access.clock import Clock
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import require_group
from pbstore.datastore.snapshot_verifier import SnapshotVerifier
from pbstore.datastore.snapshots import list_snapshots
from pbstore.datastore.verify_state import VerifyFilter
from pbstore.errors import DatastoreError, IntegrityError
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace
from pbstore.tasks.worker_task import WorkerTask

_UNVERIFIED_GROUP = "host/benchmark"
"""Never verified: what benchmarks upload is removed again."""


@dataclass(frozen=True, kw_only=True)
class VerifyOptions:
    """What to leave out, and with how many threads to read and to check; None: as the store is tuned."""

    filter: VerifyFilter
    readers: int | None = None
    workers: int | None = None


class VerifyRun:
    """One verify task. What fails is collected, and fails the task at its end."""

    def __init__(self, datastore: Datastore, task: WorkerTask, options: VerifyOptions, clock: Clock):
        tuning = datastore.config.tuning
        self._datastore = datastore
        self._task = task
        self._readers = options.readers or tuning.verification_readers
        self._workers = options.workers or tuning.verification_workers
        verification = Verification(
            datastore.chunk_store, readers=self._readers, workers=self._workers, chunk_order=tuning.chunk_order
        )
        task.on_abort(verification.abort)
        self._verifier = SnapshotVerifier(
            datastore, verification, task, upid=str(task.upid), filter=options.filter, clock=clock
        )
        self._failed: list[str] = []

    def snapshot(self, namespace: Namespace, snapshot: Snapshot) -> None:
        """Verify one snapshot.

        Raises:
            IntegrityError: something is wrong with it.
            AbortedError: the task shall stop.
        """
        self._verify(namespace, snapshot)
        self._report()

    def group(self, namespace: Namespace, group: BackupGroup) -> None:
        """Verify one group.

        Raises:
            IntegrityError, AbortedError: as `snapshot`.
        """
        self._group(namespace, group, _Progress(1))
        self._report()

    def store(self, groups: Iterable[tuple[Namespace, BackupGroup]]) -> None:
        """Verify `groups` of the store.

        Raises:
            IntegrityError, AbortedError: as `snapshot`.
        """
        self._task.log(f"verify datastore {self._datastore.name}")
        wanted = sorted((group, namespace) for namespace, group in groups if str(group) != _UNVERIFIED_GROUP)
        self._task.log(f"found {len(wanted)} groups")
        self._task.log(f"using {self._readers} read and {self._workers} verify thread(s)")
        progress = _Progress(len(wanted))
        for group, namespace in wanted:
            self._task.check_abort()
            self._group(namespace, group, progress)
            progress.end_group()
        self._report()

    def _group(self, namespace: Namespace, group: BackupGroup, progress: "_Progress") -> None:
        try:
            snapshots = list_snapshots(self._datastore, namespace, group)
        except (DatastoreError, OSError) as error:
            self._cannot_list(namespace, group, error)
            return
        self._task.log(f"verify group {self._datastore.name}:{group} ({len(snapshots)} snapshots)")
        for number, snapshot in enumerate(snapshots, start=1):
            self._verify(namespace, snapshot)
            self._task.log(progress.text(number, len(snapshots)))

    def _cannot_list(self, namespace: Namespace, group: BackupGroup, error: Exception) -> None:
        try:
            require_group(self._datastore, namespace, group)
        except DatastoreError:  # removed meanwhile
            self._task.log(f"SKIPPED: verify group {self._datastore.name}:{group} - group vanished")
            return
        self._task.log(f"verify group {self._datastore.name}:{group} - unable to list backups: {error}")
        self._failed.append(_name(namespace, group))

    def _verify(self, namespace: Namespace, snapshot: Snapshot) -> None:
        if not self._verifier.verify(namespace, snapshot):
            self._failed.append(_name(namespace, snapshot))

    def _report(self) -> None:
        if not self._failed:
            return
        self._task.log("Failed to verify the following snapshots/groups:")
        for name in self._failed:
            self._task.log(f"\t{name}")
        raise IntegrityError("verification failed - please check the log for details")


@dataclass
class _Progress:
    """How many of the groups are done."""

    group_count: int
    done_groups: int = field(default=0)

    def end_group(self) -> None:
        self.done_groups += 1

    def text(self, done: int, count: int) -> str:
        """The line behind snapshot `done` of the `count` ones of the current group."""
        percent = (self.done_groups + done / count) * 100 / self.group_count
        if self.group_count == 1:
            where = f"{done}/{count} snapshots"
        elif done == count:
            where = f"{self.done_groups + 1}/{self.group_count} groups"
        else:
            where = (
                f"{self.done_groups}/{self.group_count} groups,"
                f" {done}/{count} snapshots in group #{self.done_groups + 1}"
            )
        return f"percentage done: {percent:.2f}% ({where})"


def _name(namespace: Namespace, what: BackupGroup | Snapshot) -> str:
    return str(what) if namespace.is_root else f"{namespace.directory}/{what}"
