"""Asking the system's PAM. Only the helper's short-lived processes import this: modules of PAM run in them."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import pamela

from pbstore.errors import AuthenticationError, PbstoreError

SERVICE = "proxmox-backup-auth"
"""Without a file of that name below `/etc/pam.d` PAM takes the service `other`."""
_DISALLOW_NULL_AUTHTOK = 1
_FAIL_DELAY = 10
_ENCODING = "utf-8"


def _keep_going(status: int, microseconds: int, data: object) -> None:
    """Called by PAM where it would wait after a failure: the server does, for as long whatever the reason."""


_no_delay = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)(_keep_going)


def authenticate(user: str, password: str, address: str) -> None:
    """Return if it is the user's password, and the account may be used.

    Raises:
        AuthenticationError: it is not, with PAM's own reason, or PAM cannot say.
    """
    with _transaction(user, [password], address) as handle:
        _check(handle, pamela.PAM_AUTHENTICATE(handle, _DISALLOW_NULL_AUTHTOK))
        _check(handle, pamela.PAM_ACCT_MGMT(handle, _DISALLOW_NULL_AUTHTOK))


def change_password(user: str, password: str, address: str) -> None:
    """Set the user's password; PAM's modules may refuse a bad one.

    Raises:
        PbstoreError: it is refused, with PAM's own reason.
    """
    # It is asked for twice.
    with _transaction(user, [password, password], address) as handle:
        status = pamela.PAM_CHAUTHTOK(handle, 0)
        if status != pamela.PAM_SUCCESS:
            raise PbstoreError(f"the new password is not accepted: {_reason(handle, status)}")


@contextmanager
def _transaction(user: str, answers: list[str], address: str) -> Iterator[pamela.PamHandle]:
    """Yield a handle whose questions without echo get these answers; the conversation must live as long as it."""
    conversation = pamela.new_simple_password_conv(answers, _ENCODING)
    try:
        handle = pamela.pam_start(SERVICE, user, conv_func=conversation, encoding=_ENCODING)
    except pamela.PAMError as error:
        raise AuthenticationError(f"PAM cannot be used: {error}") from None
    try:
        handle.set_item(pamela.PAM_RHOST, address)
        pamela.PAM_SET_ITEM(handle, _FAIL_DELAY, ctypes.cast(_no_delay, ctypes.c_char_p))
        yield handle
    finally:
        pamela.PAM_END(handle, 0)


def _check(handle: pamela.PamHandle, status: int) -> None:
    if status != pamela.PAM_SUCCESS:
        raise AuthenticationError(_reason(handle, status))


def _reason(handle: pamela.PamHandle, status: int) -> str:
    text: bytes = pamela.PAM_STRERROR(handle, status)
    return text.decode(_ENCODING, "replace")
