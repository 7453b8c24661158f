"""Making, removing and moving namespaces on a server (rest-api.md 5, version-4.md 9)."""

from typing import Any

from pbstore.client.server import Server
from pbstore.client.started_task import start_task
from pbstore.client.wire_parameters import namespace_parameters, target_parameters
from pbstore.model.namespace import Namespace


def create_namespace(server: Server, namespace: Namespace) -> None:
    """Make a namespace below one that is there; the root is always there.

    Raises:
        FormatError: this is the root.
    """
    parent = namespace.parent
    parameters: dict[str, Any] = {"name": namespace.components[-1]}
    if not parent.is_root:
        parameters["parent"] = str(parent)
    server.post(f"{server.datastore_path}/namespace", parameters)


def delete_namespace(server: Server, namespace: Namespace, *, delete_groups: bool | None) -> None:
    """Remove a namespace and those below it; their groups only if wished."""
    parameters = namespace_parameters(namespace)
    if delete_groups is not None:
        parameters["delete-groups"] = delete_groups
    server.delete(f"{server.datastore_path}/namespace", parameters)


def move_namespace(
    server: Server,
    namespace: Namespace,
    target: Namespace,
    *,
    max_depth: int | None,
    delete_source: bool,
    merge_groups: bool,
) -> str:
    """Start moving a namespace with all that is in it; the id of the task."""
    parameters = {
        **namespace_parameters(namespace),
        **target_parameters(target),
        "delete-source": delete_source,
        "merge-groups": merge_groups,
        **({} if max_depth is None else {"max-depth": max_depth}),
    }
    return start_task(server, f"{server.datastore_path}/move-namespace", parameters)
