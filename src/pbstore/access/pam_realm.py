"""Passwords of the realm `pam`: those of the system's users, checked by a helper that is root (auth.md 2)."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, Protocol

from pbstore.errors import AuthenticationError

REALM = "pam"
FAILURE_SECONDS = 1.0
"""What a refusal takes at least: longer than any way through the system's own modules, which differ in time."""


class PamHelper(Protocol):
    """Asks PAM; raises AuthenticationError for a refusal, OSError when it cannot ask.

    A new password that is not good enough is a PbstoreError.
    """

    def authenticate(self, user: str, password: str, address: str) -> None:
        """Check a password; `address` is where the user comes from."""

    def change_password(self, user: str, new_password: str, *, authority: str, password: str, address: str) -> None:
        """Set a password, which `authority` confirms with the own one."""


class PamRealm:
    """The realm, with the helper or, when the server was not started as root, without one."""

    def __init__(
        self,
        helper: PamHelper | None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ):
        self._helper = helper
        self._sleep = sleep
        self._monotonic = monotonic

    def check_password(self, user_name: str, password: str, address: str) -> None:
        """Return if it is the password of a system's user whose account may be used.

        Raises:
            AuthenticationError: it is not, or nobody can tell.
        """
        with self._slow_refusal():
            if not password:
                raise AuthenticationError("invalid credentials")
            self._required_helper().authenticate(user_name, password, address)

    def refuse(self) -> NoReturn:
        """Refuse somebody who is not let in whatever the password is, without asking the system for one."""
        self._sleep(FAILURE_SECONDS)
        raise AuthenticationError("invalid credentials")

    def change_password(
        self, user_name: str, new_password: str, *, authority: str, password: str, address: str
    ) -> None:
        """Set the password of a system's user; `authority`, that user or `root`, confirms it with the own one.

        Raises:
            AuthenticationError: the confirmation is refused, or nobody can ask.
            PbstoreError: the new password is not good enough for the system.
        """
        with self._slow_refusal():
            helper = self._required_helper()
            helper.change_password(user_name, new_password, authority=authority, password=password, address=address)

    def _required_helper(self) -> PamHelper:
        if self._helper is None:
            raise AuthenticationError("realm 'pam' needs the root helper: start the server as root")
        return self._helper

    @contextmanager
    def _slow_refusal(self) -> Iterator[None]:
        started = self._monotonic()
        try:
            yield
        except (AuthenticationError, OSError) as error:
            self._sleep(max(0.0, started + FAILURE_SECONDS - self._monotonic()))
            if isinstance(error, OSError):
                raise AuthenticationError(error.strerror or "the root helper of the server failed") from None
            raise
