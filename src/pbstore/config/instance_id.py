"""The id that tells this installation from others, whatever its address (version-4.md 13.2)."""

import hashlib
import hmac
import re

from pbstore.config.roots import Roots
from pbstore.errors import ConfigError

# The application's part of the id, as the bytes that are hashed.
_APPLICATION = bytes.fromhex("92ee4eecf469dc84c848f32e71f6f94c")
_MACHINE_ID = re.compile(rb"[0-9a-f]{32}")


def instance_id(roots: Roots) -> str:
    """32 hex digits, made of the machine's id as systemd makes ids of applications.

    Below a directory without `etc/machine-id` it is made of the public key of the server's tickets: several servers on
    one machine are different ones.

    Raises:
        ConfigError: there is neither.
    """
    try:
        text = (roots.base / "etc" / "machine-id").read_bytes().strip()
    except OSError:
        text = b""
    if _MACHINE_ID.fullmatch(text):
        return _derived(bytes.fromhex(text.decode()))
    public_key = roots.config_dir / "authkey.pub"
    try:
        return _derived(hashlib.sha256(public_key.read_bytes()).digest()[:16])
    except OSError as error:
        raise ConfigError(f"cannot read {public_key}: {error.strerror}") from None


def _derived(secret: bytes) -> str:
    digest = bytearray(hmac.new(secret, _APPLICATION, hashlib.sha256).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x40
    digest[8] = digest[8] & 0x3F | 0x80
    return digest.hex()
