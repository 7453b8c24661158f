"""Logins, renewals and what a request proves (auth.md 3, 4)."""

import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from pbstore.access.credentials import Credentials
from pbstore.access.login import Login
from pbstore.access.pam_realm import PamRealm
from pbstore.access.passwords import check_new_password
from pbstore.access.tickets import issue_ticket, seal_ticket
from pbstore.access.token_check import TokenCheck
from pbstore.config.auth_key import AuthKey, load_or_create_auth_key
from pbstore.config.roots import Roots
from pbstore.config.shadow import ShadowFile
from pbstore.config.tfa_json import TfaFile
from pbstore.config.token_shadow import TokenShadowFile
from pbstore.config.user_cfg import UserFile
from pbstore.errors import AuthenticationError, ConfigError, ParameterError
from pbstore.model.auth_id import AuthId, UserId

NOW = 1_700_000_000
CSRF_KEY = b"k" * 64
JOHN = UserId("john", "pbs")
ADDRESS = "192.0.2.1"
TOKEN = AuthId.parse("john@pbs!t1")
USERS = """user: john@pbs

user: off@pbs
	enable false

user: old@pbs
	expire 1600000000

user: jim@ldap1

token: john@pbs!t1

token: john@pbs!off
	enable false

token: off@pbs!t1
"""


@dataclass
class Site:
    roots: Roots
    key: AuthKey
    shadow: ShadowFile
    token_shadow: TokenShadowFile
    login: Login
    credentials: Credentials


@pytest.fixture
def site(tmp_path: Path) -> Site:
    roots = Roots.below(tmp_path)
    roots.prepare()
    (roots.config_dir / "user.cfg").write_text(USERS)
    users, shadow, token_shadow = UserFile(roots), ShadowFile(roots), TokenShadowFile(roots)
    for name in ("john", "off", "old", "ghost", "jim"):
        shadow.set_password(name, "right password")
    key = load_or_create_auth_key(roots)
    pam = PamRealm(None, sleep=lambda seconds: None)
    login = Login(users, shadow, key, CSRF_KEY, lambda: NOW, TfaFile(roots), pam)
    credentials = Credentials(users, TokenCheck(token_shadow), key, CSRF_KEY, lambda: NOW)
    return Site(roots, key, shadow, token_shadow, login, credentials)


def cookie(ticket: str, name: str = "PBSAuthCookie") -> tuple[str, str]:
    return "cookie", f"other=1; {name}={quote(ticket, safe='')}"


def test_login(site: Site) -> None:
    result = site.login.login(JOHN, "right password", address=ADDRESS)
    assert result.user == JOHN
    headers = [cookie(result.ticket)]
    assert site.credentials.authenticate("GET", headers) == AuthId(JOHN)
    headers.append(("csrfpreventiontoken", result.csrf_token))
    assert site.credentials.authenticate("POST", headers) == AuthId(JOHN)


