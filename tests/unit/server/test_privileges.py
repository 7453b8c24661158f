"""Each route takes exactly the privileges that it names, one alone, and a token never has more than its user."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from pbstore.access.acl_tree import AclTree
from pbstore.access.privileges import PRIVILEGES
from pbstore.access.roles import ROLES
from pbstore.api.method import Method
from pbstore.api.permission import Custom, Privilege
from pbstore.config.acl_cfg import AclEntry
from pbstore.errors import PbstoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.namespace import Namespace
from pbstore.server.content_right import CONTENT_PRIVILEGES
from pbstore.server.methods.all_methods import ROUTES

USER, TOKEN = AuthId.parse("user@pbs"), AuthId.parse("user@pbs!token")
NS, OTHER_NS = Namespace.parse("a/b"), Namespace.parse("a/c")
VALUES: Mapping[str, Any] = {"store": "main", "name": "main", "ns": NS, "target_ns": OTHER_NS, "parent": NS}
RESTRICTED = [method for method in ROUTES if isinstance(method.permission, Privilege | Custom)]
SEVERAL_PATHS = {"/admin/datastore/{store}/move-group": {"Datastore.Modify"}}


@pytest.fixture(autouse=True)
def single_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A role for each privilege alone."""
    roles = {privilege: frozenset((privilege,)) for privilege in PRIVILEGES}
    monkeypatch.setattr("pbstore.access.acl_tree.ROLES", {**ROLES, **roles})


def named_privileges(method: Method) -> set[str]:
    """What the description of the method's permission demands: one of these is enough."""
    permission = method.permission
    if method.path in SEVERAL_PATHS:
        return SEVERAL_PATHS[method.path]
    if isinstance(permission, Privilege):
        assert permission.any_of or len(permission.names) == 1
        return set(permission.names)
    assert isinstance(permission, Custom)
    return set(re.findall(r"[A-Z][a-z]+\.[A-Z][A-Za-z]+", permission.name)) or set(CONTENT_PRIVILEGES)


def is_allowed(method: Method, caller: AuthId, *entries: AclEntry) -> bool:
    try:
        method.permission.check(AclTree(entries), caller, VALUES)
    except PbstoreError:
        return False
    return True


@pytest.mark.parametrize("method", RESTRICTED, ids=lambda method: f"{method.http_method} {method.path}")
def test_one_named_privilege_is_enough_and_no_other(method: Method) -> None:
    passing = {name for name in PRIVILEGES if is_allowed(method, USER, AclEntry("/", str(USER), name, True))}
    assert passing == named_privileges(method)
    assert not is_allowed(method, USER)


@pytest.mark.parametrize("method", RESTRICTED, ids=lambda method: f"{method.http_method} {method.path}")
def test_a_token_needs_the_rights_of_its_user_too(method: Method) -> None:
    of_user, of_token = (AclEntry("/", str(auth_id), "Admin", True) for auth_id in (USER, TOKEN))
    assert is_allowed(method, TOKEN, of_user, of_token)
    assert not is_allowed(method, TOKEN, of_user)
    assert not is_allowed(method, TOKEN, of_token)


@pytest.mark.parametrize("method", RESTRICTED, ids=lambda method: f"{method.http_method} {method.path}")
def test_rights_elsewhere_are_none(method: Method) -> None:
    elsewhere = [AclEntry(path, str(USER), "Admin", True) for path in ("/datastore/other", "/system", "/access")]
    assert not is_allowed(method, USER, *elsewhere)
