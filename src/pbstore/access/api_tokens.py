"""Making, changing and removing API tokens with their secrets and rights."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pbstore.config.acl_cfg import AclFile
from pbstore.config.roots import Roots
from pbstore.config.token_shadow import TokenShadowFile
from pbstore.config.user_cfg import TokenConfig, UserFile
from pbstore.errors import ConfigError, PbstoreError
from pbstore.model.auth_id import AuthId


class ApiTokens:
    """The tokens of one installation. Secrets are returned when they are made, and cannot be read again."""

    def __init__(self, roots: Roots):
        self._roots = roots
        self._users = UserFile(roots)
        self._secrets = TokenShadowFile(roots)

    def create(self, config: TokenConfig, *, digest: str | None = None) -> str:
        """Add a token and return its secret.

        Raises:
            ConfigError: no such user, or the file is not the one that the digest is of.
            PbstoreError: there is such a token.
        """
        auth_id = config.auth_id
        with self._users.edit(digest) as edit:
            if auth_id in edit.current.tokens:
                raise PbstoreError(f"token '{auth_id.token_name}' for user '{auth_id.user}' already exists.")
            edit.put_token(config)
            return self._secrets.generate(auth_id)

    def update(
        self, auth_id: AuthId, changes: Mapping[str, Any], *, regenerate: bool = False, digest: str | None = None
    ) -> str | None:
        """Change fields, None takes one out; return a new secret if one was asked for.

        Raises:
            ConfigError: no such token, or the file is not the one that the digest is of.
        """
        with self._users.edit(digest) as edit:
            config = edit.current.tokens.get(auth_id)
            if config is None:
                raise ConfigError(f"no such token '{auth_id}'")
            edit.put_token(replace(config, **changes))
            return self._secrets.generate(auth_id) if regenerate else None

    def remove(self, auth_id: AuthId, *, digest: str | None = None) -> None:
        """Remove a token with its secret and rights.

        Raises:
            ConfigError: the file is not the one that the digest is of.
            PbstoreError: no such token.
        """
        with self._users.edit(digest) as edit:
            if auth_id not in edit.current.tokens:
                raise PbstoreError(f"token '{auth_id.token_name}' of user '{auth_id.user}' does not exist.")
            edit.remove_token(auth_id)
            # Before the token itself: one that is made again must not inherit them.
            with AclFile(self._roots).edit() as acl:
                acl.drop(str(auth_id))
            self._secrets.remove(auth_id)
