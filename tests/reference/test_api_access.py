"""Accounts, rights, realms and logins beside what the originals answered; `root@pam` is called as by the manager."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from pbstore._core import Request
from pbstore.config.roots import Roots
from pbstore.model.auth_id import AuthId
from reference.recorded_server import recorded
from unit.server.application_site import Answer, Site
from unpack import unpack

API = "/api2/json/access"
ROOT = AuthId.parse("root@pam")
PASSWORDS = {"test@pbs": "Test12345", "reader@pbs": "Reader12345", "nobody@pbs": "Nobody12345"}
TIME = float(0x6B03CC4F)
LINE = re.compile(r"(?P<method>[A-Z]+) (?P<target>\S+) (?P<arguments>.*)\[as (?P<user>.*)\] -> (?P<status>\d*)")
NOT_SERVED = {"openid", "tfa", "ad", "ldap", "vncticket"}
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
}


@pytest.fixture(scope="module")
def site(fixtures_423: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The configuration and the keys of the recorded server, at the time of the recording."""
    root = tmp_path_factory.mktemp("recorded")
    unpack(fixtures_423 / "etc-proxmox-backup.tar.xz", root / "etc")
    roots = Roots.below(root)
    roots.prepare()
    site = Site(roots, now=TIME)
    yield site
    site.registry.close()


def ask(site: Site, fixtures: Path, name: str) -> Answer:
    """Send the recorded request again."""
    index = (fixtures / "api" / "INDEX.txt").read_text()
    found = re.search(rf"^{re.escape(name)}: (.*)$", index, re.M)
    line = LINE.fullmatch(found[1]) if found else None
    assert line is not None, name
    path, _, query = line["target"].partition("?")
    words = shlex.split(line["arguments"])
    fields: list[tuple[str, str]] = []
    headers, body = {"content-type": "application/x-www-form-urlencoded"}, ""
    for flag, word in zip(words[::2], words[1::2], strict=True):
        if flag == "-H":
            headers["content-type"] = word.partition(": ")[2]
        elif word.startswith("{"):
            body = word
        else:
            key, _, value = word.partition("=")
            fields.append((key, value))
    headers |= credentials(site, fixtures, name, line["user"])
    request = Request(
        method=line["method"],
        path=path,
        query=query,
        headers=list(headers.items()),
        body=(body or urlencode(fields)).encode(),
        peer="192.0.2.1:4711",
    )
    is_root = line["user"] == "root@pam"
    answer = site.application.handle_for(ROOT, request) if is_root else site.application.handle(request)
    return Answer(answer[0], dict(answer[1]), answer[2])


def credentials(site: Site, fixtures: Path, name: str, user: str) -> dict[str, str]:
    """The headers of the recorded caller."""
    if user in PASSWORDS:
        data = site.call("POST", f"{API}/ticket", {"username": user, "password": PASSWORDS[user]}).data
        return {"cookie": f"PBSAuthCookie={data['ticket']}", "csrfpreventiontoken": data["CSRFPreventionToken"]}
    if user == "__Host- cookie of ticket_http_only":
        return {"cookie": recorded(fixtures, "ticket_http_only")[1]["set-cookie"].partition(";")[0]}
    if user == "bad cookie":
        return {"cookie": f"PBSAuthCookie=PBS:test@pbs:{int(TIME):08X}::{name}"}
    if user == "token":
        secret = (fixtures / "cli" / "token.txt").read_text()
        found = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", secret)
        assert found is not None
        wrong = {"token_badsecret": "test@pbs!tok:wrong", "token_unknown": "test@pbs!other:wrong"}
        return {"authorization": f"PBSAPIToken={wrong.get(name, f'test@pbs!tok:{found[0]}')}"}
    return {}


def comparable(text: str) -> Any:
    """JSON with its lists, which the original has in any order, in one of ours; else the text."""
    try:
        return ordered(json.loads(text))
    except ValueError:
        return text


def ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: ordered(item) for key, item in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return sorted((ordered(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


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


@pytest.mark.parametrize("name", ["idx_access", "idx_config_access"])
def test_same_subdirectories_but_for_what_is_not_served(site: Site, fixtures_423: Path, name: str) -> None:
    theirs = json.loads(recorded(fixtures_423, name)[2])["data"]
    assert ask(site, fixtures_423, name).data == [item for item in theirs if item["subdir"] not in NOT_SERVED]


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
