"""CSRF prevention tokens: what a browser must send along with its cookie (auth.md 3.2)."""

import base64
import hashlib
import hmac
import re

from pbstore.access.tickets import MAX_AGE_SECONDS, MIN_AGE_SECONDS
from pbstore.errors import AuthenticationError
from pbstore.model.auth_id import UserId

_TOKEN = re.compile(r"([0-9A-Fa-f]{8,16}):([A-Za-z0-9+/]{1,128})={0,2}")


def issue_csrf_token(key: bytes, user: UserId, now: float) -> str:
    """Return a token for `user`."""
    time_text = f"{int(now):08X}"
    return f"{time_text}:{_unpadded(_mac(key, time_text, user))}"


def check_csrf_token(key: bytes, token: str, user: UserId, now: float) -> None:
    """Return if the token was made for `user`, less than two hours ago.

    Raises:
        AuthenticationError: it was not.
    """
    match = _TOKEN.fullmatch(token)
    if not match:
        raise AuthenticationError("CSRF prevention token malformed")
    time_text, signature = match.groups()
    legacy = hashlib.sha256(f"{time_text}:{user}:".encode() + key).digest()
    accepted = [_unpadded(_mac(key, time_text, user)), _unpadded(legacy)]
    if not any(hmac.compare_digest(signature, good) for good in accepted):
        raise AuthenticationError("invalid CSRF prevention token")
    age = int(now) - int(time_text, 16)
    if not MIN_AGE_SECONDS <= age <= MAX_AGE_SECONDS:
        raise AuthenticationError("invalid CSRF prevention token - timestamp out of range")


def _mac(key: bytes, time_text: str, user: UserId) -> bytes:
    return hmac.new(key, f"{time_text}:{user}:".encode(), hashlib.sha3_256).digest()


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()
