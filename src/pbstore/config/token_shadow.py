"""`token.shadow`: hashes of the secrets of API tokens (auth.md 2)."""

import uuid

from pbstore.config.config_file import ConfigFile
from pbstore.config.file_kind import FileKind
from pbstore.config.password_hash import hash_secret, verify_secret
from pbstore.config.roots import Roots
from pbstore.config.secret_map import SecretMap
from pbstore.model.auth_id import AuthId


class TokenShadowFile:
    """The file on disk."""

    def __init__(self, roots: Roots):
        file = ConfigFile(roots.config_dir / "token.shadow", FileKind.SERVICE, lock_name="token.shadow.lock")
        self._map = SecretMap(file, pretty=False)

    def generate(self, auth_id: AuthId) -> str:
        """Give a token a new secret and return it: the only time it can be seen."""
        secret = str(uuid.uuid4())
        self.set_secret(auth_id, secret)
        return secret

    def set_secret(self, auth_id: AuthId, secret: str) -> None:
        """Store a secret that came from elsewhere."""
        hashed = hash_secret(secret)
        with self._map.edit() as hashes:
            hashes[str(auth_id)] = hashed

    def verify(self, auth_id: AuthId, secret: str) -> bool:
        """Return whether it is the token's secret; takes as long for a token without one.

        Raises:
            ConfigError: the file cannot be used.
        """
        return verify_secret(secret, self._map.get(str(auth_id)))

    def remove(self, auth_id: AuthId) -> None:
        """Forget a secret."""
        with self._map.edit() as hashes:
            hashes.pop(str(auth_id), None)

    def stamp(self) -> tuple[int, int, int]:
        """Return what changes whenever the file does."""
        return self._map.stamp()
