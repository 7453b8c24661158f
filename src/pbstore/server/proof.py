"""Where a user proves who it is: limited, logged, and answered without the reason (auth.md 4 and 5)."""

from collections.abc import Iterator
from contextlib import contextmanager

from pbstore.api.method import Call
from pbstore.errors import AuthenticationError, TooManyFailuresError
from pbstore.model.auth_id import UserId
from pbstore.server.registry import Registry


@contextmanager
def proof_of(call: Call[Registry], user: UserId) -> Iterator[None]:
    """Check a password or ticket of `user` within a `with` block; its `AuthenticationError` is for the log only.

    Raises:
        AuthenticationError: the proof failed; the text does not say why.
        TooManyFailuresError: it was not looked at.
    """
    try:
        with call.state.failed_logins.attempt(call.peer, user):
            yield
    except TooManyFailuresError as error:
        call.state.auth_log.failure(call.peer, str(error), str(user))
        raise
    except AuthenticationError as error:
        call.state.auth_log.failure(call.peer, str(error), str(user))
        raise AuthenticationError("permission check failed.") from None
