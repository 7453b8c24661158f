"""Every route of the table refuses who has no right to it (docs/protocol/rest.md)."""

import pytest

from pbstore.api.method import Method
from pbstore.api.permission import ANYBODY, SUPERUSER, WORLD, Custom, Privilege
from pbstore.server.methods.all_methods import ROUTES
from unit.server.application_site import Answer, Site
from unit.server.route_values import path_and_parameters

OPEN_TO_ALL = {
    ("GET", "/ping"),
    ("POST", "/access/ticket"),
    ("DELETE", "/access/ticket"),
    ("POST", "/access/vncticket"),
    ("GET", "/access/domains"),
}
OPEN_TO_LOGINS = {
    ("GET", "/version"),
    ("GET", "/access/permissions"),
    ("GET", "/access/users"),
    ("GET", "/access/acl"),
    ("GET", "/access/roles"),
    ("PUT", "/access/password"),
    ("GET", "/admin/datastore"),
    ("GET", "/access/tfa"),
    ("GET", "/config/datastore"),
    ("GET", "/status/datastore-usage"),
    ("GET", "/nodes/{node}/tasks"),
    ("GET", "/nodes/{node}/identity"),
}
FOR_THE_SUPERUSER = {("GET", "/nodes")}
WORDS_OF_THEIR_OWN = {
    ("GET", "/reader"): "no permissions on /datastore/main",
    ("GET", "/nodes/{node}/tasks/{upid}/status"): "task access not allowed",
    ("GET", "/nodes/{node}/tasks/{upid}/log"): "task access not allowed",
}
ALL = pytest.mark.parametrize("method", list(ROUTES), ids=lambda method: f"{method.http_method} {method.path}")


def name_of(method: Method) -> tuple[str, str]:
    return method.http_method, method.path


def call(site: Site, method: Method, headers: dict[str, str] | None = None) -> Answer:
    """Call a method with values that fit."""
    path, parameters = path_and_parameters(method)
    body = None if method.raw_body is None else b""
    return site.call(method.http_method, f"/api2/json{path}", parameters, headers=headers, body=body)


@ALL
def test_strangers_are_turned_away(site: Site, method: Method) -> None:
    answer = call(site, method)
    if name_of(method) in OPEN_TO_ALL:
        assert not answer.text.startswith("authentication failed")
    else:
        assert answer.text == "authentication failed - no authentication credentials provided."
        assert site.slept == [3.0]


@ALL
def test_logins_without_rights_are_refused(site: Site, method: Method) -> None:
    answer = call(site, method, site.login("nobody"))
    if name_of(method) in OPEN_TO_ALL | OPEN_TO_LOGINS:
        assert answer.status != 403
    elif name_of(method) in WORDS_OF_THEIR_OWN:
        assert (answer.status, answer.text) == (400, WORDS_OF_THEIR_OWN[name_of(method)])
    else:
        assert answer.status == 403
        assert answer.text.startswith("permission check failed")
        assert site.slept == [0.5]


@ALL
def test_the_administrator_is_not_refused(site: Site, method: Method) -> None:
    answer = call(site, method, site.login("admin"))
    assert (answer.status == 403) == (name_of(method) in FOR_THE_SUPERUSER)
    assert answer.status == 200 or answer.text not in WORDS_OF_THEIR_OWN.values()


@ALL
def test_the_open_ones_are_declared_so(method: Method) -> None:
    """What is open is listed here by name, so that nothing becomes open by mistake."""
    assert (method.permission is WORLD) == (name_of(method) in OPEN_TO_ALL)
    assert (method.permission is ANYBODY) == (name_of(method) in OPEN_TO_LOGINS)
    assert (method.permission is SUPERUSER) == (name_of(method) in FOR_THE_SUPERUSER)
    if name_of(method) not in OPEN_TO_ALL | OPEN_TO_LOGINS | FOR_THE_SUPERUSER:
        assert isinstance(method.permission, Privilege | Custom)


def test_refusals_name_what_is_missing(site: Site) -> None:
    answer = site.call("GET", "/api2/json/admin/datastore/main/groups", {"ns": "a/b"}, headers=site.login("nobody"))
    assert answer.text == "permission check failed - missing Datastore.Audit|Datastore.Backup on /datastore/main/a/b"
    answer = site.call("GET", "/api2/json/admin/datastore/main/status", headers=site.login("nobody"))
    assert answer.text == "permission check failed"


def test_a_refusal_in_extjs_is_200(site: Site) -> None:
    answer = site.call("GET", "/api2/extjs/admin/datastore/main/status", headers=site.login("nobody"))
    assert (answer.status, answer.json["status"]) == (200, 403)
    assert site.slept == [0.5]