@pytest.mark.parametrize(
    ("user", "password", "reason"),
    [
        ("john@pbs", "wrong password", "invalid credentials"),
        ("john@pbs", "", "invalid credentials"),
        ("ghost@pbs", "right password", "user account disabled or expired."),
        ("nobody@pbs", "x", "user account disabled or expired."),
        ("off@pbs", "right password", "user account disabled or expired."),
        ("old@pbs", "right password", "user account disabled or expired."),
        ("jim@ldap1", "right password", "realm 'ldap1' is not available on this server"),
        ("root@pam", "x", "realm 'pam' needs the root helper: start the server as root"),
        ("jack@pam", "x", "user account disabled or expired."),
    ],
)
def test_refused_logins(site: Site, user: str, password: str, reason: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        site.login.login(UserId.parse(user), password, address=ADDRESS)
    assert str(caught.value) == reason


def test_the_time_does_not_tell_who_exists(site: Site) -> None:
    def seconds(user: str) -> float:
        started = time.thread_time()
        with pytest.raises(AuthenticationError):
            site.login.login(UserId.parse(user), "wrong password", address=ADDRESS)
        return time.thread_time() - started

    seconds("nobody@pbs")
    known = min(seconds("john@pbs") for _ in range(5))
    for user in ("nobody@pbs", "off@pbs", "x@elsewhere"):
        assert min(seconds(user) for _ in range(5)) > known / 3


def test_renewal_with_a_ticket_instead_of_the_password(site: Site) -> None:
    ticket = issue_ticket(site.key, JOHN, NOW - 3600)
    renewed = site.login.login(JOHN, ticket, address=ADDRESS).ticket
    assert renewed != ticket
    assert ":6553F100:" in renewed
    with pytest.raises(AuthenticationError):
        site.login.login(JOHN, ticket, allow_renewal=False, address=ADDRESS)


@pytest.mark.parametrize("user", ["off@pbs", "old@pbs", "ghost@pbs"])
def test_no_renewal_for_who_may_not_log_in(site: Site, user: str) -> None:
    with pytest.raises(AuthenticationError, match="disabled"):
        site.login.login(UserId.parse(user), issue_ticket(site.key, UserId.parse(user), NOW), address=ADDRESS)


def test_a_ticket_of_another_user_renews_nothing(site: Site) -> None:
    with pytest.raises(AuthenticationError, match="another user"):
        site.login.login(JOHN, issue_ticket(site.key, UserId("root", "pam"), NOW), address=ADDRESS)


@pytest.mark.parametrize(
    "factors",
    [
        '"totp": [{"id": "1", "enable": false}, {"id": "2"}]',
        '"webauthn": [{"id": "1", "enable": true}]',
        '"recovery": {"secret": "00", "entries": [null]}',
    ],
)
def test_second_factors_are_never_skipped(site: Site, factors: str) -> None:
    (site.roots.config_dir / "tfa.json").write_text('{"users": {"john@pbs": {' + factors + "}}}")
    with pytest.raises(AuthenticationError, match="second factors"):
        site.login.login(JOHN, "right password", address=ADDRESS)
    with pytest.raises(AuthenticationError, match="invalid credentials"):
        site.login.login(JOHN, "wrong password", address=ADDRESS)
    site.login.login(JOHN, issue_ticket(site.key, JOHN, NOW), address=ADDRESS)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '{"users": {}}',
        '{"users": {"jane@pbs": {"totp": [{"id": "1"}]}}}',
        '{"users": {"john@pbs": {"totp": [{"id": "1", "enable": false}]}}}',
    ],
)
def test_who_has_no_enabled_factor_needs_none(site: Site, content: str) -> None:
    (site.roots.config_dir / "tfa.json").write_text(content)
    site.login.login(JOHN, "right password", address=ADDRESS)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"users": 5}', '{"users": {"john@pbs": 5}}', '{"users": {"john@pbs": {"totp": 5}}}', "[" * 100000],
)
def test_damaged_factors_let_nobody_in(site: Site, content: str) -> None:
    (site.roots.config_dir / "tfa.json").write_text(content)
    with pytest.raises(ConfigError, match=r"tfa\.json"):
        site.login.login(JOHN, "right password", address=ADDRESS)


def refusal(site: Site, method: str, headers: list[tuple[str, str]]) -> str:
    with pytest.raises(AuthenticationError) as caught:
        site.credentials.authenticate(method, headers)
    return str(caught.value)


def test_no_credentials(site: Site) -> None:
    expected = "no authentication credentials provided."
    assert refusal(site, "GET", []) == expected
    assert refusal(site, "GET", [("cookie", "a=b; PBSAuthCookie"), ("authorization", "Basic xyz")]) == expected


def test_writing_with_a_ticket_needs_the_csrf_token(site: Site) -> None:
    headers = [cookie(issue_ticket(site.key, JOHN, NOW))]
    assert refusal(site, "PUT", headers) == "missing CSRF prevention token"
    assert "CSRF" in refusal(site, "DELETE", [*headers, ("csrfpreventiontoken", "invalid")])


