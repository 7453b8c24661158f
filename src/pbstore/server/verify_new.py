"""Verification of a new snapshot right after its backup, where the datastore asks for it (`verify-new`)."""

from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.verify_state import VerifyFilter
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace
from pbstore.server.registry import Registry
from pbstore.server.store_task import start_store_task
from pbstore.server.verify_task import VerifyOptions, VerifyRun
from pbstore.tasks.worker_task import WorkerTask


def verify_new_snapshot(
    registry: Registry, store: str, namespace: Namespace, snapshot: Snapshot, caller: AuthId
) -> None:
    """Start the task, if the store wants it. Its shared lock is a new one: whoever is faster may remove the snapshot.

    Raises:
        PbstoreError, OSError: the task cannot be started.
    """
    datastore = registry.datastores.get(store, Operation.READ)
    if not datastore.config.verify_new:
        return
    options = VerifyOptions(filter=VerifyFilter(ignore_verified=False))

    def run(task: WorkerTask) -> None:
        task.log("Automatically verifying newly added snapshot")
        VerifyRun(datastore, task, options, registry.clock).snapshot(namespace, snapshot)

    worker_id = f"{store}:{snapshot.group}/{snapshot.backup_time:08X}"
    start_store_task(registry, store, "verify", worker_id, caller, run, Operation.READ)
