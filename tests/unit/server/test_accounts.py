"""Users, tokens, rights, realms and passwords over real requests: who may do what, and what is left of it."""

import re
from pathlib import Path

import pytest

from pbstore.config.acl_cfg import AclFile
from running_server import RunningServer
from unit.server.application_site import PASSWORDS, Answer, Site

API = "/api2/json/access"
USERS = f"{API}/users"
NOBODY = f"{USERS}/nobody@pbs"
DENIED = (403, "permission check failed")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def send(site: Site, caller: str, method: str, target: str, /, **parameters: object) -> Answer:
    """Call as a user of the site; `_` in names stands for `-`."""
    fields = {name.replace("_", "-"): value for name, value in parameters.items()}
    return site.call(method, target, fields, headers=site.login(caller))


def token_header(tokenid: str, secret: str) -> dict[str, str]:
    return {"authorization": f"PBSAPIToken={tokenid}:{secret}"}


def status_text(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.text


def log_in(site: Site, userid: str, password: str) -> int:
    return site.call("POST", f"{API}/ticket", {"username": userid, "password": password}).status


def entries(site: Site) -> set[tuple[str, str, str]]:
    return {(entry.path, entry.ugid, entry.role) for entry in AclFile(site.roots).load().entries}


def test_a_user_is_made_changed_and_removed(site: Site) -> None:
    made = send(site, "admin", "POST", USERS, userid="new@pbs", password="New-12345", comment="one", email="a@b.de")
    assert made.data is None
    assert log_in(site, "new@pbs", "New-12345") == 200
    path = f"{USERS}/new@pbs"
    answer = send(site, "admin", "GET", path)
    assert answer.data == {"userid": "new@pbs", "comment": "one", "email": "a@b.de"}
    digest = answer.json["digest"]
    # A password is not changed by this call.
    change = {"firstname": "Ada", "delete": ["email"], "comment": " ", "password": "Other-12345", "digest": digest}
    assert site.call("PUT", path, change, headers=site.login("admin")).data is None
    assert send(site, "admin", "GET", path).data == {"userid": "new@pbs", "firstname": "Ada"}
    assert log_in(site, "new@pbs", "Other-12345") == 401
    assert "detected modified configuration" in send(site, "admin", "PUT", path, comment="x", digest=digest).text
    assert send(site, "admin", "PUT", path, enable=0).data is None
    assert log_in(site, "new@pbs", "New-12345") == 401
    assert send(site, "admin", "DELETE", path).data is None
    for method in ("GET", "PUT", "DELETE"):
        assert status_text(send(site, "admin", method, path)) == (400, "no such user 'new@pbs'")


def test_a_removed_user_leaves_nothing_to_who_gets_the_name(site: Site) -> None:
    value = send(site, "admin", "POST", f"{NOBODY}/token/tok").data["value"]
    for auth_id in ("nobody@pbs", "nobody@pbs!tok"):
        granted = send(
            site, "admin", "PUT", f"{API}/acl", path="/datastore/main", role="DatastoreAdmin", auth_id=auth_id
        )
        assert granted.status == 200
    factors = site.roots.config_dir / "tfa.json"
    factors.write_text('{"webauthn": {"rp": "x"}, "users": {"nobody@pbs": {"totp": []}, "b@pbs": {"totp": []}}}')
    assert send(site, "admin", "DELETE", NOBODY).data is None
    assert not any("nobody@pbs" in ugid for _, ugid, _ in entries(site))
    for name in ("user.cfg", "shadow.json", "token.shadow", "tfa.json"):
        assert "nobody" not in (site.roots.config_dir / name).read_text()
    assert factors.read_text() == '{"webauthn": {"rp": "x"}, "users": {"b@pbs": {"totp": []}}}'
    assert send(site, "admin", "POST", USERS, userid="nobody@pbs").status == 200
    assert log_in(site, "nobody@pbs", PASSWORDS["nobody"]) == 401
    assert site.call("GET", USERS, headers=token_header("nobody@pbs!tok", value)).status == 401


def test_users_see_and_change_themselves_and_nobody_else(site: Site) -> None:
    assert [item["userid"] for item in send(site, "nobody", "GET", USERS).data] == ["nobody@pbs"]
    assert {item["userid"] for item in send(site, "admin", "GET", USERS).data} >= {"root@pam", "nobody@pbs"}
    assert send(site, "nobody", "PUT", NOBODY, comment="me").data is None
    assert send(site, "nobody", "GET", NOBODY).data["comment"] == "me"
    for method, path in (
        ("GET", "/admin@pbs"),
        ("PUT", "/admin@pbs"),
        ("DELETE", "/admin@pbs"),
        ("GET", "/admin@pbs/token"),
        ("POST", "/admin@pbs/token/mine"),
        ("PUT", "/nobody@pbs/unlock-tfa"),
    ):
        assert status_text(send(site, "nobody", method, f"{USERS}{path}")) == DENIED
    assert status_text(send(site, "nobody", "POST", USERS, userid="x@pbs")) == DENIED


def test_the_secret_of_a_token_is_shown_once_and_goes_nowhere_else(site: Site) -> None:
    path = f"{NOBODY}/token/tok"
    made = send(site, "nobody", "POST", path, comment="mine", expire=0).data
    assert made["tokenid"] == "nobody@pbs!tok"
    assert UUID.fullmatch(made["value"])
    renewed = send(site, "nobody", "PUT", path, regenerate=1).data["secret"]
    assert site.call("GET", "/api2/json/version", headers=token_header("nobody@pbs!tok", made["value"])).status == 401
    assert site.call("GET", "/api2/json/version", headers=token_header("nobody@pbs!tok", renewed)).status == 200
    shown = [send(site, "admin", "GET", target).text for target in (path, f"{NOBODY}/token", USERS)]
    texts = [*shown, *(file.read_text() for file in site.roots.base.rglob("*") if is_text_file(file))]
    assert not any(secret in text for secret in (made["value"], renewed) for text in texts)
    assert send(site, "nobody", "PUT", path, delete="comment").data is None
    assert send(site, "nobody", "GET", path).data == {"tokenid": "nobody@pbs!tok", "expire": 0}
    exists = "token 'tok' for user 'nobody@pbs' already exists."
    assert status_text(send(site, "nobody", "POST", path)) == (400, exists)
    assert send(site, "nobody", "DELETE", path).data is None
    assert site.call("GET", "/api2/json/version", headers=token_header("nobody@pbs!tok", renewed)).status == 401
    for method in ("GET", "PUT"):
        assert status_text(send(site, "nobody", method, path)) == (400, "no such token 'nobody@pbs!tok'")
    gone = "token 'tok' of user 'nobody@pbs' does not exist."
    assert status_text(send(site, "nobody", "DELETE", path)) == (400, gone)


def is_text_file(path: Path) -> bool:
    return path.is_file() and path.suffix in {".cfg", ".json", ".shadow", ".log", ""} and path.stat().st_size > 0


def test_a_token_is_not_its_user(site: Site) -> None:
    secret = RunningServer(site.roots.base).create_token("nobody@pbs!tok")
    headers = token_header("nobody@pbs!tok", secret)
    assert site.call("GET", USERS, headers=headers).data == []
    assert site.call("GET", f"{API}/acl", headers=headers).data == []
    for method, target in (("GET", NOBODY), ("PUT", NOBODY), ("POST", f"{NOBODY}/token/other"), ("DELETE", NOBODY)):
        assert status_text(site.call(method, target, headers=headers)) == DENIED
    grant = {"path": "/", "role": "Audit", "auth-id": "nobody@pbs!tok"}
    assert status_text(site.call("PUT", f"{API}/acl", grant, headers=headers)) == DENIED


def test_roles_are_handed_out_by_those_who_may_and_to_own_tokens(site: Site) -> None:
    RunningServer(site.roots.base).create_token("nobody@pbs!tok")
    RunningServer(site.roots.base).create_token("admin@pbs!tok")
    acl = f"{API}/acl"
    own = {"path": "/datastore/main", "role": "DatastoreAudit", "auth_id": "nobody@pbs!tok"}
    assert send(site, "nobody", "PUT", acl, **own).data is None
    for auth_id in ("admin@pbs!tok", "nobody@pbs"):
        assert status_text(send(site, "nobody", "PUT", acl, **{**own, "auth_id": auth_id})) == DENIED
    assert status_text(send(site, "nobody", "PUT", acl, **own, group="g")) == DENIED
    assert [item["ugid"] for item in send(site, "nobody", "GET", acl).data] == ["nobody@pbs!tok"]
    answer = send(site, "admin", "GET", acl, path="/datastore")
    assert {item["ugid"] for item in answer.data} == {"nobody@pbs!tok", "archiver@pbs"}
    assert send(site, "admin", "GET", acl, path="/datastore", exact=1).data == []
    assert send(site, "admin", "PUT", acl, **own, delete=1, digest="00" * 32).status == 400
    assert send(site, "nobody", "PUT", acl, **own, delete=1, digest=answer.json["digest"]).data is None
    assert ("/datastore/main", "nobody@pbs!tok", "DatastoreAudit") not in entries(site)


def test_what_is_gone_can_still_be_taken_off_the_list(site: Site) -> None:
    RunningServer(site.roots.base).grant("/somewhere", "gone@pbs", "Audit")
    taken = send(site, "admin", "PUT", f"{API}/acl", path="/somewhere", role="Audit", auth_id="gone@pbs", delete=1)
    assert taken.data is None
    assert not any(ugid == "gone@pbs" for _, ugid, _ in entries(site))


@pytest.mark.parametrize(
    ("caller", "fields", "expected"),
    [
        ("nobody", {"userid": "nobody@pbs"}, (401, "missing password")),
        ("nobody", {"userid": "nobody@pbs", "confirmation_password": "wrong"}, (401, "permission check failed.")),
        ("nobody", {"userid": "admin@pbs", "confirmation_password": PASSWORDS["nobody"]}, DENIED),
        (
            "admin",
            {"userid": "ghost@pbs", "confirmation_password": PASSWORDS["admin"]},
            (400, "no such user 'ghost@pbs'"),
        ),
        ("nobody", {"userid": "nobody@pbs", "confirmation_password": PASSWORDS["nobody"]}, (200, '{"data":null}')),
        ("admin", {"userid": "nobody@pbs", "confirmation_password": PASSWORDS["admin"]}, (200, '{"data":null}')),
    ],
)
def test_passwords(site: Site, caller: str, fields: dict[str, str], expected: tuple[int, str]) -> None:
    answer = send(site, caller, "PUT", f"{API}/password", password="Brand-new-1", **fields)
    assert status_text(answer) == expected
    assert log_in(site, "nobody@pbs", "Brand-new-1") == (200 if expected[0] == 200 else 401)


def test_passwords_of_other_realms_are_not_kept_here(site: Site) -> None:
    confirmed = {"confirmation_password": PASSWORDS["admin"], "password": "Brand-new-1"}
    assert status_text(send(site, "admin", "PUT", f"{API}/password", userid="root@pam", **confirmed)) == DENIED
    RunningServer(site.roots.base).create_user("x@ldap1")
    answer = send(site, "admin", "PUT", f"{API}/password", userid="x@ldap1", **confirmed)
    assert (answer.status, "only users of realm 'pbs'" in answer.text) == (501, True)
    assert send(site, "admin", "POST", USERS, userid="x@pam", password="Brand-new-1").status == 501
    unknown = send(site, "admin", "POST", USERS, userid="x@nowhere")
    assert status_text(unknown) == (400, "no such realm 'nowhere'")


def test_locked_second_factors_are_unlocked(site: Site) -> None:
    factors = site.roots.config_dir / "tfa.json"
    factors.write_text('{"users": {"nobody@pbs": {"totp": [], "totp-locked": true, "tfa-locked-until": 5}}}')
    assert send(site, "admin", "PUT", f"{NOBODY}/unlock-tfa").data is True
    assert factors.read_text() == '{"users": {"nobody@pbs": {"totp": []}}}'
    assert send(site, "admin", "PUT", f"{NOBODY}/unlock-tfa").data is False


def test_one_built_in_realm_is_the_default(site: Site) -> None:
    realms = "/api2/json/config/access"
    assert send(site, "admin", "PUT", f"{realms}/pbs", default=1, comment="ours").data is None
    listed = {item["realm"]: item for item in site.call("GET", f"{API}/domains").data}
    assert listed["pbs"] == {"realm": "pbs", "type": "pbs", "comment": "ours", "default": True}
    assert "default" not in listed["pam"]
    assert send(site, "admin", "PUT", f"{realms}/pbs", delete=["comment", "default"]).data is None
    assert send(site, "admin", "GET", f"{realms}/pbs").data == {"realm": "pbs", "type": "pbs"}
    assert status_text(send(site, "nobody", "PUT", f"{realms}/pbs", comment="x")) == DENIED


def test_a_password_is_not_guessed_without_end(site: Site) -> None:
    for _ in range(10):
        assert log_in(site, "nobody@pbs", "wrong") == 401
    answer = site.call("POST", f"{API}/ticket", {"username": "nobody@pbs", "password": PASSWORDS["nobody"]})
    text = "too many failed logins - try again in 300 seconds"
    assert status_text(answer) == (429, text)
    assert site.slept == [3.0] * 11
    assert site.auth_log[-1].endswith(f"authentication failure; rhost=127.0.0.1:4711 user=nobody@pbs msg={text}")
    assert log_in(site, "admin@pbs", PASSWORDS["admin"]) == 200
    site.now += 300
    assert log_in(site, "nobody@pbs", PASSWORDS["nobody"]) == 200


def test_nor_where_it_confirms_a_change(site: Site) -> None:
    fields = {"userid": "nobody@pbs", "password": "Brand-new-1", "confirmation-password": "wrong"}
    headers = site.login("nobody")
    for _ in range(10):
        assert site.call("PUT", f"{API}/password", fields, headers=headers).status == 401
    fields["confirmation-password"] = PASSWORDS["nobody"]
    assert site.call("PUT", f"{API}/password", fields, headers=headers).status == 429
