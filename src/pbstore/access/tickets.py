"""Tickets: signed proof of a login, valid for two hours (auth.md 3.1)."""

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import unquote_to_bytes

from pbstore.config.auth_key import AuthKey
from pbstore.errors import AuthenticationError, FormatError
from pbstore.model.auth_id import UserId

API_PREFIX = "PBS"
TERMINAL_PREFIX = "PBSTERM"
TFA_MARK = "!tfa!"
MIN_AGE_SECONDS = -300
MAX_AGE_SECONDS = 7200
MAX_LENGTH = 16 << 10
_TIME = re.compile(r"[0-9A-Fa-f]{8,16}")
_INVALID = "invalid ticket"


def issue_ticket(key: AuthKey, user: UserId, now: float) -> str:
    """Return a ticket that proves a login of `user`."""
    return seal_ticket(key, API_PREFIX, str(user), now)


def check_ticket(key: AuthKey, text: str, now: float) -> UserId:
    """Return the user whose login the ticket proves.

    Raises:
        AuthenticationError: forged, too old, from the future, or not that of a finished login.
    """
    data = open_ticket(key, text, API_PREFIX, now)
    if data.startswith(TFA_MARK):
        raise AuthenticationError("a ticket of an unfinished two-factor login")
    try:
        return UserId.parse(data)
    except FormatError:
        raise AuthenticationError(_INVALID) from None


def is_ticket(text: str) -> bool:
    """Whether a password looks like a ticket of a login."""
    return text.startswith(f"{API_PREFIX}:")


def ticket_info(ticket: str) -> str:
    """Return the ticket with its signature replaced by a word, for browsers that never see the real one."""
    return ticket.rpartition("::")[0] + "::ticketinfo"


def seal_ticket(key: AuthKey, prefix: str, data: str, now: float, *, aad: str | None = None) -> str:
    """Return a signed ticket; `aad` is signed with it but not in it."""
    plain = f"{_escape(prefix)}:{_escape(data)}:{int(now):08X}"
    signature = base64.b64encode(key.sign(_signed(plain, aad))).rstrip(b"=").decode()
    return f"{plain}::{signature}"


def open_ticket(
    key: AuthKey,
    text: str,
    prefix: str,
    now: float,
    *,
    aad: str | None = None,
    min_age_seconds: int = MIN_AGE_SECONDS,
    max_age_seconds: int = MAX_AGE_SECONDS,
) -> str:
    """Return the data of a ticket. Its age may be anything between the bounds, bounds included.

    Raises:
        AuthenticationError: not of this prefix, forged, too old or from the future.
    """
    parts = text.split(":", 3) if len(text) <= MAX_LENGTH else []
    if len(parts) != 4 or not parts[3].startswith(":") or not _TIME.fullmatch(parts[2]) or parts[0] != _escape(prefix):
        raise AuthenticationError(_INVALID)
    signature = _decode_signature(parts[3][1:])
    for data in _readings(parts[1]):
        # The signature decides which reading is meant.
        if key.is_signature(signature, _signed(f"{parts[0]}:{_escape(data)}:{parts[2]}", aad)):
            break
    else:
        raise AuthenticationError(_INVALID)
    age = int(now) - int(parts[2], 16)
    if age < min_age_seconds:
        raise AuthenticationError("invalid ticket - timestamp newer than expected")
    if age > max_age_seconds:
        raise AuthenticationError("invalid ticket - expired")
    return data


def _readings(part: str) -> Iterator[str]:
    """Yield what the data of a ticket may be: decoded, or left as it is when the cookie was decoded before."""
    with suppress(UnicodeError):
        yield unquote_to_bytes(part).decode()
    yield part


def _signed(plain: str, aad: str | None) -> bytes:
    return (plain if aad is None else f"{plain}:{aad}").encode("utf-8", "surrogatepass")


def _decode_signature(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise AuthenticationError(_INVALID) from None


def _escape(text: str) -> str:
    """Percent-encode control characters, `:` and everything from 0x7f on; `%` too, so that no two texts look alike."""
    data = text.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if 0x20 <= byte < 0x7F and byte not in b":%" else f"%{byte:02X}" for byte in data)
