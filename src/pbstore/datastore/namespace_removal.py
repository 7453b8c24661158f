"""Removal of namespaces with what is in them (version-4.md 5.2)."""

import contextlib
from dataclasses import dataclass

from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import list_groups
from pbstore.datastore.namespaces import has_namespace, list_namespaces
from pbstore.datastore.removal import RemovalCounts, remove_group
from pbstore.errors import DatastoreError
from pbstore.model.backup import BackupType
from pbstore.model.namespace import Namespace


@dataclass(frozen=True)
class NamespaceRemoval:
    """What was removed, and whether that was everything."""

    counts: RemovalCounts
    is_gone: bool


def remove_namespace(datastore: Datastore, namespace: Namespace, *, with_groups: bool) -> NamespaceRemoval:
    """Remove a namespace and those below, the deepest first; groups only `with_groups`.

    Directories are removed when they are empty, so what somebody else makes there meanwhile survives. One that is not
    there counts as removed.

    Raises:
        FormatError: it is the root.
        LockedError: a group or snapshot is in use; others are gone by then.
        DatastoreError: something cannot be removed.
    """
    namespace.parent  # noqa: B018 - the root is refused
    if not has_namespace(datastore, namespace):
        return NamespaceRemoval(RemovalCounts(), True)
    counts = RemovalCounts()
    for inner in reversed(list(list_namespaces(datastore, namespace))):
        if with_groups:
            for group in sorted(list_groups(datastore, inner)):
                counts += remove_group(datastore, inner, group)
        remove_empty_namespace(datastore, inner)
    return NamespaceRemoval(counts, not has_namespace(datastore, namespace))


def remove_empty_namespace(datastore: Datastore, namespace: Namespace) -> None:
    """Remove a namespace without groups and namespaces; any other is left as it is.

    Raises:
        DatastoreError: the system refuses.
    """
    path = datastore.namespace_path(namespace)
    for directory in (*(path / backup_type.value for backup_type in BackupType), path / "ns", path):
        try:
            # Not empty is told in two ways (POSIX), not there any more by a third.
            with contextlib.suppress(FileNotFoundError):
                directory.rmdir()
        except OSError as error:
            if not directory.is_dir() or not any(directory.iterdir()):
                raise DatastoreError(f"removing {directory} failed: {error.strerror}") from error
