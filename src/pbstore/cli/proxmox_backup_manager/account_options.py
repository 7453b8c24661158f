"""Options and table columns that users and tokens have in common."""

from typing import Any

from pbstore.api.schema import Parameter
from pbstore.cli.table import Column
from pbstore.model.local_time import local_time_text
from pbstore.server.account_parameters import COMMENT, ENABLE, EXPIRE

NEW_ACCOUNT = (
    COMMENT,
    Parameter(name="enable", schema=ENABLE, optional=True, default=True),
    Parameter(name="expire", schema=EXPIRE, optional=True, default=0),
)
ENABLE_COLUMN = Column(name="enable", right=True, render=lambda enable: "0" if enable is False else "1")


def _expire_text(expire: int | None) -> str:
    return local_time_text(expire) if expire else "never"


EXPIRE_COLUMN = Column(name="expire", right=True, render=_expire_text)


def stored(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a new account as they go into the file, where defaults are not written."""
    enable, expire = fields["enable"], fields["expire"]
    return {**fields, "enable": None if enable else False, "expire": expire or None}
