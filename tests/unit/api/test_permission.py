"""Who is let through by each kind of permission (auth.md 7)."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from pbstore.api.permission import ANYBODY, WORLD, Custom, Privilege, Rights, acl_path
from pbstore.errors import AuthenticationError, PermissionDeniedError
from pbstore.model.auth_id import AuthId
from pbstore.model.namespace import Namespace

ALICE = AuthId.parse("alice@pbs")


class Granted(Rights):
    """Rights from a dictionary."""

    def __init__(self, granted: Mapping[str, Collection[str]]):
        self.granted = granted

    def privileges(self, auth_id: AuthId, path: str) -> Collection[str]:
        return self.granted.get(path, ())


NOTHING = Granted({})


def test_world_needs_no_login() -> None:
    assert not WORLD.needs_login
    WORLD.check(NOTHING, None, {})


def test_anybody_needs_a_login_and_nothing_else() -> None:
    assert ANYBODY.needs_login
    ANYBODY.check(NOTHING, ALICE, {})


def test_all_privileges_are_needed_by_default() -> None:
    needed = Privilege("/datastore/{store}", ("Datastore.Audit", "Datastore.Read"))
    needed.check(Granted({"/datastore/s1": ("Datastore.Audit", "Datastore.Read")}), ALICE, {"store": "s1"})
    with pytest.raises(PermissionDeniedError, match=r"^permission check failed$"):
        needed.check(Granted({"/datastore/s1": ("Datastore.Audit",)}), ALICE, {"store": "s1"})


def test_any_of_is_content_with_one() -> None:
    needed = Privilege("/datastore/{store}", ("Datastore.Audit", "Datastore.Read"), any_of=True)
    needed.check(Granted({"/datastore/s1": ("Datastore.Read", "Sys.Audit")}), ALICE, {"store": "s1"})
    with pytest.raises(PermissionDeniedError):
        needed.check(Granted({"/datastore/s1": ("Sys.Audit",)}), ALICE, {"store": "s1"})


def test_a_privilege_without_caller_is_an_authentication_error() -> None:
    with pytest.raises(AuthenticationError):
        Privilege("/", ("Sys.Audit",)).check(NOTHING, None, {})


def test_a_custom_check_gets_caller_and_values() -> None:
    seen = []

    def function(rights: Rights, caller: AuthId, values: Mapping[str, Any]) -> None:
        seen.append((caller, values["store"]))

    Custom("only for the test", function).check(NOTHING, ALICE, {"store": "s1"})
    assert seen == [(ALICE, "s1")]


@pytest.mark.parametrize(
    ("ns", "path"),
    [
        (Namespace(), "/datastore/s1"),
        (None, "/datastore/s1"),
        (Namespace.parse("a/b"), "/datastore/s1/a/b"),
    ],
)
def test_namespaces_extend_the_acl_path(ns: Namespace | None, path: str) -> None:
    assert acl_path("/datastore/{store}/{ns}", {"store": "s1", "ns": ns}) == path
