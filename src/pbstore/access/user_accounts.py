"""Making, changing and removing users: all their files, in an order that never leaves more rights than meant."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pbstore.access.passwords import check_new_password
from pbstore.config.acl_cfg import AclFile
from pbstore.config.domains_cfg import DomainsFile
from pbstore.config.roots import Roots
from pbstore.config.shadow import ShadowFile
from pbstore.config.tfa_json import TfaFile
from pbstore.config.token_shadow import TokenShadowFile
from pbstore.config.user_cfg import UserConfig, UserFile
from pbstore.errors import ConfigError, PbstoreError, UnsupportedError
from pbstore.model.auth_id import UserId

PASSWORD_REALM = "pbs"  # noqa: S105 - the name of a realm


class UserAccounts:
    """The users of one installation. Locks are taken in one order: users, rights, secrets."""

    def __init__(self, roots: Roots):
        self._roots = roots
        self._users = UserFile(roots)
        self._shadow = ShadowFile(roots)

    def create(self, config: UserConfig, password: str | None = None) -> None:
        """Add a user, with a password if it is one of realm `pbs`.

        Raises:
            ConfigError: its realm does not exist.
            PbstoreError: there is such a user, or the password cannot be set.
        """
        if config.user.realm not in DomainsFile(self._roots).load().realms:
            raise ConfigError(f"no such realm '{config.user.realm}'")
        if password is not None:
            _check_password_change(config.user, password)
        with self._users.edit() as edit:
            if config.user in edit.current.users:
                raise PbstoreError(f"user '{config.user}' already exists.")
            # The password goes first: a user whose password was lost on the way could not log in.
            if password is not None:
                self._shadow.set_password(config.user.name, password)
            edit.put_user(config)

    def update(
        self, user: UserId, changes: Mapping[str, Any], *, password: str | None = None, digest: str | None = None
    ) -> None:
        """Change fields, None takes one out, and the password if one is given.

        Raises:
            ConfigError: no such user, or the file is not the one that the digest is of.
            PbstoreError: the password cannot be set.
        """
        if password is not None:
            _check_password_change(user, password)
        with self._users.edit(digest) as edit:
            config = edit.current.users.get(user)
            if config is None:
                raise ConfigError(f"no such user '{user}'")
            edit.put_user(replace(config, **changes))
            if password is not None:
                self._shadow.set_password(user.name, password)

    def remove(self, user: UserId, *, digest: str | None = None) -> None:
        """Remove a user with its tokens, rights, password and second factors.

        Raises:
            ConfigError: no such user, or the file is not the one that the digest is of.
        """
        secrets = TokenShadowFile(self._roots)
        with self._users.edit(digest) as edit:
            tokens = edit.current.tokens_of(user)
            edit.remove_user(user)
            # Rights and secrets go before the user: whoever gets the name later must not inherit them.
            with AclFile(self._roots).edit() as acl:
                acl.drop(str(user))
                for token in tokens:
                    acl.drop(str(token.auth_id))
            for token in tokens:
                secrets.remove(token.auth_id)
            if user.realm == PASSWORD_REALM:
                self._shadow.remove(user.name)
            TfaFile(self._roots).forget(user)

    def set_password(self, user: UserId, password: str) -> None:
        """Set the password of a user.

        Raises:
            ConfigError: no such user.
            PbstoreError: the password cannot be set.
        """
        _check_password_change(user, password)
        # The lock keeps the user from being removed in between.
        with self._users.edit() as edit:
            if user not in edit.current.users:
                raise ConfigError(f"no such user '{user}'")
            self._shadow.set_password(user.name, password)


def check_realm_keeps_passwords(user: UserId) -> None:
    """Return if passwords of the user's realm are kept here.

    Raises:
        UnsupportedError: they are not.
    """
    if user.realm != PASSWORD_REALM:
        raise UnsupportedError(
            f"the password of '{user}' cannot be set here: only users of realm '{PASSWORD_REALM}' have one here"
        )


def _check_password_change(user: UserId, password: str) -> None:
    check_realm_keeps_passwords(user)
    check_new_password(password)
