"""User and token ids, owner rule, fingerprints (auth.md 1, manifest.md 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbstore.errors import FormatError
from pbstore.model.auth_id import AuthId, UserId
from pbstore.model.fingerprint import Fingerprint

names = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters=":/"), min_size=1, max_size=20)
words = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._\-]{1,10}", fullmatch=True)


@given(names, words, st.none() | words)
def test_round_trip(name: str, realm: str, token_name: str | None) -> None:
    auth_id = AuthId(UserId(name, realm), token_name)
    if len(str(auth_id)) <= 64:
        assert AuthId.parse(str(auth_id)) == auth_id


def test_the_last_at_counts_and_a_bang_only_behind_it() -> None:
    auth_id = AuthId.parse("a!b@c@pbs!tok")
    assert (auth_id.user.name, auth_id.user.realm, auth_id.token_name) == ("a!b@c", "pbs", "tok")


@pytest.mark.parametrize(
    "text",
    ["root", "@pam", "root@", "a b@pbs", "a:b@pbs", "a/b@pbs", "a@pbs!", "a@pbs!t:x", "a@p", "a\n@pbs", "x" * 70],
)
def test_refused(text: str) -> None:
    with pytest.raises(FormatError):
        AuthId.parse(text)


def test_only_root_itself_is_superuser() -> None:
    assert AuthId.parse("root@pam").is_superuser
    assert not AuthId.parse("root@pam!tok").is_superuser
    assert not AuthId.parse("root@pbs").is_superuser


@pytest.mark.parametrize(
    ("caller", "owner", "expected"),
    [
        ("a@pbs", "a@pbs", True),
        ("a@pbs", "a@pbs!t", True),
        ("a@pbs!t", "a@pbs!t", True),
        ("a@pbs!t", "a@pbs", False),
        ("a@pbs!t", "a@pbs!u", False),
        ("b@pbs", "a@pbs!t", False),
    ],
)
def test_owner_rule(caller: str, owner: str, expected: bool) -> None:
    assert AuthId.parse(caller).owns(AuthId.parse(owner)) is expected


@given(st.binary(min_size=32, max_size=32))
def test_fingerprint_round_trip(value: bytes) -> None:
    fingerprint = Fingerprint(value)
    assert Fingerprint.parse(str(fingerprint)) == Fingerprint.parse(str(fingerprint).upper()) == fingerprint
    assert str(fingerprint).startswith(fingerprint.short_id)


@pytest.mark.parametrize(
    "text", ["", "00", "0" * 64, ":".join(["00"] * 31), ":".join(["00"] * 33), ":".join(["0g"] * 32)]
)
def test_refused_fingerprints(text: str) -> None:
    with pytest.raises(FormatError):
        Fingerprint.parse(text)
