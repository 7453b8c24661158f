"""`tfa.json`: who has second factors (config-files.md 6). Factors are neither made nor served by this version."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pbstore.config.config_file import ConfigFile
from pbstore.config.file_kind import FileKind
from pbstore.config.roots import Roots
from pbstore.config.second_factors import (
    FACTOR_LISTS,
    LOCKS,
    RECOVERY,
    SecondFactors,
    parse_second_factors,
    remove_factor,
)
from pbstore.errors import ConfigError, FormatError
from pbstore.model.auth_id import UserId

MAX_FILE_BYTES = 16 << 20
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)


class TfaFile:
    """The file on disk, as an original server may have left it."""

    def __init__(self, roots: Roots):
        self._file = ConfigFile(roots.config_dir / "tfa.json", FileKind.SECRET, lock_name="tfa.json.lock")

    def has_factors(self, user: UserId) -> bool:
        """Whether a user has an enabled second factor, so that a password alone is no login (auth.md 4).

        Raises:
            ConfigError: the file cannot be used; nobody is let through then.
        """
        try:
            return _has_factors(self._users(self._load()).get(str(user), {}))
        except (AttributeError, TypeError):
            raise self._unusable() from None

    def load(self) -> dict[UserId, SecondFactors]:
        """Return the factors of all users that have some, or locks left of them.

        Raises:
            ConfigError: the file cannot be used.
        """
        try:
            users = self._users(self._load())
            return {UserId.parse(user): parse_second_factors(factors) for user, factors in users.items()}
        except (FormatError, *_MALFORMED):
            raise self._unusable() from None

    def remove(self, user: UserId, factor_id: str) -> bool:
        """Take one factor of a user out, and return whether it was there.

        Raises:
            ConfigError: the file cannot be used.
        """
        with self._edit() as users:
            try:
                return remove_factor(users.get(str(user), {}), factor_id)
            except _MALFORMED:
                raise self._unusable() from None

    def unlock(self, user: UserId) -> bool:
        """Take the locks away that failed second steps left, and return whether there were any.

        Raises:
            ConfigError: the file cannot be used.
        """
        with self._edit() as users:
            factors = users.get(str(user), {})
            if not isinstance(factors, dict):
                raise self._unusable()
            locks = [factors.pop(key, None) for key in LOCKS]
            return any(locks)

    def forget(self, user: UserId) -> None:
        """Take all factors of a user out.

        Raises:
            ConfigError: the file cannot be used.
        """
        with self._edit() as users:
            users.pop(str(user), None)

    @contextmanager
    def _edit(self) -> Iterator[dict[str, Any]]:
        """Lock the file and yield its users; what else is in it stays as it is."""
        with self._file.locked():
            content = self._load()
            before = json.dumps(content)
            yield self._users(content)
            if (after := json.dumps(content)) != before:
                self._file.replace(after.encode())

    def _load(self) -> dict[str, Any]:
        content = self._file.read()
        try:
            if len(content) > MAX_FILE_BYTES:
                raise ValueError
            values = json.loads(content) if content.strip() else {}
        except (ValueError, RecursionError):
            raise self._unusable() from None
        if not isinstance(values, dict):
            raise self._unusable()
        return values

    def _users(self, values: dict[str, Any]) -> dict[str, Any]:
        users = values.get("users", {})
        if not isinstance(users, dict):
            raise self._unusable()
        return users

    def _unusable(self) -> ConfigError:
        return ConfigError(f"{self._file.path}: expected a JSON object with the factors of 'users'")


def _has_factors(factors: dict[str, object]) -> bool:
    for name in FACTOR_LISTS:
        entries = factors.get(name) or []
        if not isinstance(entries, list):
            raise TypeError
        if any(entry.get("enable", True) for entry in entries):
            return True
    return bool(factors.get(RECOVERY))
