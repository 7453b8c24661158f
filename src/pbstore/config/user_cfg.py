"""`user.cfg`: users and API tokens (auth.md 2)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from pbstore.config.config_file import ConfigFile
from pbstore.config.file_kind import FileKind
from pbstore.config.roots import Roots
from pbstore.config.section_config import ConfigWarning
from pbstore.config.section_schema import SectionSchema, Value, ValueKind
from pbstore.config.section_store import LoadedSections, SectionEdit, SectionStore
from pbstore.errors import ConfigError, FormatError
from pbstore.model.auth_id import AuthId, UserId

SUPERUSER = UserId("root", "pam")
_ACTIVITY = {"enable": ValueKind.BOOLEAN, "expire": ValueKind.INTEGER, "comment": ValueKind.TEXT}
_NAMES = dict.fromkeys(("firstname", "lastname", "email"), ValueKind.TEXT)
USER_SCHEMA = SectionSchema("user", {**_ACTIVITY, **_NAMES})
TOKEN_SCHEMA = SectionSchema("token", _ACTIVITY)


@dataclass(frozen=True, kw_only=True)
class _Activity:
    """None keeps a key out of the file; `expire` is seconds since 1970, 0 for never."""

    enable: bool | None = None
    expire: int | None = None
    comment: str | None = None

    def is_active(self, now: float) -> bool:
        """Whether it may be used at that time: enabled and not expired."""
        return self.enable is not False and (not self.expire or self.expire > now)


@dataclass(frozen=True, kw_only=True)
class UserConfig(_Activity):
    """A user."""

    user: UserId
    firstname: str | None = None
    lastname: str | None = None
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class TokenConfig(_Activity):
    """An API token."""

    auth_id: AuthId


@dataclass(frozen=True)
class UserCfg:
    """The whole file. The superuser is always there, even when the file does not name it."""

    users: Mapping[UserId, UserConfig]
    tokens: Mapping[AuthId, TokenConfig]
    digest: str
    warnings: tuple[ConfigWarning, ...] = ()

    def is_active(self, auth_id: AuthId, now: float) -> bool:
        """Whether the user, and the token if it is one, exist and may be used."""
        user = self.users.get(auth_id.user)
        if user is None or not user.is_active(now):
            return False
        token = self.tokens.get(auth_id)
        return not auth_id.is_token or (token is not None and token.is_active(now))

    def tokens_of(self, user: UserId) -> list[TokenConfig]:
        """Return the tokens of a user, by name."""
        mine = [token for auth_id, token in self.tokens.items() if auth_id.user == user]
        return sorted(mine, key=lambda token: token.auth_id.token_name or "")


class UserSource(Protocol):
    """Where the users come from: the file, or a cache of it."""

    def load(self) -> UserCfg:
        """Return the current users.

        Raises:
            ConfigError: they cannot be read.
        """


class UserEdit:
    """Changes under the file's lock."""

    def __init__(self, current: UserCfg, edit: SectionEdit):
        self.current = current
        self._edit = edit

    def put_user(self, config: UserConfig) -> None:
        """Add or replace a user."""
        names: dict[str, Value | None] = {
            "firstname": config.firstname,
            "lastname": config.lastname,
            "email": config.email,
        }
        self._edit.put("user", str(config.user), _activity(config) | names)

    def remove_user(self, user: UserId) -> None:
        """Take a user and its tokens out.

        Raises:
            ConfigError: there is no such user, or it is the superuser.
        """
        if user == SUPERUSER:
            raise ConfigError(f"user '{user}' cannot be removed")
        if user not in self.current.users:
            raise ConfigError(f"no such user '{user}'")
        for token in self.current.tokens_of(user):
            self._edit.remove(str(token.auth_id))
        self._edit.remove(str(user))

    def put_token(self, config: TokenConfig) -> None:
        """Add or replace a token.

        Raises:
            ConfigError: its user does not exist.
        """
        if config.auth_id.user not in self.current.users:
            raise ConfigError(f"no such user '{config.auth_id.user}'")
        self._edit.put("token", str(config.auth_id), _activity(config))

    def remove_token(self, auth_id: AuthId) -> None:
        """Take a token out.

        Raises:
            ConfigError: there is none.
        """
        if auth_id not in self.current.tokens:
            raise ConfigError(f"no such token '{auth_id}'")
        self._edit.remove(str(auth_id))


class UserFile:
    """The file on disk."""

    def __init__(self, roots: Roots):
        file = ConfigFile(roots.config_dir / "user.cfg", FileKind.CONFIG)
        self._store = SectionStore(file, [USER_SCHEMA, TOKEN_SCHEMA])

    def load(self) -> UserCfg:
        """Read the file.

        Raises:
            ConfigError: it cannot be used.
        """
        return _typed(self._store.load())

    @contextmanager
    def edit(self, digest: str | None = None) -> Iterator[UserEdit]:
        """Lock the file and yield its edit; written when the block ends without an exception.

        Raises:
            ConfigError: the digest is not that of the file, or the file cannot be used.
            LockedError: somebody else changes it.
        """
        with self._store.edit(digest) as (loaded, edit):
            yield UserEdit(_typed(loaded), edit)


def _activity(config: _Activity) -> dict[str, Value | None]:
    return {"enable": config.enable, "expire": config.expire, "comment": config.comment}


def _typed(loaded: LoadedSections) -> UserCfg:
    users = {SUPERUSER: UserConfig(user=SUPERUSER, comment="Superuser")}
    tokens = {}
    for section in loaded.sections:
        try:
            auth_id = AuthId.parse(section.section_id)
        except FormatError as error:
            raise ConfigError(f"{section.where}: {error}") from None
        if auth_id.is_token != (section.section_type == "token"):
            raise ConfigError(f"{section.where}: '{auth_id}' cannot be the id of a {section.section_type}")
        fields = section.values
        if auth_id.is_token:
            tokens[auth_id] = TokenConfig(auth_id=auth_id, **fields)  # type: ignore[arg-type]  # read by the schema
        else:
            users[auth_id.user] = UserConfig(user=auth_id.user, **fields)  # type: ignore[arg-type]
    return UserCfg(users, tokens, loaded.digest, loaded.warnings)
