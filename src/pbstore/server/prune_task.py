"""What the prune tasks do and log: of one group, and of a datastore (version-4.md 7)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pbstore.datastore.datastore import Datastore
from pbstore.datastore.prune import Decision, PrunePlan, carry_out, plan_prune
from pbstore.datastore.retention import Mark, Retention
from pbstore.datastore.work_log import WorkLog
from pbstore.errors import DatastoreError
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import MAX_DEPTH, Namespace
from pbstore.server.retention_options import retention_text

_WORDS = {
    Mark.KEEP: "keep",
    Mark.KEEP_PARTIAL: "keep partial",
    Mark.REMOVE: "remove",
    Mark.PROTECTED: "keep protected",
}


def prune_group(datastore: Datastore, plan: PrunePlan, retention: Retention, log: WorkLog) -> None:
    """Carry out a plan that the caller was shown.

    Raises:
        AbortedError: the task shall stop.
    """
    _log_retention(retention, [], log)
    log.log(f'Starting prune on {_place(datastore, plan.namespace)} group "{plan.group}"')
    carry_out(datastore, plan, log, lambda decision: f"{decision.snapshot} {decision.mark}")


@dataclass(frozen=True, kw_only=True)
class StorePrune:
    """Prunes the groups of a namespace and those below it; `max_depth` levels of them."""

    datastore: Datastore
    namespace: Namespace
    max_depth: int
    retention: Retention
    is_dry_run: bool = False

    def run(self, groups: Iterable[tuple[Namespace, BackupGroup]], log: WorkLog) -> None:
        """Prune `groups`, each by itself.

        Raises:
            AbortedError: the task shall stop.
        """
        log.log(f"Starting datastore prune on {_place(self.datastore, self.namespace)}, {self._depth_text}")
        if self.is_dry_run:
            log.log("(dry test run)")
        depth = [] if self.max_depth == MAX_DEPTH else [f"--max-depth {self.max_depth}"]
        _log_retention(self.retention, depth, log)
        counts: Counter[Mark] = Counter()
        for namespace, group in groups:
            log.check_abort()
            log.log(f'Pruning group {namespace}:"{group}"')
            try:
                plan = plan_prune(self.datastore, namespace, group, self.retention)
            except (DatastoreError, OSError) as error:
                log.warn(f"skipped group '{group}': {error}")
                continue
            counts += plan.counts
            self._carry_out(plan, log)
        log.log(f"snapshots: {', '.join(f'{counts[mark]} {word}' for mark, word in _WORDS.items())}")

    def _carry_out(self, plan: PrunePlan, log: WorkLog) -> None:
        if not self.is_dry_run:
            carry_out(self.datastore, plan, log, _describe)
            return
        for decision in plan.decisions:
            log.log(f"would {_describe(decision)}")

    @property
    def _depth_text(self) -> str:
        if self.max_depth == 0:
            return "non-recursive"
        return "down to full depth" if self.max_depth == MAX_DEPTH else f"down to depth {self.max_depth}"


def _describe(decision: Decision) -> str:
    return f"{_WORDS[decision.mark]} {decision.snapshot}"


def _log_retention(retention: Retention, others: list[str], log: WorkLog) -> None:
    if retention.keeps_all:
        log.warn("No prune selection - keeping all files.")
    else:
        log.log(f"retention options: {' '.join([*others, retention_text(retention)])}")


def _place(datastore: Datastore, namespace: Namespace) -> str:
    where = "root namespace" if namespace.is_root else f"namespace '{namespace}'"
    return f"datastore '{datastore.name}', {where}"
