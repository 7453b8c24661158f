"""`csrf.key`: the secret behind CSRF prevention tokens (auth.md 3.2)."""

import base64
import binascii
import secrets

from pbstore.config.atomic_file import create_file
from pbstore.config.file_kind import FileKind
from pbstore.config.roots import Roots
from pbstore.errors import ConfigError

KEY_BYTES = 64


def load_or_create_csrf_key(roots: Roots) -> bytes:
    """Return the key, made at the first start; two processes that start together end up with one key.

    Raises:
        ConfigError: it cannot be read or made.
    """
    path = roots.config_dir / "csrf.key"
    kind = FileKind.CONFIG
    try:
        if not path.exists():
            text = base64.b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=")
            create_file(path, text, mode=kind.mode, owner=kind.owner())
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read or make {path}: {error.strerror}") from error
    if not content:
        raise ConfigError(f"{path} is empty: remove it to have a new one made")
    return _decode(content)


def _decode(content: bytes) -> bytes:
    text = content.strip().rstrip(b"=")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return content