def test_the_host_cookie_wins_over_all_cookie_headers(site: Site) -> None:
    good, bad = issue_ticket(site.key, JOHN, NOW), "PBS:x"
    assert site.credentials.authenticate("GET", [cookie(bad), cookie(good, "__Host-PBSAuthCookie")]) == AuthId(JOHN)
    assert refusal(site, "GET", [cookie(good), cookie(bad, "__Host-PBSAuthCookie")]) == "invalid ticket"


def test_a_bad_cookie_is_decisive(site: Site) -> None:
    secret = site.token_shadow.generate(TOKEN)
    token = ("authorization", f"PBSAPIToken={TOKEN}:{secret}")
    assert site.credentials.authenticate("POST", [token]) == TOKEN
    assert refusal(site, "GET", [token, cookie("PBS:x")]) == "invalid ticket"


def test_a_ticket_outlives_neither_the_user_nor_its_time(site: Site) -> None:
    assert "disabled" in refusal(site, "GET", [cookie(issue_ticket(site.key, UserId("off", "pbs"), NOW))])
    assert "expired" in refusal(site, "GET", [cookie(issue_ticket(site.key, JOHN, NOW - 7201))])
    assert "two-factor" in refusal(site, "GET", [cookie(seal_ticket(site.key, "PBS", "!tfa!{}", NOW))])


@pytest.mark.parametrize("separator", ["=", " "])
def test_tokens(site: Site, separator: str) -> None:
    secret = site.token_shadow.generate(TOKEN)
    value = f"PBSAPIToken{separator}{TOKEN}:{secret.replace('-', '%2D')}"
    assert site.credentials.authenticate("POST", [("authorization", value)]) == TOKEN


def test_refused_tokens(site: Site) -> None:
    secret = site.token_shadow.generate(TOKEN)
    site.token_shadow.set_secret(AuthId.parse("john@pbs!off"), secret)
    site.token_shadow.set_secret(AuthId.parse("off@pbs!t1"), secret)
    site.token_shadow.set_secret(AuthId.parse("john@pbs!ghost"), secret)

    def reason(value: str) -> str:
        return refusal(site, "GET", [("authorization", f"PBSAPIToken={value}")])

    assert reason(f"{TOKEN}:{secret}x") == "invalid API token secret"
    assert reason(f"{TOKEN}:") == "invalid API token secret"
    assert reason(f"{TOKEN}:\ud800") == "invalid API token secret"
    for value in ("john@pbs!off", "off@pbs!t1", "john@pbs!ghost"):
        assert "disabled or expired" in reason(f"{value}:{secret}")
    for value in (f"{TOKEN}", f"john@pbs:{secret}", f":{secret}", ""):
        assert reason(value) == "failed to parse API token"


def test_a_verified_secret_is_quick_until_the_file_changes(site: Site) -> None:
    check = TokenCheck(site.token_shadow)
    secret = site.token_shadow.generate(TOKEN)
    assert check.is_secret(TOKEN, secret)
    started = time.perf_counter()
    for _ in range(100):
        assert check.is_secret(TOKEN, secret)
    assert time.perf_counter() - started < 0.5
    assert not check.is_secret(TOKEN, secret + "x")
    site.token_shadow.generate(TOKEN)
    assert not check.is_secret(TOKEN, secret)
    site.token_shadow.remove(TOKEN)
    assert not check.is_secret(TOKEN, secret)


@pytest.mark.parametrize("password", ["12345678", "x" * 64, "pässwörd"])
def test_passwords_that_may_be_set(password: str) -> None:
    assert check_new_password(password) == password


@pytest.mark.parametrize("password", ["", "1234567", "x" * 65, "12345678\n", "1234\x005678"])
def test_passwords_that_may_not(password: str) -> None:
    with pytest.raises(ParameterError):
        check_new_password(password)
