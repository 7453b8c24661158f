"""`shadow.json`: password hashes of the realm `pbs` (auth.md 2)."""

from pbstore.config.config_file import ConfigFile
from pbstore.config.file_kind import FileKind
from pbstore.config.password_hash import hash_secret, is_outdated, verify_secret
from pbstore.config.roots import Roots
from pbstore.config.secret_map import SecretMap


class ShadowFile:
    """The file on disk, by user name without the realm."""

    def __init__(self, roots: Roots):
        file = ConfigFile(roots.config_dir / "shadow.json", FileKind.SECRET, lock_name="shadow.json.lock")
        self._map = SecretMap(file, pretty=True)

    def verify(self, user_name: str, password: str) -> bool:
        """Return whether it is the user's password; takes as long for a user without one.

        Raises:
            ConfigError: the file cannot be used.
        """
        stored = self._map.get(user_name)
        if not verify_secret(password, stored):
            return False
        if stored is not None and is_outdated(stored):
            self._rehash(user_name, password, stored)
        return True

    def set_password(self, user_name: str, password: str) -> None:
        """Store a password; its rules are those of the caller (`access.passwords`)."""
        hashed = hash_secret(password)
        with self._map.edit() as hashes:
            hashes[user_name] = hashed

    def remove(self, user_name: str) -> None:
        """Forget a password."""
        with self._map.edit() as hashes:
            hashes.pop(user_name, None)

    def _rehash(self, user_name: str, password: str, stored: str) -> None:
        hashed = hash_secret(password)
        with self._map.edit() as hashes:
            if hashes.get(user_name) == stored:
                hashes[user_name] = hashed
