"""Digests, key names and tags (blobs-and-chunks.md 2)."""

import hashlib
import hmac

FINGERPRINT_INPUT = hashlib.sha256(b"Proxmox Backup Encryption Key Fingerprint").digest()


def id_key(key: bytes) -> bytes:
    """What stands for the key wherever the key itself must not appear."""
    return hashlib.pbkdf2_hmac("sha256", key, b"_id_key", 10, 32)


def chunk_digest(data: bytes, key: bytes | None = None) -> bytes:
    """The address of a chunk."""
    return hashlib.sha256(data if key is None else data + id_key(key)).digest()


def fingerprint(key: bytes) -> bytes:
    """The public name of a key."""
    return hashlib.sha256(FINGERPRINT_INPUT + id_key(key)).digest()


def fingerprint_text(key: bytes) -> str:
    """Pairs of hex digits with colons between them."""
    return ":".join(f"{byte:02x}" for byte in fingerprint(key))


def auth_tag(key: bytes, message: bytes) -> bytes:
    """The signature of a manifest's text."""
    return hmac.new(id_key(key), message, hashlib.sha256).digest()
