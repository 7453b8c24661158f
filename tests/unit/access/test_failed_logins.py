"""Limits on failed logins: who waits, for how long, and who does not."""

from dataclasses import dataclass, field

import pytest

from pbstore.access.failed_logins import (
    MAX_FROM_ONE_ADDRESS,
    MAX_OF_ONE_USER,
    MAX_OF_ONE_USER_FROM_ONE_ADDRESS,
    MAX_TRACKED,
    WINDOW_SECONDS,
    FailedLogins,
    network_of,
)
from pbstore.errors import AuthenticationError, ConfigError, TooManyFailuresError
from pbstore.model.auth_id import UserId

ANN = UserId("ann", "pbs")
BOB = UserId("bob", "pbs")
HERE = "192.0.2.1:4711"
THERE = "192.0.2.2:4711"


@dataclass
class Door:
    now: float = 1_000_000.0
    limits: FailedLogins = field(init=False)

    def __post_init__(self) -> None:
        self.limits = FailedLogins(lambda: self.now)

    def fail(self, peer: str, user: UserId, times: int = 1) -> None:
        for _ in range(times):
            with pytest.raises(AuthenticationError), self.limits.attempt(peer, user):
                raise AuthenticationError("invalid credentials")

    def is_open(self, peer: str, user: UserId) -> bool:
        try:
            with self.limits.attempt(peer, user):
                # Neither success nor failure: nothing is counted and nothing forgotten.
                raise ConfigError("unreadable")
        except ConfigError:
            return True
        except TooManyFailuresError:
            return False


@pytest.fixture
def door() -> Door:
    return Door()


def test_an_address_waits_after_failing_as_one_user(door: Door) -> None:
    door.fail(HERE, ANN, MAX_OF_ONE_USER_FROM_ONE_ADDRESS)
    text = "too many failed logins - try again in 300 seconds"
    with pytest.raises(TooManyFailuresError, match=text), door.limits.attempt(HERE, ANN):
        raise AssertionError("entered")
    assert door.is_open(HERE, BOB)
    assert door.is_open(THERE, ANN)
    door.now += WINDOW_SECONDS
    assert door.is_open(HERE, ANN)


def test_the_window_slides(door: Door) -> None:
    door.fail(HERE, ANN, MAX_OF_ONE_USER_FROM_ONE_ADDRESS - 1)
    door.now += WINDOW_SECONDS - 1
    door.fail(HERE, ANN)
    assert not door.is_open(HERE, ANN)
    door.now += 1
    assert door.is_open(HERE, ANN)


def test_refused_attempts_do_not_prolong_the_wait(door: Door) -> None:
    door.fail(HERE, ANN, MAX_OF_ONE_USER_FROM_ONE_ADDRESS)
    door.now += WINDOW_SECONDS - 1
    assert not any(door.is_open(HERE, ANN) for _ in range(100))
    door.now += 1
    assert door.is_open(HERE, ANN)


def test_an_address_waits_after_failing_as_many_users(door: Door) -> None:
    for number in range(MAX_FROM_ONE_ADDRESS):
        door.fail(HERE, UserId(f"guess{number}", "pbs"))
    assert not door.is_open(HERE, ANN)
    assert door.is_open(THERE, ANN)


def test_one_wrong_configuration_does_not_stop_an_address(door: Door) -> None:
    for _ in range(100):
        if door.is_open(HERE, ANN):
            door.fail(HERE, ANN)
        door.now += 10
        assert door.is_open(HERE, BOB)


def test_a_user_under_attack_gets_in_from_where_nobody_failed(door: Door) -> None:
    for number in range(MAX_OF_ONE_USER):
        door.fail(f"10.0.0.{number}:1", ANN)
    assert not any(door.is_open(f"10.0.0.{number}:2", ANN) for number in range(MAX_OF_ONE_USER))
    assert door.is_open(HERE, ANN)
    with door.limits.attempt(HERE, ANN):
        pass
    assert door.is_open(HERE, ANN)
    assert door.is_open("10.0.0.1:2", BOB)


def test_a_success_forgives_the_own_failures_only(door: Door) -> None:
    for number in range(MAX_FROM_ONE_ADDRESS):
        door.fail(HERE, UserId(f"guess{number}", "pbs"))
        if number % 5 == 0 and number < MAX_FROM_ONE_ADDRESS - 1:
            with door.limits.attempt(HERE, BOB):
                pass
    assert not door.is_open(HERE, ANN), "an account of one's own does not buy more guesses"
    door.fail(THERE, ANN, MAX_OF_ONE_USER_FROM_ONE_ADDRESS - 1)
    with door.limits.attempt(THERE, ANN):
        pass
    door.fail(THERE, ANN)
    assert door.is_open(THERE, ANN)


def test_a_clock_that_is_set_back_locks_nobody_out(door: Door) -> None:
    door.fail(HERE, ANN, MAX_OF_ONE_USER_FROM_ONE_ADDRESS)
    door.now -= 86400
    assert door.is_open(HERE, ANN)


def test_memory_is_bounded(door: Door) -> None:
    for number in range(MAX_TRACKED + 500):
        door.fail(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}:1", UserId(f"guess{number}", "pbs"))
    assert door.limits.tracked_count == 3 * MAX_TRACKED


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:4711", "192.0.2.1"),
        ("[2001:db8::1:2:3:4]:4711", "2001:db8::/64"),
        ("[2001:db8::9]:1", "2001:db8::/64"),
        ("[fe80::1%eth0]:1", "fe80::/64"),
        ("local:0", "local"),
    ],
)
def test_what_counts_as_one_address(peer: str, network: str) -> None:
    assert network_of(peer) == network
