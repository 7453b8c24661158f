"""Which privileges somebody has on a path (auth.md 7, evaluation)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pbstore.access.privileges import PRIVILEGES
from pbstore.access.roles import NO_ACCESS, ROLES
from pbstore.config.acl_cfg import AclEntry
from pbstore.model.auth_id import AuthId

_ALL = frozenset(PRIVILEGES)
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Granted:
    """Privileges on a path, and those of them that hold below it too."""

    privileges: frozenset[str] = _NONE
    propagated: frozenset[str] = _NONE

    def __and__(self, other: "Granted") -> "Granted":
        return Granted(self.privileges & other.privileges, self.propagated & other.propagated)


@dataclass
class _Node:
    children: dict[str, "_Node"] = field(default_factory=dict)
    roles: dict[str, dict[str, bool]] = field(default_factory=dict)
    """Id to role to whether it propagates."""

    def roles_of(self, ugid: str, *, last: bool) -> dict[str, bool]:
        roles = self.roles.get(ugid, {})
        counting = {role: propagate for role, propagate in roles.items() if last or propagate}
        return {NO_ACCESS: False} if NO_ACCESS in counting else counting


class AclTree:
    """The access control list as a tree. Unchangeable once built; a changed file gives a new tree."""

    def __init__(self, entries: Iterable[AclEntry]):
        self._root = _Node()
        for entry in entries:
            node = self._root
            for component in _components(entry.path):
                node = node.children.setdefault(component, _Node())
            roles = node.roles.setdefault(entry.ugid, {})
            roles[entry.role] = roles.get(entry.role, False) or entry.propagate

    def privileges(self, auth_id: AuthId, path: str) -> frozenset[str]:
        """Return all privileges on a path like `/datastore/store1/ns1`."""
        return self.granted(auth_id, path).privileges

    def granted(self, auth_id: AuthId, path: str) -> Granted:
        """Return the privileges on a path and those that propagate. A token never has more than its user."""
        if auth_id.is_superuser:
            return Granted(_ALL, _ALL)
        own = _granted(self._roles(str(auth_id), path))
        return own & self.granted(AuthId(auth_id.user), path) if auth_id.is_token else own

    def any_below(self, auth_id: AuthId, path: str, names: Collection[str]) -> bool:
        """Whether somebody has one of the privileges `names` on the path, or anywhere below it."""
        wanted = frozenset(names)
        if self.privileges(auth_id, path) & wanted:
            return True
        return any(self.privileges(auth_id, child) & wanted for child in self.paths_below(path))

    @property
    def paths(self) -> list[str]:
        """Every path that has an entry, sorted."""
        found = list(self.paths_below("/"))
        return sorted([*found, "/"] if self._root.roles else found)

    def paths_below(self, path: str) -> Iterator[str]:
        """Yield the paths below `path` that have an entry."""
        components = _components(path)
        node = self._root
        for component in components:
            child = node.children.get(component)
            if child is None:
                return
            node = child
        pending = [(components, node)]
        while pending:
            above, node = pending.pop()
            for name, child in node.children.items():
                below = (*above, name)
                if child.roles:
                    yield "/" + "/".join(below)
                pending.append((below, child))

    def _roles(self, ugid: str, path: str) -> Mapping[str, bool]:
        components = _components(path)
        node = self._root
        roles = node.roles_of(ugid, last=not components)
        for position, component in enumerate(components, start=1):
            child = node.children.get(component)
            if child is None:
                # What is left came from above, so only what propagates counts.
                break
            node = child
            roles = node.roles_of(ugid, last=position == len(components)) or roles
        return roles


def _granted(roles: Mapping[str, bool]) -> Granted:
    # A role that this version does not know grants nothing, but still replaces what was granted above.
    everything = [privilege for role in roles for privilege in ROLES.get(role, _NONE)]
    propagated = [privilege for role, yes in roles.items() if yes for privilege in ROLES.get(role, _NONE)]
    return Granted(frozenset(everything), frozenset(propagated))


def _components(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)
