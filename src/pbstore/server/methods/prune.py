"""Pruning of a group and of a datastore (rest-api.md 5)."""

from pbstore.api.method import Call, method
from pbstore.api.permission import known_caller
from pbstore.api.result import OneOf
from pbstore.api.schema import Boolean, Parameter
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.namespaces import require_namespace
from pbstore.datastore.prune import PrunePlan, plan_prune
from pbstore.datastore.retention import Mark
from pbstore.model.backup import BackupGroup, BackupType
from pbstore.model.namespace import Namespace
from pbstore.server.accessible_groups import accessible_groups
from pbstore.server.content_results import PRUNE_DECISIONS
from pbstore.server.content_right import PRUNE
from pbstore.server.parameters import BACKUP_ID, BACKUP_TYPE, MAX_DEPTH_BELOW, NS, STORE
from pbstore.server.prune_task import StorePrune, prune_group
from pbstore.server.registry import Registry
from pbstore.server.retention_options import DRY_RUN, KEEP, retention_of
from pbstore.server.store_task import start_store_task
from pbstore.server.task_results import TASK_ID
from pbstore.tasks.worker_task import WorkerTask

WORKER_TYPE = "prune"
PRUNED = OneOf(description="decisions, or the id of the task", choices=(PRUNE_DECISIONS, TASK_ID))
USE_TASK = Parameter(
    name="use-task", schema=Boolean(description="Answer with the id of a task."), optional=True, default=False
)


@method(
    "POST",
    "/admin/datastore/{store}/prune",
    permission=PRUNE.permission,
    parameters=(STORE, NS, BACKUP_TYPE, BACKUP_ID, *KEEP, DRY_RUN, USE_TASK),
    result=PRUNED,
)
def prune(
    call: Call[Registry],
    *,
    store: str,
    ns: Namespace,
    backup_type: BackupType,
    backup_id: str,
    dry_run: bool,
    use_task: bool,
    **keep: int | None,
) -> list[dict[str, object]] | str:
    """Prune one group; the answer says what became of each snapshot."""
    registry, retention = call.state, retention_of(keep)
    datastore = registry.datastores.get(store, Operation.WRITE)
    group = BackupGroup(backup_type, backup_id)
    PRUNE.check_group(call, datastore, ns, group)
    plan = plan_prune(datastore, ns, group, retention)
    if dry_run:
        return _items(plan)

    def work(task: WorkerTask) -> None:
        prune_group(datastore, plan, retention, task)

    worker_id, caller = f"{store}:{ns}:{group}", known_caller(call.caller)
    if use_task:
        return start_store_task(registry, store, WORKER_TYPE, worker_id, caller, work)
    with registry.datastores.using(store, Operation.WRITE):
        registry.tasks.run(WORKER_TYPE, worker_id, caller, work)
    return _items(plan)


@method(
    "POST",
    "/admin/datastore/{store}/prune-datastore",
    permission=PRUNE.permission,
    parameters=(STORE, NS, MAX_DEPTH_BELOW, *KEEP, DRY_RUN),
    result=TASK_ID,
)
def prune_datastore(
    call: Call[Registry], *, store: str, ns: Namespace, max_depth: int, dry_run: bool, **keep: int | None
) -> str:
    """Prune all groups of a namespace and those below it that the caller may prune."""
    registry, caller = call.state, known_caller(call.caller)
    datastore = registry.datastores.get(store, Operation.WRITE)
    require_namespace(datastore, ns)
    job = StorePrune(
        datastore=datastore,
        namespace=ns,
        max_depth=max_depth,
        retention=retention_of(keep),
        is_dry_run=dry_run,
    )
    groups = accessible_groups(datastore, call.rights, caller, PRUNE, ns, max_depth)
    return start_store_task(registry, store, WORKER_TYPE, f"{store}:{ns}", caller, lambda task: job.run(groups, task))


def _items(plan: PrunePlan) -> list[dict[str, object]]:
    namespace = {} if plan.namespace.is_root else {"ns": str(plan.namespace)}
    return [
        {
            "backup-type": plan.group.backup_type.value,
            "backup-id": plan.group.backup_id,
            "backup-time": decision.snapshot.backup_time,
            "keep": decision.keeps,
            "protected": decision.mark is Mark.PROTECTED,
            **namespace,
        }
        for decision in plan.decisions
    ]


METHODS = (prune, prune_datastore)
