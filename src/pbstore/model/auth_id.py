"""Who calls: a user or one of its API tokens (auth.md 1)."""

import re
from dataclasses import dataclass
from typing import Self

from pbstore.errors import FormatError
from pbstore.model.names import SAFE_ID

USER_NAME = re.compile(r"[^\s:/\x00-\x1f\x7f]+")
MIN_LENGTH = 3
MAX_LENGTH = 64


@dataclass(frozen=True, order=True)
class UserId:
    """`name@realm`."""

    name: str
    realm: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a user id, split at the last `@`.

        Raises:
            FormatError: not of the form, or a bad name, realm or length.
        """
        name, at, realm = text.rpartition("@")
        valid = at and USER_NAME.fullmatch(name) and SAFE_ID.fullmatch(realm) and 2 <= len(realm) <= 32
        if not valid or not MIN_LENGTH <= len(text) <= MAX_LENGTH:
            raise FormatError(f"invalid user id {text!r}: expected <name>@<realm>")
        return cls(name, realm)

    def __str__(self) -> str:
        return f"{self.name}@{self.realm}"


@dataclass(frozen=True, order=True)
class AuthId:
    """A user, or a token of that user written `name@realm!token`."""

    user: UserId
    token_name: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an auth id; `!` counts only behind the last `@`.

        Raises:
            FormatError: not of the form.
        """
        if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
            raise FormatError(f"invalid auth id {text!r}: {MIN_LENGTH} to {MAX_LENGTH} characters")
        head, at, tail = text.rpartition("@")
        realm, bang, token_name = tail.partition("!")
        user = UserId.parse(f"{head}{at}{realm}")
        if not bang:
            return cls(user)
        if not SAFE_ID.fullmatch(token_name):
            raise FormatError(f"invalid auth id {text!r}: bad token name")
        return cls(user, token_name)

    @property
    def is_token(self) -> bool:
        """Whether this is an API token."""
        return self.token_name is not None

    @property
    def is_superuser(self) -> bool:
        """Exactly `root@pam`, never one of its tokens."""
        return str(self) == "root@pam"

    def owns(self, owner: "AuthId") -> bool:
        """Owner rule: the caller is the owner, or the owner is a token of the calling user (manifest.md 6)."""
        return owner == self or (owner.is_token and not self.is_token and owner.user == self.user)

    def __str__(self) -> str:
        return str(self.user) if self.token_name is None else f"{self.user}!{self.token_name}"
