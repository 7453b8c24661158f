"""Rights on the content of a datastore: a privilege for everything, or another for own groups (rest-api.md 1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pbstore.access.privileges import (
    DATASTORE_AUDIT,
    DATASTORE_BACKUP,
    DATASTORE_MODIFY,
    DATASTORE_PRUNE,
    DATASTORE_READ,
    DATASTORE_VERIFY,
)
from pbstore.api.method import Call
from pbstore.api.permission import Custom, Rights, acl_path, known_caller
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import read_owner
from pbstore.errors import DatastoreError, PermissionDeniedError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace
from pbstore.server.registry import Registry

NAMESPACE_PATH = "/datastore/{store}/{ns}"
CONTENT_PRIVILEGES = (DATASTORE_AUDIT, DATASTORE_MODIFY, DATASTORE_READ, DATASTORE_BACKUP)


@dataclass(frozen=True)
class ContentRight:
    """One of the privileges `full` shows everything, `owned` alone shows the groups of the caller: `A|B*`."""

    full: tuple[str, ...]
    owned: str

    @property
    def permission(self) -> Custom:
        """What a method declares that has `store` and perhaps `ns`."""
        return Custom(f"{'|'.join(self.full)} on the namespace, or {self.owned} for own groups", self._check)

    def is_full(self, call: Call[Registry], store: str, namespace: Namespace) -> bool:
        """Whether the caller may see all groups of the namespace."""
        path = acl_path(NAMESPACE_PATH, {"store": store, "ns": namespace})
        return bool(set(self.full) & set(call.rights.privileges(known_caller(call.caller), path)))

    def check_group(self, call: Call[Registry], datastore: Datastore, namespace: Namespace, group: BackupGroup) -> None:
        """Return if the caller may see this group.

        Raises:
            DatastoreError: it is somebody else's, or there is no such group.
        """
        if not self.is_full(call, datastore.name, namespace):
            check_owner(call, datastore, namespace, group)

    def check(self, rights: Rights, caller: AuthId, store: str, namespace: Namespace) -> None:
        """Return if the caller may see something in the namespace.

        Raises:
            PermissionDeniedError: nothing at all.
        """
        path = acl_path(NAMESPACE_PATH, {"store": store, "ns": namespace})
        if not {*self.full, self.owned} & set(rights.privileges(caller, path)):
            names = "|".join((*self.full, self.owned))
            raise PermissionDeniedError(f"permission check failed - missing {names} on {path}")

    def _check(self, rights: Rights, caller: AuthId, values: Mapping[str, Any]) -> None:
        self.check(rights, caller, values["store"], values.get("ns", Namespace()))


def check_owner(call: Call[Registry], datastore: Datastore, namespace: Namespace, group: BackupGroup) -> None:
    """Return if the group is the caller's.

    Raises:
        DatastoreError: it is somebody else's, or there is no such group.
    """
    caller, owner = known_caller(call.caller), read_owner(datastore, namespace, group)
    if not caller.owns(owner):
        raise DatastoreError(f"backup owner check failed ({caller} != {owner})")


def _check_any_below(rights: Any, caller: AuthId, values: Mapping[str, Any]) -> None:
    if not rights.any_below(caller, acl_path("/datastore/{store}", values), CONTENT_PRIVILEGES):
        raise PermissionDeniedError


SOMETHING_BELOW = Custom("any right on the datastore or below it", _check_any_below)

LIST = ContentRight((DATASTORE_AUDIT,), DATASTORE_BACKUP)
LIST_FILES = ContentRight((DATASTORE_AUDIT, DATASTORE_READ), DATASTORE_BACKUP)
READ = ContentRight((DATASTORE_READ,), DATASTORE_BACKUP)
BACKUP = ContentRight((), DATASTORE_BACKUP)
PRUNE = ContentRight((DATASTORE_MODIFY,), DATASTORE_PRUNE)
VERIFY = ContentRight((DATASTORE_VERIFY,), DATASTORE_BACKUP)
CHANGE = ContentRight((DATASTORE_MODIFY,), DATASTORE_BACKUP)
