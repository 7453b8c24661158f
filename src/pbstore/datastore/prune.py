"""Pruning one group: a plan that says what becomes of each snapshot, and carrying it out (datastore-layout.md 6).

A dry run shows the plan that a real run carries out, so the two cannot disagree.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from pbstore.datastore.datastore import Datastore
from pbstore.datastore.removal import remove_snapshot
from pbstore.datastore.retention import Candidate, Mark, Retention, select
from pbstore.datastore.snapshots import is_finished, is_protected, iterate_snapshots
from pbstore.datastore.work_log import WorkLog
from pbstore.errors import DatastoreError, PbstoreError
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace


@dataclass(frozen=True)
class Decision:
    """What becomes of one snapshot; `was_finished` is what it was decided on."""

    snapshot: Snapshot
    mark: Mark
    was_finished: bool

    @property
    def keeps(self) -> bool:
        """Whether the snapshot stays."""
        return self.mark is not Mark.REMOVE


@dataclass(frozen=True)
class PrunePlan:
    """What becomes of the snapshots of a group, oldest first."""

    namespace: Namespace
    group: BackupGroup
    decisions: tuple[Decision, ...]

    @property
    def counts(self) -> Counter[Mark]:
        """How many snapshots have each mark."""
        return Counter(decision.mark for decision in self.decisions)


def plan_prune(datastore: Datastore, namespace: Namespace, group: BackupGroup, retention: Retention) -> PrunePlan:
    """Decide for each snapshot of a group; nothing is changed.

    Raises:
        DatastoreError: there is no such group.
    """
    candidates = {
        snapshot: Candidate(
            snapshot, is_finished(datastore, namespace, snapshot), is_protected(datastore, namespace, snapshot)
        )
        for snapshot in iterate_snapshots(datastore, namespace, group)
    }
    marks = select(candidates.values(), retention)
    decisions = [Decision(snapshot, mark, candidates[snapshot].is_finished) for snapshot, mark in marks.items()]
    return PrunePlan(namespace, group, tuple(reversed(decisions)))


def carry_out(datastore: Datastore, plan: PrunePlan, log: WorkLog, describe: Callable[[Decision], str]) -> None:
    """Remove what the plan says, oldest first, with a line of `describe` for each snapshot.

    A snapshot that cannot be removed (in use, protected meanwhile) is a warning.

    Raises:
        AbortedError: the work shall stop; what is removed by then is gone.
    """
    for decision in plan.decisions:
        log.check_abort()
        log.log(describe(decision))
        if decision.keeps:
            continue
        snapshot = decision.snapshot
        log.log(f'removing backup snapshot "{datastore.snapshot_path(plan.namespace, snapshot)}"')
        try:
            if not decision.was_finished and is_finished(datastore, plan.namespace, snapshot):
                raise DatastoreError("it was finished meanwhile")
            remove_snapshot(datastore, plan.namespace, snapshot)
        except (PbstoreError, OSError) as error:
            log.warn(f"failed to remove snapshot '{snapshot}': {error}")
