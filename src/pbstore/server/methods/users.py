"""Users (rest-api.md 3)."""

from typing import Any

from pbstore.access.account_items import factor_lock_item, token_item, user_item
from pbstore.access.privileges import SYS_AUDIT
from pbstore.access.user_accounts import UserAccounts
from pbstore.api.method import Call, Reply, method
from pbstore.api.permission import ANYBODY, known_caller
from pbstore.api.result import Result
from pbstore.api.schema import Boolean, Parameter
from pbstore.config.second_factors import SecondFactors
from pbstore.config.tfa_json import TfaFile
from pbstore.config.user_cfg import UserConfig
from pbstore.errors import ConfigError
from pbstore.model.auth_id import AuthId, UserId
from pbstore.server.account_parameters import (
    ACCOUNT,
    DELETABLE_OF_USER,
    NAMES,
    NEW_PASSWORD,
    USER_ID,
    delete_list,
    field_changes,
)
from pbstore.server.account_results import USER, USERS
from pbstore.server.account_right import CHANGE_USER, MANAGE_USERS, SEE_USER, USERS_PATH
from pbstore.server.parameters import DIGEST, DIGEST_BESIDE
from pbstore.server.registry import Registry

INCLUDE_TOKENS = Parameter(
    name="include_tokens", schema=Boolean(description="list tokens with their users"), optional=True, default=False
)
PASSWORD = Parameter(name="password", schema=NEW_PASSWORD, optional=True)


@method(
    "GET",
    "/access/users",
    permission=ANYBODY,
    parameters=(INCLUDE_TOKENS,),
    result=Result(data=USERS, beside=DIGEST_BESIDE),
)
def list_users(call: Call[Registry], *, include_tokens: bool) -> Reply:
    """List all users, or only the calling one if it may not see others."""
    cfg, caller = call.state.users.load(), known_caller(call.caller)
    sees_all = SYS_AUDIT in call.rights.privileges(caller, USERS_PATH)
    factors, now = TfaFile(call.state.roots).load(), call.state.clock()
    items = []
    for user, config in cfg.users.items():
        if sees_all or AuthId(user) == caller:
            tokens = [token_item(token) for token in cfg.tokens_of(user)] if include_tokens else []
            locks = factor_lock_item(factors.get(user, SecondFactors()), now)
            items.append({**user_item(config), **locks, **({"tokens": tokens} if tokens else {})})
    return Reply(items, {"digest": cfg.digest})


@method("POST", "/access/users", permission=MANAGE_USERS, parameters=(USER_ID, PASSWORD, *ACCOUNT, *NAMES))
def create(call: Call[Registry], *, userid: UserId, password: str | None, **fields: Any) -> None:
    """Add a user."""
    UserAccounts(call.state.roots).create(UserConfig(user=userid, **fields), password)


@method(
    "GET",
    "/access/users/{userid}",
    permission=SEE_USER,
    parameters=(USER_ID,),
    result=Result(data=USER, beside=DIGEST_BESIDE),
)
def show(call: Call[Registry], *, userid: UserId) -> Reply:
    """One user."""
    cfg = call.state.users.load()
    if userid not in cfg.users:
        raise ConfigError(f"no such user '{userid}'")
    factors = TfaFile(call.state.roots).load().get(userid, SecondFactors())
    item = {**user_item(cfg.users[userid]), **factor_lock_item(factors, call.state.clock())}
    return Reply(item, {"digest": cfg.digest})


@method(
    "PUT",
    "/access/users/{userid}",
    permission=CHANGE_USER,
    parameters=(USER_ID, PASSWORD, *ACCOUNT, *NAMES, delete_list(DELETABLE_OF_USER), DIGEST),
)
def update(
    call: Call[Registry],
    *,
    userid: UserId,
    password: str | None,
    delete: list[str] | None,
    digest: str | None,
    **fields: Any,
) -> None:
    """Change what was given, take out what is to be deleted; a password is not changed here (version-4.md 12)."""
    UserAccounts(call.state.roots).update(userid, field_changes(fields, delete), digest=digest)


@method("DELETE", "/access/users/{userid}", permission=CHANGE_USER, parameters=(USER_ID, DIGEST))
def remove(call: Call[Registry], *, userid: UserId, digest: str | None) -> None:
    """Remove a user with its tokens, rights and secrets."""
    UserAccounts(call.state.roots).remove(userid, digest=digest)


@method(
    "PUT",
    "/access/users/{userid}/unlock-tfa",
    permission=MANAGE_USERS,
    parameters=(USER_ID,),
    result=Boolean(description="whether there were any"),
)
def unlock_second_factors(call: Call[Registry], *, userid: UserId) -> bool:
    """Take the locks of second factors away; the answer is whether there were any."""
    return TfaFile(call.state.roots).unlock(userid)


METHODS = (list_users, create, show, update, remove, unlock_second_factors)
