"""Verification of a snapshot, a group or a datastore (rest-api.md 5)."""

from collections.abc import Callable

from pbstore.api.method import Call, method
from pbstore.api.permission import known_caller
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import require_group
from pbstore.datastore.namespaces import require_namespace
from pbstore.datastore.snapshots import require_snapshot
from pbstore.datastore.verify_state import VerifyFilter
from pbstore.errors import FormatError
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.namespace import Namespace
from pbstore.server.accessible_groups import accessible_groups
from pbstore.server.content_right import VERIFY
from pbstore.server.parameters import (
    MAX_DEPTH_BELOW,
    NS,
    ONLY_BACKUP_ID,
    ONLY_BACKUP_TIME,
    ONLY_BACKUP_TYPE,
    STORE,
)
from pbstore.server.registry import Registry
from pbstore.server.store_task import start_store_task
from pbstore.server.task_results import TASK_ID
from pbstore.server.verify_parameters import FILTER, THREADS
from pbstore.server.verify_task import VerifyOptions, VerifyRun
from pbstore.tasks.worker_task import WorkerTask

_Work = tuple[str, str, Callable[[VerifyRun], None]]
"""Worker type, worker id, and what the task does."""


@method(
    "POST",
    "/admin/datastore/{store}/verify",
    permission=VERIFY.permission,
    parameters=(
        STORE,
        NS,
        ONLY_BACKUP_TYPE,
        ONLY_BACKUP_ID,
        ONLY_BACKUP_TIME,
        *FILTER,
        MAX_DEPTH_BELOW,
        *THREADS,
    ),
    result=TASK_ID,
)
def verify(
    call: Call[Registry],
    *,
    store: str,
    ns: Namespace,
    backup_type: BackupType | None,
    backup_id: str | None,
    backup_time: int | None,
    ignore_verified: bool,
    outdated_after: int | None,
    max_depth: int,
    read_threads: int | None,
    verify_threads: int | None,
) -> str:
    """Verify a snapshot, a group, or the groups of a namespace and those below it."""
    options = VerifyOptions(
        filter=VerifyFilter(ignore_verified=ignore_verified, outdated_after=outdated_after),
        readers=read_threads,
        workers=verify_threads,
    )
    what = _chosen(backup_type, backup_id, backup_time)
    datastore = call.state.datastores.get(store, Operation.READ)
    worker_type, worker_id, work = (
        _whole(call, datastore, ns, max_depth) if what is None else _part(call, datastore, ns, what)
    )

    def run(task: WorkerTask) -> None:
        work(VerifyRun(datastore, task, options, call.state.clock))

    caller = known_caller(call.caller)
    return start_store_task(call.state, store, worker_type, worker_id, caller, run, Operation.READ)


def _chosen(
    backup_type: BackupType | None, backup_id: str | None, backup_time: int | None
) -> BackupGroup | Snapshot | None:
    if backup_type is not None and backup_id is not None:
        group = BackupGroup(backup_type, backup_id)
        return group if backup_time is None else Snapshot(group, backup_time)
    if (backup_type, backup_id, backup_time) != (None, None, None):
        raise FormatError("give backup-type and backup-id, with or without backup-time, or none of them")
    return None


def _part(call: Call[Registry], datastore: Datastore, ns: Namespace, what: BackupGroup | Snapshot) -> _Work:
    place = "" if ns.is_root else str(ns.directory)
    if isinstance(what, Snapshot):
        snapshot = what
        VERIFY.check_group(call, datastore, ns, snapshot.group)
        require_snapshot(datastore, ns, snapshot)
        worker_id = f"{datastore.name}:{place}/{snapshot.group}/{snapshot.backup_time:08X}"
        return "verify_snapshot", worker_id, lambda run: run.snapshot(ns, snapshot)
    group = what
    VERIFY.check_group(call, datastore, ns, group)
    require_group(datastore, ns, group)
    return "verify_group", f"{datastore.name}:{place}/{group}", lambda run: run.group(ns, group)


def _whole(call: Call[Registry], datastore: Datastore, ns: Namespace, depth: int) -> _Work:
    require_namespace(datastore, ns)
    groups = accessible_groups(datastore, call.rights, known_caller(call.caller), VERIFY, ns, depth)
    worker_id = datastore.name if ns.is_root else f"{datastore.name}:{ns.directory}"
    return "verify", worker_id, lambda run: run.store(groups)


METHODS = (verify,)
