"""What the realm `pam` makes of its helper's answers; the helper itself is tried in `e2e/test_pam_realm.py`."""

import errno
from collections.abc import Callable

import pytest

from pbstore.access.pam_realm import FAILURE_SECONDS, PamRealm
from pbstore.errors import AuthenticationError, PbstoreError


class Helper:
    """Takes some time, then answers with what it is given."""

    def __init__(self, answer: Exception | None = None, seconds: float = 0.0):
        self.answer = answer
        self.seconds = seconds
        self.now = 100.0
        self.asked: list[tuple[str, ...]] = []

    def authenticate(self, user: str, password: str, address: str) -> None:
        self._reply(user, password, address)

    def change_password(self, user: str, new_password: str, *, authority: str, password: str, address: str) -> None:
        self._reply(user, new_password, authority, password, address)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def _reply(self, *asked: str) -> None:
        self.asked.append(asked)
        self.now += self.seconds
        if self.answer is not None:
            raise self.answer

    def realm(self) -> PamRealm:
        return PamRealm(self, sleep=self.sleep, monotonic=lambda: self.now)


def login(realm: PamRealm) -> None:
    realm.check_password("anna", "secret", "192.0.2.1")


def empty(realm: PamRealm) -> None:
    realm.check_password("anna", "", "192.0.2.1")


def change(realm: PamRealm) -> None:
    realm.change_password("anna", "new", authority="root", password="secret", address="192.0.2.1")


def unknown(realm: PamRealm) -> None:
    realm.refuse()


@pytest.mark.parametrize("call", [login, empty, change, unknown])
@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.9])
def test_every_refusal_takes_as_long(call: Callable[[PamRealm], None], seconds: float) -> None:
    helper = Helper(AuthenticationError("Authentication failure"), seconds)
    with pytest.raises(AuthenticationError):
        call(helper.realm())
    assert helper.now == pytest.approx(100 + FAILURE_SECONDS)


def test_who_is_no_user_here_is_not_asked_for() -> None:
    helper = Helper()
    for call in (unknown, empty):
        with pytest.raises(AuthenticationError, match="invalid credentials"):
            call(helper.realm())
    assert helper.asked == []


def test_what_is_asked() -> None:
    helper = Helper()
    login(helper.realm())
    change(helper.realm())
    assert helper.asked == [("anna", "secret", "192.0.2.1"), ("anna", "new", "root", "secret", "192.0.2.1")]
    assert helper.now == 100.0


def test_without_an_answer_nobody_is_let_in() -> None:
    helper = Helper(OSError(errno.EPIPE, "the root helper of the server has ended: restart the server"))
    with pytest.raises(AuthenticationError, match="restart the server"):
        login(helper.realm())
    with pytest.raises(AuthenticationError, match="start the server as root"):
        login(PamRealm(None, sleep=helper.sleep))


def test_a_password_that_is_not_good_enough_is_no_failed_login() -> None:
    with pytest.raises(PbstoreError, match="too short") as caught:
        change(Helper(PbstoreError("too short")).realm())
    assert not isinstance(caught.value, AuthenticationError)
