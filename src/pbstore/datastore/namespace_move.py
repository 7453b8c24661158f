"""Moving a namespace with all that is in it (version-4.md 9)."""

from dataclasses import dataclass, field

from pbstore.datastore.datastore import Datastore
from pbstore.datastore.group_move import GroupMove
from pbstore.datastore.groups import list_groups
from pbstore.datastore.namespace_removal import remove_empty_namespace
from pbstore.datastore.namespaces import create_namespace, has_namespace, list_namespaces
from pbstore.datastore.work_log import WorkLog
from pbstore.errors import DatastoreError, LockedError
from pbstore.model.namespace import MAX_DEPTH, Namespace


@dataclass(frozen=True)
class NamespaceMove:
    """Which namespace goes where, how many levels of it, and what happens to what is there or stays behind."""

    source: Namespace
    target: Namespace
    max_depth: int = MAX_DEPTH
    delete_source: bool = True
    merge_groups: bool = True

    def check(self, datastore: Datastore) -> None:
        """Return if the move can begin.

        Raises:
            FormatError: source or target is the root, or the target would be too deep.
            DatastoreError: the source or the target's parent does not exist, or the target lies in the source.
        """
        self.source.parent  # noqa: B018 - the root is refused
        if self.target.is_below(self.source):
            raise DatastoreError(
                f"cannot move namespace '{self.source}' into its own subtree (target: '{self.target}')"
            )
        if not has_namespace(datastore, self.target.parent):
            raise DatastoreError(f"target parent namespace '{self.target.parent}' does not exist")
        if not has_namespace(datastore, self.source):
            raise DatastoreError(f"namespace '{self.source}' does not exist")
        for namespace in self._namespaces(datastore):
            namespace.moved(self.source, self.target)

    def run(self, datastore: Datastore, work: WorkLog) -> None:
        """Move group after group; one that is in use is tried again at the end.

        Raises:
            DatastoreError: groups were left behind, each with a line in the log.
            AbortedError: the task shall stop; the rest stays where it is.
        """
        self.check(datastore)
        namespaces = self._namespaces(datastore)
        work.log(f"moving namespace '{self.source}' -> '{self.target}': {len(namespaces)} namespace(s)")
        for namespace in namespaces:
            create_namespace(datastore, namespace.moved(self.source, self.target))
        moves = [
            GroupMove(group, namespace, namespace.moved(self.source, self.target), self.merge_groups)
            for namespace in namespaces
            for group in sorted(list_groups(datastore, namespace))
        ]
        run = _Run(datastore, work)
        busy = [move for move in moves if not run.move(move, is_last_try=False)]
        left = [move for move in busy if not run.move(move, is_last_try=True)] + run.failed
        if self.delete_source:
            for namespace in reversed(namespaces):
                remove_empty_namespace(datastore, namespace)
        if left:
            names = ", ".join(f"'{move.group}' in '{move.source}'" for move in left)
            raise DatastoreError(f"{len(left)} group(s) could not be moved: {names}")

    def _namespaces(self, datastore: Datastore) -> list[Namespace]:
        return list(list_namespaces(datastore, self.source, self.max_depth))


@dataclass
class _Run:
    datastore: Datastore
    work: WorkLog
    moved_count: int = 0
    failed: list[GroupMove] = field(default_factory=list)

    def move(self, move: GroupMove, *, is_last_try: bool) -> bool:
        """Move one group; return False if it is in use."""
        self.work.check_abort()
        try:
            move.run(self.datastore, self.work)
        except LockedError as error:
            self.work.log(f"{'skipping' if is_last_try else 'postponing'} group '{move.group}': {error}")
            return False
        except DatastoreError as error:
            self.work.warn(str(error))
            self.failed.append(move)
            return True
        self.moved_count += 1
        self.work.log(f"moved group {self.moved_count} ('{move.group}' in '{move.source}')")
        return True
