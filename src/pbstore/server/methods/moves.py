"""Moving groups and namespaces within a datastore (version-4.md 9)."""

from collections.abc import Mapping
from typing import Any

from pbstore.access.privileges import DATASTORE_BACKUP, DATASTORE_MODIFY, DATASTORE_PRUNE
from pbstore.api.method import Call, method
from pbstore.api.permission import Custom, Rights, known_caller
from pbstore.api.schema import Boolean, Parameter
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.group_move import GroupMove
from pbstore.datastore.namespace_move import NamespaceMove
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, BackupType
from pbstore.model.namespace import Namespace
from pbstore.server.content_right import CHANGE, PRUNE, check_owner
from pbstore.server.methods.namespaces import check_parent_right
from pbstore.server.parameters import GROUP, MAX_DEPTH_BELOW, NS, STORE, TARGET_NS
from pbstore.server.registry import Registry
from pbstore.server.store_task import start_store_task
from pbstore.server.task_results import TASK_ID


def _flag(name: str, description: str) -> Parameter:
    return Parameter(name=name, schema=Boolean(description=description), optional=True, default=True)


MERGE_GROUP = _flag("merge-group", "join a group of the same name and owner whose snapshots are all older")
MERGE_GROUPS = _flag("merge-groups", "join groups of the same name and owner whose snapshots are all older")
DELETE_SOURCE = _flag("delete-source", "remove the namespaces that are empty then")


def _check_group_move(rights: Rights, caller: AuthId, values: Mapping[str, Any]) -> None:
    PRUNE.check(rights, caller, values["store"], values["ns"])
    CHANGE.check(rights, caller, values["store"], values["target_ns"])


def _check_namespace_move(rights: Rights, caller: AuthId, values: Mapping[str, Any]) -> None:
    check_parent_right(rights, caller, values["store"], values["ns"])
    check_parent_right(rights, caller, values["store"], values["target_ns"])


@method(
    "POST",
    "/admin/datastore/{store}/move-group",
    permission=Custom(
        f"{DATASTORE_MODIFY}, or {DATASTORE_PRUNE} for own groups, on the namespace;"
        f" {DATASTORE_MODIFY}, or {DATASTORE_BACKUP} for own groups, on the target",
        _check_group_move,
    ),
    parameters=(STORE, *GROUP, TARGET_NS, MERGE_GROUP),
    result=TASK_ID,
)
def move_group(
    call: Call[Registry],
    *,
    store: str,
    ns: Namespace,
    backup_type: BackupType,
    backup_id: str,
    target_ns: Namespace,
    merge_group: bool,
) -> str:
    """Move a group into another namespace; the answer is the id of the task."""
    move = GroupMove(BackupGroup(backup_type, backup_id), ns, target_ns, merge_group)
    datastore = call.state.datastores.get(store, Operation.WRITE)
    move.check(datastore)
    PRUNE.check_group(call, datastore, ns, move.group)
    if not CHANGE.is_full(call, store, target_ns):
        check_owner(call, datastore, ns, move.group)
    worker_id = f"{store}:{ns}/{move.group}:{target_ns}"
    caller = known_caller(call.caller)
    return start_store_task(call.state, store, "move-group", worker_id, caller, lambda task: move.run(datastore, task))


@method(
    "POST",
    "/admin/datastore/{store}/move-namespace",
    permission=Custom(f"{DATASTORE_MODIFY} on the parents of both namespaces", _check_namespace_move),
    parameters=(STORE, NS, TARGET_NS, MAX_DEPTH_BELOW, DELETE_SOURCE, MERGE_GROUPS),
    result=TASK_ID,
)
def move_namespace(
    call: Call[Registry],
    *,
    store: str,
    ns: Namespace,
    target_ns: Namespace,
    max_depth: int,
    delete_source: bool,
    merge_groups: bool,
) -> str:
    """Move a namespace with all that is in it; the answer is the id of the task."""
    move = NamespaceMove(ns, target_ns, max_depth, delete_source, merge_groups)
    datastore = call.state.datastores.get(store, Operation.WRITE)
    move.check(datastore)
    caller = known_caller(call.caller)
    return start_store_task(
        call.state, store, "move-namespace", f"{store}:{ns}:{target_ns}", caller, lambda task: move.run(datastore, task)
    )


METHODS = (move_group, move_namespace)
