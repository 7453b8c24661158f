"""Keys under a password (keys.md 1)."""

import hashlib
from base64 import b64decode, b64encode
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

MAX_SCRYPT_BYTES = 1025 << 20


def derived_key(kdf: dict[str, Any], password: str) -> bytes:
    """What the password becomes."""
    ((name, parameters),) = kdf.items()
    salt = b64decode(parameters["salt"])
    if name == "PBKDF2":
        return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, parameters["iter"], 32)
    n, r, p = parameters["n"], parameters["r"], parameters["p"]
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=MAX_SCRYPT_BYTES, dklen=32)


def protect(key: bytes, kdf: dict[str, Any], password: str, iv: bytes) -> str:
    """The `data` of a protected key."""
    encryptor = Cipher(AES(derived_key(kdf, password)), GCM(iv)).encryptor()
    ciphertext = encryptor.update(key) + encryptor.finalize()
    return b64encode(iv + encryptor.tag + ciphertext).decode()


def unprotect(data: str, kdf: dict[str, Any], password: str) -> bytes:
    """The key."""
    raw = b64decode(data)
    decryptor = Cipher(AES(derived_key(kdf, password)), GCM(raw[:16], raw[16:32])).decryptor()
    return decryptor.update(raw[32:]) + decryptor.finalize()
