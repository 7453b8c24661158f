"""Hashes of secrets as crypt(3) makes them, by the system's libcrypt (auth.md 2)."""

import ctypes
import ctypes.util
import hmac
import os
import secrets
import threading
from functools import cache

from pbstore.errors import ConfigError

MAX_SECRET_BYTES = 1024
_PREFIX = b"$y$"
_COST = 5
_SALT_BYTES = 32
_WORK_BYTES = 32768
"""Size of libxcrypt's `struct crypt_data` (crypt(3))."""
_TURNS = threading.BoundedSemaphore(min(max((os.cpu_count() or 1) // 2, 1), 4))
"""A yescrypt hash takes 16 MiB and a core for its time, and anybody may ask for one by guessing a password."""


def hash_secret(secret: str) -> str:
    """Return a new yescrypt hash, cost 5, with a random salt.

    Raises:
        ConfigError: the system's libcrypt has no yescrypt.
    """
    library = _library()
    setting = ctypes.create_string_buffer(192)
    salt = secrets.token_bytes(_SALT_BYTES)
    if not library.crypt_gensalt_rn(_PREFIX, _COST, salt, len(salt), setting, len(setting)):
        raise ConfigError("the system's libcrypt cannot make yescrypt hashes: libxcrypt 4.4 or newer is needed")
    result = _crypt(secret, setting.value)
    if result is None:
        raise ConfigError("the system's libcrypt cannot hash this secret")
    return result


def verify_secret(secret: str, stored: str | None) -> bool:
    """Return whether `secret` has this hash, of any format that libcrypt knows.

    Without a hash the same work is done, so that the time does not tell whether there is one.
    """
    # A damaged file may have halves of characters in a hash.
    setting = (_nobody() if stored is None else stored).encode("utf-8", "surrogatepass")
    result = _crypt(secret, setting)
    equal = hmac.compare_digest((result or "").encode(), b"" if stored is None else setting)
    return equal and stored is not None and result is not None


def is_outdated(stored: str) -> bool:
    """Whether a hash should be made anew at the next chance."""
    return not stored.startswith(_PREFIX.decode())


@cache
def _nobody() -> str:
    """A hash that nobody has, to compare with when there is none."""
    return hash_secret(secrets.token_hex())


def _crypt(secret: str, setting: bytes) -> str | None:
    plain = secret.encode("utf-8", "surrogatepass")
    if b"\0" in plain or len(plain) > MAX_SECRET_BYTES:
        return None
    data = ctypes.create_string_buffer(_WORK_BYTES)
    with _TURNS:
        result = _library().crypt_rn(plain, setting, data, len(data))
    if not result or result.startswith(b"*"):
        return None
    return bytes(result).decode("ascii", "replace")


@cache
def _library() -> ctypes.CDLL:
    # Calls through CDLL release the interpreter lock: hashes of several logins run beside each other.
    try:
        library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1", use_errno=True)
        functions = library.crypt_rn, library.crypt_gensalt_rn
    except (OSError, AttributeError):
        raise ConfigError("libcrypt (libxcrypt) is needed for passwords and is missing on this system") from None
    crypt_rn, gensalt = functions
    crypt_rn.restype = gensalt.restype = ctypes.c_char_p
    crypt_rn.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int]
    gensalt.argtypes = [
        ctypes.c_char_p,
        ctypes.c_ulong,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
    ]
    return library
