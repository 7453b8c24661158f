"""`tfa.json`: who has second factors (config-files.md 6). Read only: factors are not served by this version."""

import json

from pbstore.config.config_file import ConfigFile
from pbstore.config.file_kind import FileKind
from pbstore.config.roots import Roots
from pbstore.errors import ConfigError
from pbstore.model.auth_id import UserId

MAX_FILE_BYTES = 16 << 20
_FACTOR_LISTS = ("totp", "webauthn", "u2f", "yubico")


class TfaFile:
    """The file on disk, as an original server may have left it."""

    def __init__(self, roots: Roots):
        self._file = ConfigFile(roots.config_dir / "tfa.json", FileKind.SECRET, lock_name="tfa.json.lock")

    def has_factors(self, user: UserId) -> bool:
        """Whether a user has an enabled second factor, so that a password alone is no login (auth.md 4).

        Raises:
            ConfigError: the file cannot be used; nobody is let through then.
        """
        content = self._file.read()
        if not content.strip():
            return False
        try:
            if len(content) > MAX_FILE_BYTES:
                raise ValueError
            return _has_factors(json.loads(content)["users"].get(str(user), {}))
        except KeyError:
            return False
        except (ValueError, RecursionError, AttributeError, TypeError):
            raise ConfigError(f"{self._file.path}: expected a JSON object with the factors of 'users'") from None


def _has_factors(factors: dict[str, object]) -> bool:
    for name in _FACTOR_LISTS:
        entries = factors.get(name) or []
        if not isinstance(entries, list):
            raise TypeError
        if any(entry.get("enable", True) for entry in entries):
            return True
    return bool(factors.get("recovery"))
