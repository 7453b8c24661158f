"""Tickets of terminals: good for one caller, path and port, as long as the privilege is there."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pbstore.access.terminal_tickets import issue_terminal_ticket
from pbstore.config.auth_key import load_or_create_auth_key
from pbstore.config.roots import Roots
from pbstore.model.auth_id import AuthId
from running_server import RunningServer
from unit.server.application_site import Answer, Site

API = "/api2/json/access"
ADMIN = AuthId.parse("admin@pbs")
REFUSED = (401, "permission check failed.")


def ticket(site: Site, auth_id: AuthId = ADMIN, path: str = "/system", port: int | None = 5900) -> str:
    return issue_terminal_ticket(site.registry.auth_key, auth_id, path, port, site.now)


def check(site: Site, **fields: object) -> Answer:
    parameters = {"authid": "admin@pbs", "path": "/system", "privs": "Sys.Console", "port": 5900, **fields}
    return site.call("POST", f"{API}/vncticket", {name: value for name, value in parameters.items() if value != ""})


def log_in(site: Site, **fields: object) -> Answer:
    parameters = {"username": "admin@pbs", "path": "/system", "privs": "Sys.Console", "port": 5900, **fields}
    return site.call("POST", f"{API}/ticket", {name: value for name, value in parameters.items() if value != ""})


def test_a_good_ticket(site: Site) -> None:
    assert check(site, vncticket=ticket(site)).text == '{"data":null}'
    assert check(site, vncticket=ticket(site, port=None), port="").text == '{"data":null}'
    answer = log_in(site, password=ticket(site))
    assert answer.json == {"data": {"username": "admin@pbs"}, "status": 200, "success": True}
    assert "set-cookie" not in answer.headers
    site.now += 7200
    assert check(site, vncticket=ticket(site)).status == 200


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"path": "/"}, "invalid ticket"),
        ({"port": 5901}, "invalid ticket"),
        ({"port": ""}, "invalid ticket"),
        ({"authid": "nobody@pbs"}, "invalid ticket"),
        ({"authid": "admin@pbs!t"}, "invalid ticket"),
        ({"privs": "Sys.Nothing"}, "no privilege 'Sys.Nothing' on /system"),
    ],
)
def test_it_is_good_for_nothing_else(site: Site, fields: dict[str, object], reason: str) -> None:
    answer = check(site, vncticket=ticket(site), **fields)
    assert (answer.status, answer.text) == REFUSED
    assert site.auth_log[-1].endswith(f"msg={reason}")
    assert site.slept == [3.0]


def test_it_ends(site: Site) -> None:
    old = ticket(site)
    site.now += 7201
    assert (check(site, vncticket=old).status, log_in(site, password=old).status) == (401, 401)


def test_without_the_privilege_or_disabled_it_is_worth_nothing(site: Site) -> None:
    nobody = AuthId.parse("nobody@pbs")
    fields = {"authid": "nobody@pbs", "vncticket": ticket(site, nobody)}
    assert check(site, **fields).status == 401
    RunningServer(site.roots.base).grant("/system", "nobody@pbs", "Admin")
    assert check(site, **fields).status == 200
    RunningServer(site.roots.base).create_user("nobody@pbs", enable=False)
    assert check(site, **fields).status == 401
    assert site.auth_log[-1].endswith("msg=user account or token disabled or expired.")


def test_tokens_have_terminals_too(site: Site) -> None:
    files = RunningServer(site.roots.base)
    files.create_token("admin@pbs!t")
    token = AuthId.parse("admin@pbs!t")
    fields = {"authid": "admin@pbs!t", "vncticket": ticket(site, token)}
    assert check(site, **fields).status == 401
    files.grant("/system", "admin@pbs!t", "Admin")
    assert check(site, **fields).status == 200


def test_one_kind_of_ticket_is_not_the_other(site: Site) -> None:
    terminal = ticket(site)
    for missing in ({"path": ""}, {"privs": ""}, {"port": ""}):
        assert log_in(site, password=terminal, **missing).status == 401
    assert site.call("GET", "/api2/json/version", headers={"cookie": f"PBSAuthCookie={terminal}"}).status == 401
    login = site.call("POST", f"{API}/ticket", {"username": "admin@pbs", "password": "Admin12345"}).data["ticket"]
    assert check(site, vncticket=login).status == 401


def test_guesses_are_limited(site: Site) -> None:
    for _ in range(10):
        assert check(site, vncticket="PBSTERM::6B000000::AAAA").status == 401
    assert check(site, vncticket=ticket(site)).status == 429


def test_with_the_rsa_key_of_an_older_installation(site: Site) -> None:
    """Logins, renewals, cookies and terminals; the key is made small to be made fast."""
    key = rsa.generate_private_key(65537, 2048)
    form, encoding = serialization.PrivateFormat.TraditionalOpenSSL, serialization.Encoding.PEM
    (site.roots.config_dir / "authkey.key").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    (site.roots.config_dir / "authkey.pub").unlink()
    old = Site(Roots(site.roots.base), now=site.now)
    try:
        assert load_or_create_auth_key(old.roots).private.key_size == 2048  # type: ignore[union-attr]
        login = {"username": "admin@pbs", "password": "Admin12345", "http-only": "1"}
        answer = old.call("POST", f"{API}/ticket", login)
        cookie = answer.headers["set-cookie"].partition(";")[0]
        assert old.call("GET", "/api2/json/version", headers={"cookie": cookie}).status == 200
        del login["password"]
        assert json.loads(old.call("POST", f"{API}/ticket", login, headers={"cookie": cookie}).text)["success"]
        assert check(old, vncticket=ticket(old)).status == 200
        assert check(site, vncticket=ticket(old)).status == 401
    finally:
        old.registry.close()
