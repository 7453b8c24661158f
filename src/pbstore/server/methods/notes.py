"""Notes of snapshots and groups, protection, and owners (rest-api.md 5)."""

from pbstore.api.method import Call, method
from pbstore.api.permission import known_caller
from pbstore.api.schema import Boolean, Parameter, String
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore import groups
from pbstore.datastore.manifest_file import read_manifest, update_manifest
from pbstore.datastore.snapshots import is_protected, require_snapshot, set_protected
from pbstore.errors import DatastoreError, ParameterError
from pbstore.format.manifest import Manifest
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.namespace import Namespace
from pbstore.server.content_right import CHANGE, LIST
from pbstore.server.parameters import GROUP, NOTES, SNAPSHOT, STORE
from pbstore.server.registry import Registry

PROTECTED = Parameter(name="protected", schema=Boolean(description="whether the snapshot must not be removed"))
NEW_OWNER = Parameter(name="new-owner", schema=String(description="user or API token", convert=AuthId.parse))


@method(
    "GET",
    "/admin/datastore/{store}/notes",
    permission=LIST.permission,
    parameters=(STORE, *SNAPSHOT),
    result=NOTES.schema,
)
def get_notes(
    call: Call[Registry], *, store: str, ns: Namespace, backup_type: BackupType, backup_id: str, backup_time: int
) -> str:
    """Notes of a snapshot, empty if there are none."""
    datastore = call.state.datastores.get(store, Operation.READ)
    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    LIST.check_group(call, datastore, ns, snapshot.group)
    manifest, _ = read_manifest(datastore, ns, snapshot)
    notes = manifest.unprotected.get("notes")
    return notes if isinstance(notes, str) else ""


@method("PUT", "/admin/datastore/{store}/notes", permission=CHANGE.permission, parameters=(STORE, *SNAPSHOT, NOTES))
def set_notes(
    call: Call[Registry],
    *,
    store: str,
    ns: Namespace,
    backup_type: BackupType,
    backup_id: str,
    backup_time: int,
    notes: str,
) -> None:
    """Replace the notes of a snapshot."""

    def change(manifest: Manifest) -> None:
        manifest.unprotected["notes"] = notes

    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    with call.state.datastores.using(store, Operation.WRITE) as datastore:
        CHANGE.check_group(call, datastore, ns, snapshot.group)
        update_manifest(datastore, ns, snapshot, change)


@method(
    "GET",
    "/admin/datastore/{store}/group-notes",
    permission=LIST.permission,
    parameters=(STORE, *GROUP),
    result=NOTES.schema,
)
def get_group_notes(call: Call[Registry], *, store: str, ns: Namespace, backup_type: BackupType, backup_id: str) -> str:
    """Notes of a group, empty if there are none."""
    datastore = call.state.datastores.get(store, Operation.READ)
    group = BackupGroup(backup_type, backup_id)
    LIST.check_group(call, datastore, ns, group)
    return groups.read_notes(datastore, ns, group)


@method("PUT", "/admin/datastore/{store}/group-notes", permission=CHANGE.permission, parameters=(STORE, *GROUP, NOTES))
def set_group_notes(
    call: Call[Registry], *, store: str, ns: Namespace, backup_type: BackupType, backup_id: str, notes: str
) -> None:
    """Replace the notes of a group."""
    group = BackupGroup(backup_type, backup_id)
    with call.state.datastores.using(store, Operation.WRITE) as datastore:
        CHANGE.check_group(call, datastore, ns, group)
        groups.write_notes(datastore, ns, group, notes)


@method(
    "GET",
    "/admin/datastore/{store}/protected",
    permission=LIST.permission,
    parameters=(STORE, *SNAPSHOT),
    result=PROTECTED.schema,
)
def get_protected(
    call: Call[Registry], *, store: str, ns: Namespace, backup_type: BackupType, backup_id: str, backup_time: int
) -> bool:
    """Whether a snapshot must not be removed."""
    datastore = call.state.datastores.get(store, Operation.READ)
    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    LIST.check_group(call, datastore, ns, snapshot.group)
    require_snapshot(datastore, ns, snapshot)
    return is_protected(datastore, ns, snapshot)


@method(
    "PUT", "/admin/datastore/{store}/protected", permission=CHANGE.permission, parameters=(STORE, *SNAPSHOT, PROTECTED)
)
def put_protected(
    call: Call[Registry],
    *,
    store: str,
    ns: Namespace,
    backup_type: BackupType,
    backup_id: str,
    backup_time: int,
    protected: bool,
) -> None:
    """Protect a snapshot against removal, or end that."""
    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    with call.state.datastores.using(store, Operation.WRITE) as datastore:
        CHANGE.check_group(call, datastore, ns, snapshot.group)
        set_protected(datastore, ns, snapshot, protected)


@method(
    "POST", "/admin/datastore/{store}/change-owner", permission=CHANGE.permission, parameters=(STORE, *GROUP, NEW_OWNER)
)
def change_owner(
    call: Call[Registry], *, store: str, ns: Namespace, backup_type: BackupType, backup_id: str, new_owner: AuthId
) -> None:
    """Give a group to somebody else; without Datastore.Modify only between a user and its own tokens."""
    group = BackupGroup(backup_type, backup_id)
    with call.state.datastores.using(store, Operation.WRITE) as datastore:
        if not CHANGE.is_full(call, store, ns):
            caller, owner = known_caller(call.caller), groups.read_owner(datastore, ns, group)
            if caller.is_token or {owner.user, new_owner.user} != {caller.user}:
                raise DatastoreError(f"{caller} is not allowed to change the owner from {owner} to {new_owner}")
        if not call.state.users.load().is_active(new_owner, call.state.clock()):
            raise ParameterError({"new-owner": f"no such user or API token, or not active: '{new_owner}'"})
        groups.change_owner(datastore, ns, group, new_owner)


METHODS = (
    get_notes,
    set_notes,
    get_group_notes,
    set_group_notes,
    get_protected,
    put_protected,
    change_owner,
)
