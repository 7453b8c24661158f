"""Accounts, rights, realms and logins beside what the originals answered; `root@pam` is called as by the manager."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pbstore._core import Request
from pbstore.config.roots import Roots
from reference.recorded_server import recorded
from reference.replay import ROOT, ask, comparable, ordered, taken_over
from unit.server.application_site import Answer, Site

API = "/api2/json/access"
NOT_SERVED = {"idx_access": {"openid"}, "idx_config_access": {"openid", "tfa", "ad", "ldap"}}
READ = (
    "domains",
    "users",
    "users_tokens",
    "user_test",
    "user_tokens",
    "user_token",
    "acl",
    "acl_path",
    "roles",
    "permissions_self",
    "permissions_reader",
    "permissions_path",
    "permissions_token",
    "config_access_pam",
    "config_access_pbs",
    "e403_users",
    "reader_permissions",
    "reader_passwd",
    "domains_noauth",
    "tfa",
    "user_tfa",
    "token_forbidden",
)
REFUSED = (
    "e400_user_exists",
    "e400_user_bad",
    "e400_pw_short",
    "e400_acl_role",
    "e400_acl_path",
    "e400_acl_user",
    "e400_acl_nouser",
    "ticket_badpw",
    "ticket_badpw_http_only",
    "ticket_baduser",
    "ticket_disabled",
    "ticket_badrealm",
    "ticket_norealm",
    "ticket_nopw",
    "ticket_extra",
    "ticket_badpw_extjs",
    "ticket_token",
    "logout_http_only",
    "logout_legacy",
)
LOGINS = (
    "ticket",
    "ticket_extjs",
    "ticket_json_body",
    "ticket_http_only",
    "ticket_privcheck",
    "ticket_privcheck_fail",
    "ticket_renew_http_only",
    "ticket_renew_http_only_pw",
    "ticket_renew_as_password",
)
WITHOUT_CREDENTIALS = (
    "e401_noauth",
    "e401_extjs",
    "e401_unknown_path",
    "e401_post",
    "e401_badcookie",
    "e401_garbage",
    "token_badsecret",
    "token_unknown",
    "ticket_get",
)
OF_324 = {
    "access_users": "/users",
    "access_users_tokens": "/users?include_tokens=1",
    "access_users_test": "/users/test@pbs",
    "access_users_test_token": "/users/test@pbs/token",
    "access_acl": "/acl",
    "access_domains": "/domains",
    "access_tfa": "/tfa",
}


@pytest.fixture(scope="module")
def site(fixtures_423: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = taken_over(fixtures_423, tmp_path_factory.mktemp("recorded"))
    yield site
    site.registry.close()


@pytest.mark.parametrize("name", [*READ, *REFUSED])
def test_same_answer(site: Site, fixtures_423: Path, name: str) -> None:
    answer = ask(site, fixtures_423, name)
    status, headers, text = recorded(fixtures_423, name)
    assert (answer.status, comparable(answer.text)) == (status, comparable(text))
    assert answer.headers.get("set-cookie") == headers.get("set-cookie")
    assert answer.headers.get("content-type") == headers.get("content-type")


@pytest.mark.parametrize("name", LOGINS)
def test_same_login(site: Site, fixtures_423: Path, name: str) -> None:
    """With the original's key and at its time even signatures are the same."""
    status, headers, text = recorded(fixtures_423, name)
    theirs = json.loads(text)
    site.now = float(int(theirs["data"]["CSRFPreventionToken"].partition(":")[0], 16))
    answer = ask(site, fixtures_423, name)
    assert (answer.status, answer.json) == (status, theirs)
    assert answer.headers.get("set-cookie") == headers.get("set-cookie")
    assert answer.headers["content-type"] == headers["content-type"]


@pytest.mark.parametrize("name", WITHOUT_CREDENTIALS)
def test_same_refusal_of_strangers(site: Site, fixtures_423: Path, name: str) -> None:
    """Ours says why, as 3.2 does; 4.2.3 does not."""
    answer = ask(site, fixtures_423, name)
    status, headers, text = recorded(fixtures_423, name)
    assert answer.status == status
    assert answer.text.startswith(text)
    assert answer.headers.get("set-cookie") == headers.get("set-cookie")


@pytest.mark.parametrize("name", NOT_SERVED)
def test_same_subdirectories_but_for_what_is_not_served(site: Site, fixtures_423: Path, name: str) -> None:
    theirs = json.loads(recorded(fixtures_423, name)[2])["data"]
    assert ask(site, fixtures_423, name).data == [item for item in theirs if item["subdir"] not in NOT_SERVED[name]]


@pytest.fixture(scope="module")
def old_site(fixtures_323: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The accounts of the recorded 3.2.4."""
    roots = Roots.below(tmp_path_factory.mktemp("recorded-324"))
    roots.prepare()
    config = roots.config_dir
    (config / "user.cfg").write_text("user: test@pbs\n\ntoken: test@pbs!go\n")
    (config / "acl.cfg").write_text("acl:1:/:test@pbs,test@pbs!go:Admin\n")
    site = Site(roots)
    yield site
    site.registry.close()


def ask_as_root(site: Site, target: str) -> Answer:
    path, _, query = target.partition("?")
    status, headers, body = site.application.handle_for(ROOT, Request(method="GET", path=path, query=query))
    return Answer(status, dict(headers), body)


def without_digest(answer: Mapping[str, Any]) -> Any:
    return ordered({key: value for key, value in answer.items() if key != "digest"})


@pytest.mark.parametrize("name", OF_324)
def test_same_answer_as_324(old_site: Site, fixtures_323: Path, name: str) -> None:
    theirs = json.loads(recorded(fixtures_323, name)[2])
    ours = ask_as_root(old_site, f"{API}{OF_324[name]}").json
    assert without_digest(ours) == without_digest(theirs)
    assert ours.keys() == theirs.keys()


def test_roles_and_rights_of_324_are_a_part_of_ours(old_site: Site, fixtures_323: Path) -> None:
    """4.x has more roles, and three more privileges in `Admin`."""
    ours = {item["roleid"]: set(item["privs"]) for item in ask_as_root(old_site, f"{API}/roles").data}
    for role in json.loads(recorded(fixtures_323, "access_roles")[2])["data"]:
        assert set(role["privs"]) <= ours[role["roleid"]]
    for name, query in (("access_permissions", ""), ("access_permissions_path", "?path=/datastore/fix")):
        theirs = json.loads(recorded(fixtures_323, name)[2])["data"]
        found = ask_as_root(old_site, f"{API}/permissions{query}").data
        assert found.keys() == theirs.keys()
        assert all(theirs[path].items() <= found[path].items() for path in theirs)
