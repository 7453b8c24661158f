"""Rights on accounts: a user may see and change itself, and hand out roles to its own tokens (auth.md 7 and 8)."""

from collections.abc import Mapping
from typing import Any

from pbstore.access.privileges import PERMISSIONS_MODIFY, SYS_AUDIT
from pbstore.api.permission import Custom, Privilege, Rights
from pbstore.errors import PermissionDeniedError
from pbstore.model.auth_id import AuthId

USERS_PATH = "/access/users"
ACL_PATH = "/access/acl"
MANAGE_USERS = Privilege(USERS_PATH, (PERMISSIONS_MODIFY,))


def _or_self(privilege: str) -> Custom:
    def check(rights: Rights, caller: AuthId, values: Mapping[str, Any]) -> None:
        # A token is never the user itself.
        if caller != AuthId(values["userid"]) and privilege not in rights.privileges(caller, USERS_PATH):
            raise PermissionDeniedError

    return Custom(f"{privilege} on {USERS_PATH}, or the user itself", check)


def owns_token(caller: AuthId, auth_id: AuthId | None) -> bool:
    """Whether it is a token of the calling user; a token owns none."""
    return auth_id is not None and auth_id.is_token and not caller.is_token and auth_id.user == caller.user


def _check_grant(rights: Rights, caller: AuthId, values: Mapping[str, Any]) -> None:
    is_own = values["group"] is None and owns_token(caller, values["auth_id"])
    if not is_own and PERMISSIONS_MODIFY not in rights.privileges(caller, ACL_PATH):
        raise PermissionDeniedError


SEE_USER = _or_self(SYS_AUDIT)
CHANGE_USER = _or_self(PERMISSIONS_MODIFY)
GRANT = Custom(f"{PERMISSIONS_MODIFY} on {ACL_PATH}, or only for own tokens", _check_grant)
