"""The groups that somebody may work on, in a namespace and those below it."""

from collections.abc import Iterator

from pbstore.api.permission import Rights, acl_path
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import list_groups, read_owner
from pbstore.datastore.namespaces import list_namespaces
from pbstore.errors import DatastoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace
from pbstore.server.content_right import NAMESPACE_PATH, ContentRight


def accessible_groups(
    datastore: Datastore, rights: Rights, caller: AuthId, right: ContentRight, anchor: Namespace, max_depth: int
) -> Iterator[tuple[Namespace, BackupGroup]]:
    """Yield the groups that `right` lets the caller work on; others are left out without a word.

    Raises:
        DatastoreError: there is no namespace `anchor`.
    """
    for namespace in list_namespaces(datastore, anchor, max_depth):
        path = acl_path(NAMESPACE_PATH, {"store": datastore.name, "ns": namespace})
        held = set(rights.privileges(caller, path))
        is_full = bool(held & set(right.full))
        if not is_full and right.owned not in held:
            continue
        for group in _groups(datastore, namespace):
            if is_full or _owns(datastore, namespace, group, caller):
                yield namespace, group


def _groups(datastore: Datastore, namespace: Namespace) -> list[BackupGroup]:
    try:
        return sorted(list_groups(datastore, namespace))
    except DatastoreError:  # removed while we look
        return []


def _owns(datastore: Datastore, namespace: Namespace, group: BackupGroup, caller: AuthId) -> bool:
    try:
        return caller.owns(read_owner(datastore, namespace, group))
    except DatastoreError:
        return False
