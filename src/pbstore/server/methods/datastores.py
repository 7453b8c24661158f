"""Which datastores there are, how full they are, and what runs on them (rest-api.md 2 and 5)."""

from pbstore.access.privileges import DATASTORE_AUDIT, DATASTORE_BACKUP
from pbstore.api.method import Call, method
from pbstore.api.permission import ANYBODY, Privilege, known_caller
from pbstore.api.schema import Boolean, Parameter
from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import check_maintenance
from pbstore.datastore.mount_status import MountStatus, mount_status
from pbstore.datastore.status import disk_usage
from pbstore.errors import PbstoreError
from pbstore.server.content_right import CONTENT_PRIVILEGES, SOMETHING_BELOW
from pbstore.server.datastore_results import DATASTORES, OPERATIONS, STATUS, USAGE
from pbstore.server.gc_status import read_gc_status
from pbstore.server.parameters import STORE
from pbstore.server.registry import Registry
from pbstore.server.snapshot_counts import count_snapshots

OVERVIEW_PRIVILEGES = frozenset((DATASTORE_AUDIT, DATASTORE_BACKUP))
HISTORY_SECONDS = 30 * 86400
HISTORY_STEP_SECONDS = 1800
VERBOSE = Parameter(
    name="verbose", schema=Boolean(description="count groups and snapshots"), optional=True, default=False
)


@method("GET", "/admin/datastore", permission=ANYBODY, result=DATASTORES)
def list_datastores(call: Call[Registry]) -> list[dict[str, object]]:
    """List the datastores that the caller may see something of."""
    items = []
    for config in _visible_datastores(call):
        item: dict[str, object] = {
            "store": config.name,
            "comment": config.comment if _sees_overview(call, config.name) else None,
            "mount-status": mount_status(config, call.state.roots.mounts_dir).value,
            "backend-type": config.backend_type,
        }
        if config.maintenance_mode is not None:
            item["maintenance"] = str(config.maintenance_mode)
        items.append(item)
    return items


@method(
    "GET", "/admin/datastore/{store}/status", permission=SOMETHING_BELOW, parameters=(STORE, VERBOSE), result=STATUS
)
def status(call: Call[Registry], *, store: str, verbose: bool) -> dict[str, object]:
    """How full the datastore is; zeros for callers who may only see parts of it."""
    datastore = call.state.datastores.get(store, Operation.READ)
    is_full = _sees_overview(call, store)
    usage = disk_usage(datastore.path) if is_full else None
    result: dict[str, object] = {
        "total": usage.total_bytes if usage else 0,
        "used": usage.used_bytes if usage else 0,
        "avail": usage.available_bytes if usage else 0,
        "backend-type": datastore.config.backend_type,
    }
    if verbose:
        result["counts"] = count_snapshots(datastore, call.state.rights, known_caller(call.caller))
        if is_full:
            result["gc-status"] = read_gc_status(datastore)
    return result


@method(
    "GET",
    "/admin/datastore/{store}/active-operations",
    permission=Privilege("/datastore/{store}", (DATASTORE_AUDIT,)),
    parameters=(STORE,),
    result=OPERATIONS,
)
def active_operations(call: Call[Registry], *, store: str) -> dict[str, int]:
    """How many reads and writes run on the datastore."""
    check_maintenance(call.state.datastore_cfg.get(store), Operation.LOOKUP)
    counts = call.state.datastores.operations.counts(store)
    return {"read": counts.read, "write": counts.write}


@method("GET", "/status/datastore-usage", permission=ANYBODY, result=USAGE)
def datastore_usage(call: Call[Registry]) -> list[dict[str, object]]:
    """List how full all datastores are that the caller may see something of."""
    return [_usage_item(call, config) for config in _visible_datastores(call)]


def _usage_item(call: Call[Registry], config: DatastoreConfig) -> dict[str, object]:
    item: dict[str, object] = {"store": config.name}
    if not _sees_overview(call, config.name):
        return item
    mounted = mount_status(config, call.state.roots.mounts_dir)
    item |= {"mount-status": mounted.value, "backend-type": config.backend_type}
    if mounted is MountStatus.NOT_MOUNTED:
        return item
    try:
        datastore = call.state.datastores.get(config.name, Operation.READ)
        usage = disk_usage(datastore.path)
    except PbstoreError as error:
        return {**item, "error": str(error)}
    now = int(call.state.clock())
    return {
        **item,
        "total": usage.total_bytes,
        "used": usage.used_bytes,
        "avail": usage.available_bytes,
        "gc-status": read_gc_status(datastore),
        # Nothing is recorded over time: a month of slots without data, as the original has them for a new datastore.
        "history-start": now - HISTORY_SECONDS,
        "history-delta": HISTORY_STEP_SECONDS,
        "history": [None] * (HISTORY_SECONDS // HISTORY_STEP_SECONDS),
    }


def _visible_datastores(call: Call[Registry]) -> list[DatastoreConfig]:
    caller, rights = known_caller(call.caller), call.state.rights
    datastores = call.state.datastore_cfg.datastores
    visible = (
        name for name in sorted(datastores) if rights.any_below(caller, f"/datastore/{name}", CONTENT_PRIVILEGES)
    )
    return [datastores[name] for name in visible]


def _sees_overview(call: Call[Registry], store: str) -> bool:
    return bool(OVERVIEW_PRIVILEGES & call.state.rights.privileges(known_caller(call.caller), f"/datastore/{store}"))


METHODS = (list_datastores, status, active_operations, datastore_usage)
