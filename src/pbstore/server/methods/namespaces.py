"""Namespaces of a datastore: listing, creation, removal (rest-api.md 5)."""

from collections.abc import Mapping
from typing import Any

from pbstore.access.privileges import DATASTORE_MODIFY
from pbstore.api.method import Call, method
from pbstore.api.permission import Custom, Privilege, Rights, acl_path, known_caller
from pbstore.api.schema import Boolean, Parameter, String
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.namespace_removal import remove_namespace
from pbstore.datastore.namespaces import create_namespace, list_namespaces
from pbstore.errors import DatastoreError, PermissionDeniedError
from pbstore.model.auth_id import AuthId
from pbstore.model.names import SAFE_ID
from pbstore.model.namespace import Namespace
from pbstore.server.content_results import REMOVAL_COUNTS
from pbstore.server.content_right import CONTENT_PRIVILEGES, NAMESPACE_PATH, SOMETHING_BELOW
from pbstore.server.datastore_results import NAMESPACES
from pbstore.server.parameters import ERROR_ON_PROTECTED, MAX_DEPTH_BELOW, NS, PARENT, STORE
from pbstore.server.registry import Registry

NAME = Parameter(
    name="name",
    schema=String(
        description="name of the new namespace", pattern=SAFE_ID.pattern, minimum_length=1, maximum_length=32
    ),
)
DELETE_GROUPS = Parameter(
    name="delete-groups", schema=Boolean(description="remove the groups in it too"), optional=True, default=False
)


def check_parent_right(rights: Rights, caller: AuthId, store: str, namespace: Namespace) -> None:
    """Return if the caller may change what namespaces there are beside `namespace`.

    Raises:
        PermissionDeniedError: no.
    """
    parent = namespace if namespace.is_root else namespace.parent
    path = acl_path(NAMESPACE_PATH, {"store": store, "ns": parent})
    if DATASTORE_MODIFY not in rights.privileges(caller, path):
        raise PermissionDeniedError(f"permission check failed - missing {DATASTORE_MODIFY} on {path}")


def _check_delete(rights: Rights, caller: AuthId, values: Mapping[str, Any]) -> None:
    check_parent_right(rights, caller, values["store"], values["ns"])


@method(
    "GET",
    "/admin/datastore/{store}/namespace",
    permission=SOMETHING_BELOW,
    parameters=(STORE, PARENT, MAX_DEPTH_BELOW),
    result=NAMESPACES,
)
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


@method(
    "POST",
    "/admin/datastore/{store}/namespace",
    permission=Privilege("/datastore/{store}/{parent}", (DATASTORE_MODIFY,)),
    parameters=(STORE, NAME, PARENT),
    result=NS.schema,
)
def add_namespace(call: Call[Registry], *, store: str, name: str, parent: Namespace) -> str:
    """Make a namespace; one that is there already is fine."""
    namespace = parent.child(name)
    with call.state.datastores.using(store, Operation.WRITE) as datastore:
        create_namespace(datastore, namespace)
    return str(namespace)


@method(
    "DELETE",
    "/admin/datastore/{store}/namespace",
    permission=Custom(f"{DATASTORE_MODIFY} on the parent namespace", _check_delete),
    parameters=(STORE, NS, DELETE_GROUPS, ERROR_ON_PROTECTED),
    result=REMOVAL_COUNTS,
)
def delete_namespace(
    call: Call[Registry], *, store: str, ns: Namespace, delete_groups: bool, error_on_protected: bool
) -> dict[str, int]:
    """Remove a namespace and those below, if they are empty or with their groups."""
    with call.state.datastores.using(store, Operation.WRITE) as datastore:
        removal = remove_namespace(datastore, ns, with_groups=delete_groups)
    if removal.counts.protected_snapshots and error_on_protected:
        raise DatastoreError("group only partially deleted due to protected snapshots")
    if not removal.is_gone and not delete_groups:
        raise DatastoreError("only partially deleted due to existing groups but `delete-groups` not true")
    return removal.counts.as_json()


METHODS = (list_store_namespaces, add_namespace, delete_namespace)
