"""Namespaces of a datastore: listing and creation (datastore-layout.md 1)."""

from collections.abc import Iterator

from pbstore.config.make_directory import make_directory
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.directory_names import subdirectory_names
from pbstore.errors import DatastoreError, FormatError
from pbstore.model.namespace import MAX_DEPTH, Namespace


def require_namespace(datastore: Datastore, namespace: Namespace) -> None:
    """Return if the namespace exists.

    Raises:
        DatastoreError: it does not.
    """
    if not namespace.is_root and not datastore.namespace_path(namespace).is_dir():
        raise DatastoreError(f"namespace '{namespace}' does not exist in datastore '{datastore.name}'")


def list_namespaces(datastore: Datastore, parent: Namespace, max_depth: int = MAX_DEPTH) -> Iterator[Namespace]:
    """Yield `parent` and the namespaces below it, at most `max_depth` levels deeper, parents first.

    Raises:
        DatastoreError: there is no `parent`.
    """
    require_namespace(datastore, parent)
    pending = [parent]
    while pending:
        namespace = pending.pop()
        yield namespace
        if len(namespace.components) - len(parent.components) < max_depth:
            pending.extend(_children(datastore, namespace))


def create_namespace(datastore: Datastore, namespace: Namespace) -> None:
    """Make a namespace in an existing parent.

    Raises:
        DatastoreError: it exists, or its parent does not.
    """
    require_namespace(datastore, Namespace(namespace.components[:-1]))
    path = datastore.namespace_path(namespace)
    if path.is_dir():
        raise DatastoreError(f"namespace '{namespace}' already exists")
    make_directory(path, owner=datastore.owner)


def _children(datastore: Datastore, namespace: Namespace) -> list[Namespace]:
    children = []
    for name in subdirectory_names(datastore.namespace_path(namespace) / "ns"):
        try:
            children.append(Namespace((*namespace.components, name)))
        except FormatError:
            continue
    return sorted(children, reverse=True)
