"""Namespaces of a datastore: listing and creation (datastore-layout.md 1)."""

from collections.abc import Iterator

from pbstore.config.make_directory import make_directory
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.directory_names import subdirectory_names
from pbstore.errors import DatastoreError, FormatError
from pbstore.model.namespace import MAX_DEPTH, Namespace


def has_namespace(datastore: Datastore, namespace: Namespace) -> bool:
    """Whether the namespace exists; the root always does."""
    return namespace.is_root or datastore.namespace_path(namespace).is_dir()


def require_namespace(datastore: Datastore, namespace: Namespace) -> None:
    """Return if the namespace exists.

    Raises:
        DatastoreError: it does not.
    """
    if not has_namespace(datastore, namespace):
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
    """Make a namespace in an existing parent; one that is there already stays as it is.

    Raises:
        DatastoreError: its parent does not exist, or it is the root.
    """
    if not has_namespace(datastore, namespace.parent):
        raise DatastoreError(f"cannot create new namespace, parent {namespace.parent} doesn't already exists")
    make_directory(datastore.namespace_path(namespace), owner=datastore.owner)


def _children(datastore: Datastore, namespace: Namespace) -> list[Namespace]:
    children = []
    for name in subdirectory_names(datastore.namespace_path(namespace) / "ns"):
        try:
            children.append(Namespace((*namespace.components, name)))
        except FormatError:
            continue
    return sorted(children, reverse=True)
