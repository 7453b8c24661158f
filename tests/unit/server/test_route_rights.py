"""Each route of the table needs exactly the rights that it declares, and a token never has more than its user.

The rights that suffice are found by trying: every privilege alone on every path that the route's permission asks about.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pbstore.access.acl_tree import AclTree
from pbstore.access.privileges import PRIVILEGES
from pbstore.access.roles import ROLES
from pbstore.api.method import Method
from pbstore.api.permission import ANYBODY, SUPERUSER, WORLD, Custom, Privilege
from pbstore.api.route_table import RouteTable
from pbstore.config.acl_cfg import AclEntry
from pbstore.errors import PbstoreError
from pbstore.model.auth_id import AuthId
from pbstore.server.application import Application
from pbstore.server.methods.all_methods import ROUTES
from running_server import RunningServer
from unit.server.application_site import Answer, Site
from unit.server.route_values import path_and_parameters, python_values

NOBODY = AuthId.parse("nobody@pbs")
TOKEN = AuthId.parse("nobody@pbs!tok")
ELSEWHERE = ("/datastore/other", "/remote/other", "/tape/other")
GUARDED = [method for method in ROUTES if method.permission not in (WORLD, ANYBODY, SUPERUSER)]
ALL = pytest.mark.parametrize("method", GUARDED, ids=lambda method: f"{method.http_method} {method.path}")


def only(privilege: str) -> str:
    """Name of a role that has this privilege and no other."""
    return f"Only{privilege.replace('.', '')}"


@pytest.fixture(autouse=True)
def fine_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Besides the real roles one for each privilege."""
    roles = {only(name): frozenset({name}) for name in PRIVILEGES}
    monkeypatch.setattr("pbstore.access.acl_tree.ROLES", {**ROLES, **roles})


@dataclass(frozen=True, order=True)
class Right:
    """A privilege on a path."""

    path: str
    privilege: str

    def entry(self, auth_id: AuthId = NOBODY) -> AclEntry:
        """What grants it, and nothing below."""
        return AclEntry(self.path, str(auth_id), only(self.privilege), propagate=False)


class AskedTree(AclTree):
    """Remembers which paths it was asked about."""

    def __init__(self, entries: Collection[AclEntry] = ()):
        super().__init__(entries)
        self.asked: set[str] = set()

    def privileges(self, auth_id: AuthId, path: str) -> frozenset[str]:
        self.asked.add(path)
        return super().privileges(auth_id, path)


def allows(method: Method, entries: Collection[AclEntry], caller: AuthId = NOBODY) -> bool:
    return refusal(method, AclTree(entries), caller) is None


def refusal(method: Method, rights: AclTree, caller: AuthId = NOBODY) -> str | None:
    """Why the route's permission refuses, None if it does not."""
    try:
        method.permission.check(rights, caller, python_values(method))
    except PbstoreError as error:
        return str(error)
    return None


def sufficient(method: Method) -> list[list[Right]]:
    """Sets of rights that are each just enough: single ones, else the smallest set that is left of all rights."""
    tree = AskedTree()
    refusal(method, tree)
    everything = [Right(path, privilege) for path in sorted(tree.asked) for privilege in PRIVILEGES]
    singles = [[right] for right in everything if allows(method, [right.entry()])]
    if singles:
        return singles
    needed = list(everything)
    for right in everything:
        without = [other for other in needed if other != right]
        # One role an entry, so that the roles of a path add up.
        if allows(method, [other.entry() for other in without]):
            needed = without
    return [needed] if needed else []


def named(method: Method) -> set[str]:
    """The privileges that the declaration names."""
    permission = method.permission
    if isinstance(permission, Privilege):
        return set(permission.names)
    assert isinstance(permission, Custom)
    return set(re.findall(r"[A-Z]\w+\.[A-Z]\w+", permission.name)) & set(PRIVILEGES)


@ALL
def test_without_rights_it_refuses(method: Method) -> None:
    assert refusal(method, AclTree([])) is not None
    elsewhere = [AclEntry(path, str(NOBODY), "Admin", propagate=True) for path in ELSEWHERE]
    assert not allows(method, elsewhere)


@pytest.mark.parametrize(
    "method", [method for method in ROUTES if method.permission is SUPERUSER], ids=lambda method: method.path
)
def test_what_is_for_the_superuser_takes_no_rights_for_it(method: Method) -> None:
    assert refusal(method, AclTree([]), AuthId.parse("root@pam")) is None
    for caller in (NOBODY, TOKEN, AuthId.parse("root@pam!tok"), AuthId.parse("root@pbs")):
        assert not allows(method, [AclEntry("/", str(caller), "Admin", propagate=True)], caller)


@ALL
def test_what_is_enough_is_what_is_declared(method: Method) -> None:
    ways = sufficient(method)
    assert ways, "nobody but root@pam may call it"
    enough = {right.privilege for way in ways for right in way}
    if isinstance(method.permission, Privilege):
        assert enough == named(method)
        assert all(len(way) == (1 if method.permission.any_of else len(method.permission.names)) for way in ways)
    elif named(method):
        assert enough <= named(method)


@ALL
def test_all_other_rights_together_are_not_enough(method: Method) -> None:
    declared = named(method) or {right.privilege for way in sufficient(method) for right in way}
    others = [AclEntry("/", str(NOBODY), only(name), propagate=True) for name in PRIVILEGES if name not in declared]
    assert not allows(method, others)


@ALL
def test_a_token_has_no_more_rights_than_its_user_nor_more_than_its_own(method: Method) -> None:
    whole = AclEntry("/", str(TOKEN), "Admin")
    for way in sufficient(method):
        of_user = [right.entry() for right in way]
        of_token = [right.entry(TOKEN) for right in way]
        assert not allows(method, [whole], TOKEN), "the user has none"
        assert not allows(method, of_token, TOKEN), "the user has none"
        assert not allows(method, of_user, TOKEN), "the token has none"
        assert allows(method, [*of_user, *of_token], TOKEN)
        assert allows(method, [*of_user, whole], TOKEN)


@pytest.fixture
def harmless(site: Site) -> Iterator[Site]:
    """An application whose guarded routes do nothing, but for those that only read."""

    def nothing(call: Any, **values: Any) -> None:
        return None

    methods = [
        replace(method, handler=nothing) if method in GUARDED and method.http_method != "GET" else method
        for method in ROUTES
    ]
    site.holds_answers = False
    site.application = Application(site.registry, RouteTable(methods), sleep=site.slept.append)
    yield site
    assert site.registry.tasks.wait_all(10)


@ALL
def test_a_real_request_passes_with_just_that_and_not_without(harmless: Site, method: Method, tmp_path: Path) -> None:
    headers = harmless.login("nobody")
    why = refusal(method, AclTree([]))
    refused = send(harmless, method, headers)
    assert (refused.status, refused.text) in ((403, why), (400, why))
    way = sufficient(method)[0]
    for right in way:
        RunningServer(tmp_path).grant(right.path, str(NOBODY), only(right.privilege))
    answer = send(harmless, method, headers)
    assert answer.status not in (401, 403)
    assert answer.status == 200 or answer.text != why


def send(site: Site, method: Method, headers: dict[str, str]) -> Answer:
    path, parameters = path_and_parameters(method)
    body = None if method.raw_body is None else b""
    return site.call(method.http_method, f"/api2/json{path}", parameters, headers=headers, body=body)
