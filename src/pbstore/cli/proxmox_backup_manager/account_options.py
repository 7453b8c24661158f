"""Options and table columns that users and tokens have in common."""

from typing import Any

from pbstore.api.schema import Boolean, Integer, Parameter, String
from pbstore.cli.table import Column
from pbstore.model.auth_id import UserId
from pbstore.model.local_time import local_time_text

_SINGLE_LINE = r"[^\x00-\x1f\x7f]*"

USER_ID = Parameter(name="userid", schema=String(description="User ID", convert=UserId.parse))
COMMENT = Parameter(
    name="comment",
    schema=String(description="Comment.", pattern=_SINGLE_LINE, maximum_length=128),
    optional=True,
)
_ENABLE = Boolean(description="Enable the account (default). You can set this to '0' to disable the account.")
_EXPIRE = Integer(description="Account expiration date (seconds since epoch). '0' means no expiration date.")
NEW_ACCOUNT = (
    COMMENT,
    Parameter(name="enable", schema=_ENABLE, optional=True, default=True),
    Parameter(name="expire", schema=_EXPIRE, optional=True, default=0),
)
CHANGED_ACCOUNT = (
    COMMENT,
    Parameter(name="enable", schema=_ENABLE, optional=True),
    Parameter(name="expire", schema=_EXPIRE, optional=True),
)
ENABLE_COLUMN = Column(name="enable", right=True, render=lambda enable: "0" if enable is False else "1")


def _expire_text(expire: int | None) -> str:
    return local_time_text(expire) if expire else "never"


EXPIRE_COLUMN = Column(name="expire", right=True, render=_expire_text)


def stored(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a new account as they go into the file, where defaults are not written."""
    enable, expire = fields["enable"], fields["expire"]
    return {**fields, "enable": None if enable else False, "expire": expire or None}


def name_option(name: str, description: str) -> Parameter:
    """An option that takes a short line of text."""
    return Parameter(
        name=name, schema=String(description=description, pattern=_SINGLE_LINE, maximum_length=64), optional=True
    )


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not set, as the API does."""
    return {name: value for name, value in values.items() if value is not None}
