"""Tickets and CSRF tokens against the vectors of auth.md 3."""

from urllib.parse import quote, unquote

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pbstore.access.csrf import check_csrf_token, issue_csrf_token
from pbstore.access.tickets import check_ticket, issue_ticket, open_ticket, seal_ticket, ticket_info
from pbstore.config.auth_key import AuthKey
from pbstore.errors import AuthenticationError
from pbstore.model.auth_id import UserId

KEY = AuthKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
CSRF_KEY = bytes(range(64))
NOW = 0x6553F100
ROOT = UserId("root", "pam")
API_TICKET = (
    "PBS:root@pam:6553F100::z4IuDcJZOu6iFlRB40xNU9er/WBOekKM1q4hJDF0oplDzQmVSNZOkfKp8CazlBSWHdvU9xxqImA7jpmxqvmkAA"
)
TERMINAL_TICKET = (
    "PBSTERM::6553F100::GWc+65/J+LhP0Tytc84YeDFPHoZuPtQSrG/cL9xLSy/+chfN8rXVV6vrdDIJrynUURbRLV+jjAmtNrX04wOTCg"
)
CSRF_TOKEN = "6553F100:wQL8fNJW6E1x+xRKAz2Gtk3rioadFWzZNL85SQO/+do"


def test_vectors() -> None:
    assert issue_ticket(KEY, ROOT, NOW) == API_TICKET
    assert check_ticket(KEY, API_TICKET, NOW) == ROOT
    assert seal_ticket(KEY, "PBSTERM", "", NOW, aad="root@pam/system5900") == TERMINAL_TICKET
    assert open_ticket(KEY, TERMINAL_TICKET, "PBSTERM", NOW, aad="root@pam/system5900") == ""
    assert issue_csrf_token(CSRF_KEY, ROOT, NOW) == CSRF_TOKEN
    check_csrf_token(CSRF_KEY, CSRF_TOKEN, ROOT, NOW)


def test_the_word_instead_of_the_signature_is_no_ticket() -> None:
    info = ticket_info(API_TICKET)
    assert info == "PBS:root@pam:6553F100::ticketinfo"
    with pytest.raises(AuthenticationError):
        check_ticket(KEY, info, NOW)


@pytest.mark.parametrize("age", [-300, 0, 7200])
def test_ages_that_count(age: int) -> None:
    check_ticket(KEY, API_TICKET, NOW + age)
    check_csrf_token(CSRF_KEY, CSRF_TOKEN, ROOT, NOW + age)


@pytest.mark.parametrize("age", [-301, 7201])
def test_ages_that_do_not(age: int) -> None:
    with pytest.raises(AuthenticationError):
        check_ticket(KEY, API_TICKET, NOW + age)
    with pytest.raises(AuthenticationError):
        check_csrf_token(CSRF_KEY, CSRF_TOKEN, ROOT, NOW + age)


def test_an_unfinished_two_factor_login_is_no_login() -> None:
    with pytest.raises(AuthenticationError, match="two-factor"):
        check_ticket(KEY, seal_ticket(KEY, "PBS", '!tfa!{"totp":true}', NOW), NOW)
    with pytest.raises(AuthenticationError):
        check_ticket(KEY, seal_ticket(KEY, "PBS", "root@pam", NOW, aad="root@pam"), NOW)


def test_terminal_tickets_are_no_logins() -> None:
    with pytest.raises(AuthenticationError):
        check_ticket(KEY, TERMINAL_TICKET, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PBS",
        ":::",
        "PBS:root@pam:6553F100",
        "PBS:root@pam:6553F100:" + API_TICKET.rpartition("::")[2],
        API_TICKET[:-3] + "BAA",
        API_TICKET.replace("root", "rook"),
        API_TICKET.replace("6553F100", "6553F101"),
        API_TICKET.replace("6553F100", "-6553F100"),
        API_TICKET.replace("z4Iu", "z4ïu"),
        "PBS:root@pam:6553F100::",
        "PBS:\ud800:6553F100::AAAA",
        "PBS:" + "x" * 100000,
    ],
)
def test_forged_tickets(text: str) -> None:
    with pytest.raises(AuthenticationError):
        check_ticket(KEY, text, NOW)


def test_another_key() -> None:
    other = AuthKey(Ed25519PrivateKey.generate())
    with pytest.raises(AuthenticationError):
        check_ticket(other, API_TICKET, NOW)


def test_rsa_keys() -> None:
    key = AuthKey(rsa.generate_private_key(65537, 2048))
    assert check_ticket(key, issue_ticket(key, ROOT, NOW), NOW) == ROOT
    with pytest.raises(AuthenticationError):
        check_ticket(key, API_TICKET, NOW)


@pytest.mark.parametrize("name", ["jörg", "a%41", "a%", "50%25", "a#b?{c}", "日本"])
def test_a_name_of_any_kind_is_known_again(name: str) -> None:
    """Whether a cookie came as it was set, or was decoded or encoded on its way; and never as another name."""
    user = UserId(name, "pbs")
    ticket = issue_ticket(KEY, user, NOW)
    for text in (ticket, unquote(ticket), unquote(quote(ticket, safe="%:"))):
        assert check_ticket(KEY, text, NOW) == user


def test_a_name_is_not_decoded_into_another() -> None:
    """`%` counts as itself, too: else who may choose a name could choose whom it is read as."""
    ticket = issue_ticket(KEY, UserId("a%41", "pbs"), NOW)
    assert ticket.startswith("PBS:a%2541@pbs:")
    with pytest.raises(AuthenticationError):
        check_ticket(KEY, ticket.replace("%2541", "A"), NOW)


@given(st.text(max_size=50), st.none() | st.text(max_size=20))
def test_any_data_round_trips(data: str, aad: str | None) -> None:
    ticket = seal_ticket(KEY, "PBS", data, NOW, aad=aad)
    assert open_ticket(KEY, ticket, "PBS", NOW, aad=aad) == data
    assert ticket.count(":") == 4
    assert ticket.isascii()


@given(st.text(max_size=200))
def test_any_text_is_refused_as_ticket_and_token(text: str) -> None:
    with pytest.raises(AuthenticationError):
        check_ticket(KEY, text, NOW)
    with pytest.raises(AuthenticationError):
        check_csrf_token(CSRF_KEY, text, ROOT, NOW)


@pytest.mark.parametrize(
    ("key", "user"), [(bytes(64), ROOT), (CSRF_KEY, UserId("root", "pbs"))], ids=["other key", "other user"]
)
def test_csrf_tokens_of_others(key: bytes, user: UserId) -> None:
    with pytest.raises(AuthenticationError):
        check_csrf_token(key, CSRF_TOKEN, user, NOW)
