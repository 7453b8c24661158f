"""Rights on the content of a datastore: a privilege for everything, or another for own groups (rest-api.md 1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pbstore.access.privileges import DATASTORE_AUDIT, DATASTORE_BACKUP, DATASTORE_READ
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
        caller = known_caller(call.caller)
        if self.is_full(call, datastore.name, namespace):
            return
        owner = read_owner(datastore, namespace, group)
        if not caller.owns(owner):
            raise DatastoreError(f"backup owner check failed ({caller} != {owner})")

    def _check(self, rights: Rights, caller: AuthId, values: Mapping[str, Any]) -> None:
        path = acl_path(NAMESPACE_PATH, values)
        if not {*self.full, self.owned} & set(rights.privileges(caller, path)):
            names = "|".join((*self.full, self.owned))
            raise PermissionDeniedError(f"permission check failed - missing {names} on {path}")


LIST = ContentRight((DATASTORE_AUDIT,), DATASTORE_BACKUP)
LIST_FILES = ContentRight((DATASTORE_AUDIT, DATASTORE_READ), DATASTORE_BACKUP)
READ = ContentRight((DATASTORE_READ,), DATASTORE_BACKUP)
BACKUP = ContentRight((), DATASTORE_BACKUP)
