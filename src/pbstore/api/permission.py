"""Who may call a method: the permission kinds that a method description declares (auth.md 7)."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pbstore.errors import AuthenticationError, PermissionDeniedError
from pbstore.model.auth_id import AuthId

_VARIABLE = re.compile(r"\{([a-z-]+)\}")


class Rights(Protocol):
    """What the access control list grants."""

    def privileges(self, auth_id: AuthId, path: str) -> Collection[str]:
        """Return the names of all privileges of `auth_id` on `path`."""


class Permission(ABC):
    """Decides about one call; `needs_login` says whether anonymous callers are turned away before."""

    needs_login = True

    @abstractmethod
    def check(self, rights: Rights, caller: AuthId | None, values: Mapping[str, Any]) -> None:
        """Return if the call is allowed; `values` are its parsed parameters by Python name.

        Raises:
            PermissionDeniedError: it is not.
        """

    @property
    def variables(self) -> frozenset[str]:
        """Wire names of the parameters that the decision needs."""
        return frozenset()

    @property
    @abstractmethod
    def text(self) -> str:
        """Who may call, for documents."""


class World(Permission):
    """Everybody, without credentials."""

    needs_login = False

    def check(self, rights: Rights, caller: AuthId | None, values: Mapping[str, Any]) -> None:
        """Allow."""

    @property
    def text(self) -> str:
        """Who may call."""
        return "everybody, without credentials"


class Anybody(Permission):
    """Every valid login; the handler filters what it shows."""

    def check(self, rights: Rights, caller: AuthId | None, values: Mapping[str, Any]) -> None:
        """Allow."""

    @property
    def text(self) -> str:
        """Who may call."""
        return "every valid login"


class Superuser(Permission):
    """Only `root@pam`; no right can be given for it."""

    def check(self, rights: Rights, caller: AuthId | None, values: Mapping[str, Any]) -> None:
        """Look at the name."""
        if not known_caller(caller).is_superuser:
            raise PermissionDeniedError

    @property
    def text(self) -> str:
        """Who may call."""
        return "root@pam"


@dataclass(frozen=True)
class Privilege(Permission):
    """Privileges on a path like `/datastore/{store}/{ns}`: all of `names`, or one of them with `any_of`."""

    path: str
    names: tuple[str, ...]
    any_of: bool = False

    def check(self, rights: Rights, caller: AuthId | None, values: Mapping[str, Any]) -> None:
        """Compare with what the caller has on the path."""
        held = set(rights.privileges(known_caller(caller), acl_path(self.path, values)))
        enough = held & set(self.names) if self.any_of else held >= set(self.names)
        if not enough:
            raise PermissionDeniedError

    @property
    def variables(self) -> frozenset[str]:
        """The variables of the path."""
        return frozenset(_VARIABLE.findall(self.path))

    @property
    def text(self) -> str:
        """Who may call."""
        return f"{(' or ' if self.any_of else ' and ').join(self.names)} on {self.path}"


@dataclass(frozen=True)
class Custom(Permission):
    """A check of its own; `name` says in words what it demands."""

    name: str
    function: Callable[[Rights, AuthId, Mapping[str, Any]], None]

    def check(self, rights: Rights, caller: AuthId | None, values: Mapping[str, Any]) -> None:
        """Ask the function."""
        self.function(rights, known_caller(caller), values)

    @property
    def text(self) -> str:
        """Who may call."""
        return self.name


WORLD = World()
ANYBODY = Anybody()
SUPERUSER = Superuser()


def known_caller(caller: AuthId | None) -> AuthId:
    """Return the caller of a method that needs a login.

    Raises:
        AuthenticationError: there is none.
    """
    if caller is None:
        raise AuthenticationError("no authentication credentials provided.")
    return caller


def acl_path(template: str, values: Mapping[str, Any]) -> str:
    """Fill in `/datastore/{store}/{ns}`; an empty or absent value leaves its component out."""

    def value_of(match: re.Match[str]) -> str:
        value = values.get(match[1].replace("-", "_"))
        return "" if value is None else str(value)

    return "/" + "/".join(part for part in _VARIABLE.sub(value_of, template).split("/") if part)
