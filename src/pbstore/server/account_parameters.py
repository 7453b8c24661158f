"""What can be said about users, tokens and roles, in calls and on command lines (rest-api.md 3)."""

from dataclasses import replace
from typing import Any

from pbstore.access.account_items import without_none
from pbstore.access.passwords import MAX_LENGTH, MIN_LENGTH
from pbstore.access.roles import ROLES
from pbstore.api.schema import Boolean, Enum, Integer, ListOf, Parameter, Schema, String
from pbstore.model.auth_id import AuthId, UserId
from pbstore.model.names import SAFE_ID
from pbstore.server.parameters import USERNAME

_SINGLE_LINE = r"[^\x00-\x1f\x7f]*"
DELETABLE_OF_USER = ("comment", "firstname", "lastname", "email")
DELETABLE_OF_TOKEN = ("comment",)


def _option(name: str, schema: Schema) -> Parameter:
    return Parameter(name=name, schema=schema, optional=True)


def _name(name: str, description: str) -> Parameter:
    schema = String(description=description, pattern=_SINGLE_LINE, minimum_length=2, maximum_length=64)
    return _option(name, schema)


def delete_list(properties: tuple[str, ...]) -> Parameter:
    """Which of these properties are to be taken out."""
    item = Enum(description="Property name.", values=properties)
    return _option("delete", ListOf(description="List of properties to delete.", item=item))


USER_ID = Parameter(name="userid", schema=replace(USERNAME.schema, description="User ID"))
TOKEN_NAME = Parameter(
    name="token-name",
    schema=String(description="The token ID part of an API token authentication id.", pattern=SAFE_ID.pattern),
)
COMMENT = _option("comment", String(description="Comment.", pattern=_SINGLE_LINE, maximum_length=128))
ENABLE = Boolean(description="Enable the account (default). You can set this to '0' to disable the account.")
EXPIRE = Integer(description="Account expiration date (seconds since epoch). '0' means no expiration date.")
ACCOUNT = (COMMENT, _option("enable", ENABLE), _option("expire", EXPIRE))
NAMES = (
    _name("firstname", "First name."),
    _name("lastname", "Last name."),
    _name("email", "E-Mail Address."),
)
NEW_PASSWORD = String(
    description="User Password.", pattern=_SINGLE_LINE, minimum_length=MIN_LENGTH, maximum_length=MAX_LENGTH
)
ACL_PATH = String(description="Access control path.", pattern=r"/|(?:/[A-Za-z0-9_][A-Za-z0-9._\-]*)+")
ROLE = Parameter(name="role", schema=Enum(description="Role", values=tuple(ROLES)))
GRANTEE = _option("auth-id", String(description="Authentication ID", convert=AuthId.parse))
GROUP = _option("group", String(description="Group ID"))
PROPAGATE = Parameter(
    name="propagate",
    schema=Boolean(description="Allow to propagate (inherit) permissions."),
    optional=True,
    default=True,
)
DELETE_GRANT = Parameter(
    name="delete",
    schema=Boolean(description="Remove permissions (instead of adding it)."),
    optional=True,
    default=False,
)


def auth_id_of(user: UserId, token_name: str) -> AuthId:
    """Name a token of a user.

    Raises:
        FormatError: too long, or no token name.
    """
    return AuthId.parse(f"{user}!{token_name}")


def field_changes(fields: dict[str, Any], delete: list[str] | None) -> dict[str, Any]:
    """Return new values, None for what is taken out: first what is to be deleted, then a comment that became blank."""
    changes = {**dict.fromkeys(delete or ()), **without_none(fields)}
    return {name: None if name == "comment" and not (value or "").strip() else value for name, value in changes.items()}
