"""Which datastores there are, how full they are, and their namespaces (rest-api.md 5)."""

import json
from typing import Any

from pbstore.access.privileges import DATASTORE_AUDIT, DATASTORE_BACKUP, DATASTORE_MODIFY, DATASTORE_READ
from pbstore.api.method import Call, method
from pbstore.api.permission import ANYBODY, Custom, acl_path, known_caller
from pbstore.api.schema import Boolean, Integer, Parameter
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.namespaces import list_namespaces
from pbstore.datastore.status import disk_usage
from pbstore.errors import DatastoreError, PermissionDeniedError
from pbstore.model.namespace import MAX_DEPTH, Namespace
from pbstore.server.content_right import NAMESPACE_PATH
from pbstore.server.parameters import PARENT, STORE
from pbstore.server.registry import Registry
from pbstore.server.snapshot_counts import count_snapshots

CONTENT_PRIVILEGES = (DATASTORE_AUDIT, DATASTORE_MODIFY, DATASTORE_READ, DATASTORE_BACKUP)
OVERVIEW_PRIVILEGES = frozenset((DATASTORE_AUDIT, DATASTORE_BACKUP))
VERBOSE = Parameter(
    name="verbose", schema=Boolean(description="count groups and snapshots"), optional=True, default=False
)
DEPTH = Parameter(
    name="max-depth",
    schema=Integer(description="levels below the parent", maximum=MAX_DEPTH),
    optional=True,
    default=MAX_DEPTH,
)
_MAX_STATUS_BYTES = 1 << 16
_NEVER_COLLECTED = {
    "upid": None,
    "index-file-count": 0,
    "index-data-bytes": 0,
    "disk-bytes": 0,
    "disk-chunks": 0,
    "removed-bytes": 0,
    "removed-chunks": 0,
    "pending-bytes": 0,
    "pending-chunks": 0,
    "removed-bad": 0,
    "still-bad": 0,
}


def _check_any_below(rights: Any, caller: Any, values: Any) -> None:
    if not rights.any_below(caller, acl_path("/datastore/{store}", values), CONTENT_PRIVILEGES):
        raise PermissionDeniedError


SOMETHING_BELOW = Custom("any right on the datastore or below it", _check_any_below)


@method("GET", "/admin/datastore", permission=ANYBODY)
def list_datastores(call: Call[Registry]) -> list[dict[str, object]]:
    """List the datastores that the caller may see something of."""
    caller, rights = known_caller(call.caller), call.state.rights
    items = []
    for name, config in sorted(call.state.datastore_cfg.datastores.items()):
        path = f"/datastore/{name}"
        if not rights.any_below(caller, path, CONTENT_PRIVILEGES):
            continue
        may_see_comment = OVERVIEW_PRIVILEGES & rights.privileges(caller, path)
        item: dict[str, object] = {"store": name, "comment": config.comment if may_see_comment else None}
        if config.maintenance_mode is not None:
            item["maintenance"] = str(config.maintenance_mode)
        items.append({**item, "mount-status": "nonremovable", "backend-type": "filesystem"})
    return items


@method("GET", "/admin/datastore/{store}/status", permission=SOMETHING_BELOW, parameters=(STORE, VERBOSE))
def status(call: Call[Registry], *, store: str, verbose: bool) -> dict[str, object]:
    """How full the datastore is; zeros for callers who may only see parts of it."""
    datastore = call.state.datastores.get(store, Operation.READ)
    is_full = bool(OVERVIEW_PRIVILEGES & call.state.rights.privileges(known_caller(call.caller), f"/datastore/{store}"))
    usage = disk_usage(datastore.path) if is_full else None
    result: dict[str, object] = {
        "total": usage.total_bytes if usage else 0,
        "used": usage.used_bytes if usage else 0,
        "avail": usage.available_bytes if usage else 0,
        "backend-type": "filesystem",
    }
    if verbose:
        result["counts"] = count_snapshots(datastore, call.state.rights, known_caller(call.caller))
        if is_full:
            result["gc-status"] = _gc_status(datastore)
    return result


@method("GET", "/admin/datastore/{store}/namespace", permission=SOMETHING_BELOW, parameters=(STORE, PARENT, DEPTH))
def list_store_namespaces(
    call: Call[Registry], *, store: str, parent: Namespace, max_depth: int
) -> list[dict[str, str]]:
    """List a namespace and those below it, as far as the caller has rights on them."""
    datastore = call.state.datastores.get(store, Operation.READ)
    caller, rights = known_caller(call.caller), call.state.rights
    try:
        namespaces = list(list_namespaces(datastore, parent, max_depth))
    except DatastoreError:
        namespaces = [parent]
    visible = []
    for namespace in namespaces:
        path = acl_path(NAMESPACE_PATH, {"store": store, "ns": namespace})
        if set(CONTENT_PRIVILEGES) & rights.privileges(caller, path):
            visible.append({"ns": str(namespace)})
    if not visible:
        raise PermissionDeniedError
    return visible


def _gc_status(datastore: Datastore) -> dict[str, object]:
    """Return what the last garbage collection left; a file that cannot be read counts as none."""
    try:
        with (datastore.path / ".gc-status").open("rb") as file:
            stored = json.loads(file.read(_MAX_STATUS_BYTES))
    except (OSError, ValueError, RecursionError):
        stored = None
    return {**_NEVER_COLLECTED, **(stored if isinstance(stored, dict) else {})}


METHODS = (list_datastores, status, list_store_namespaces)
