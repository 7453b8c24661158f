"""Changing a password (rest-api.md 3)."""

from pbstore.access.failed_logins import address_of
from pbstore.access.pam_realm import REALM as PAM_REALM
from pbstore.access.privileges import PERMISSIONS_MODIFY
from pbstore.access.user_accounts import UserAccounts
from pbstore.api.method import Call, method
from pbstore.api.permission import ANYBODY, known_caller
from pbstore.api.schema import Parameter, String
from pbstore.errors import AuthenticationError, ConfigError, PermissionDeniedError
from pbstore.model.auth_id import AuthId, UserId
from pbstore.server.account_parameters import NEW_PASSWORD, USER_ID
from pbstore.server.account_right import USERS_PATH
from pbstore.server.proof import proof_of
from pbstore.server.registry import Registry

PASSWORD = Parameter(name="password", schema=NEW_PASSWORD)
CONFIRMATION = Parameter(
    name="confirmation-password",
    schema=String(description="the caller's own password", maximum_length=1024),
    optional=True,
)


@method("PUT", "/access/password", permission=ANYBODY, parameters=(USER_ID, PASSWORD, CONFIRMATION))
def change_password(call: Call[Registry], *, userid: UserId, password: str, confirmation_password: str | None) -> None:
    """Set the own password, or with the right to do so that of another user; the own one confirms it."""
    caller = known_caller(call.caller)
    if userid.realm == PAM_REALM:
        _change_of_system_user(call, caller, userid, password, confirmation_password)
        return
    if not caller.is_superuser:
        _confirm(call, caller, confirmation_password)
    is_self = AuthId(userid) == caller
    if not is_self and PERMISSIONS_MODIFY not in call.rights.privileges(caller, USERS_PATH):
        raise PermissionDeniedError
    UserAccounts(call.state.roots).set_password(userid, password)


def _change_of_system_user(
    call: Call[Registry], caller: AuthId, user: UserId, password: str, confirmation: str | None
) -> None:
    """Only root and the user itself may, and they confirm it always: the root helper believes nobody but PAM."""
    if caller != AuthId(user) and not caller.is_superuser:
        raise PermissionDeniedError
    if user not in call.state.users.load().users:
        raise ConfigError(f"no such user '{user}'")
    if confirmation is None:
        raise AuthenticationError("missing password")
    with proof_of(call, caller.user):
        call.state.pam.change_password(
            user.name,
            password,
            authority=caller.user.name,
            password=confirmation,
            address=address_of(call.peer),
        )


def _confirm(call: Call[Registry], caller: AuthId, confirmation: str | None) -> None:
    """A stolen ticket alone must not be enough to take an account over."""
    if confirmation is None:
        raise AuthenticationError("missing password")
    with proof_of(call, caller.user):
        call.state.login.check_password(caller.user, confirmation, address_of(call.peer))


METHODS = (change_password,)
