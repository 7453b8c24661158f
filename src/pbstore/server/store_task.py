"""Worker tasks on a datastore: while one runs, the store is not closed below it."""

from collections.abc import Callable
from contextlib import ExitStack

from pbstore.config.maintenance_mode import Operation
from pbstore.model.auth_id import AuthId
from pbstore.server.registry import Registry
from pbstore.tasks.worker_task import WorkerTask


def start_store_task(
    registry: Registry,
    store: str,
    worker_type: str,
    worker_id: str,
    caller: AuthId,
    work: Callable[[WorkerTask], None],
    operation: Operation = Operation.WRITE,
) -> str:
    """Run `work` as a task on a thread and return the task's id; it counts as `operation` on the store.

    Raises:
        PbstoreError, LockedError, OSError: the task cannot be started.
    """
    guards = ExitStack()
    guards.enter_context(registry.datastores.using(store, operation))

    def guarded(task: WorkerTask) -> None:
        with guards:
            work(task)

    try:
        return str(registry.tasks.start(worker_type, worker_id, caller, guarded).upid)
    except BaseException:
        guards.close()
        raise
