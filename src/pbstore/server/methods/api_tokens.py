"""API tokens of a user (rest-api.md 3)."""

from typing import Any

from pbstore.access.account_items import named_token_item, token_item
from pbstore.access.api_tokens import ApiTokens
from pbstore.api.method import Call, Reply, method
from pbstore.api.result import Result, or_null
from pbstore.api.schema import Boolean, Parameter
from pbstore.config.user_cfg import TokenConfig
from pbstore.errors import ConfigError
from pbstore.model.auth_id import UserId
from pbstore.server.account_parameters import (
    ACCOUNT,
    DELETABLE_OF_TOKEN,
    TOKEN_NAME,
    USER_ID,
    auth_id_of,
    delete_list,
    field_changes,
)
from pbstore.server.account_results import NEW_SECRET, NEW_TOKEN, TOKEN, TOKENS
from pbstore.server.account_right import CHANGE_USER, SEE_USER
from pbstore.server.parameters import DIGEST, DIGEST_BESIDE
from pbstore.server.registry import Registry

PATH = "/access/users/{userid}/token/{token-name}"
REGENERATE = Parameter(name="regenerate", schema=Boolean(description="make a new secret"), optional=True, default=False)


@method(
    "GET",
    "/access/users/{userid}/token",
    permission=SEE_USER,
    parameters=(USER_ID,),
    result=Result(data=TOKENS, beside=DIGEST_BESIDE),
)
def list_tokens(call: Call[Registry], *, userid: UserId) -> Reply:
    """List the tokens of a user."""
    cfg = call.state.users.load()
    return Reply([named_token_item(token) for token in cfg.tokens_of(userid)], {"digest": cfg.digest})


@method(
    "GET", PATH, permission=SEE_USER, parameters=(USER_ID, TOKEN_NAME), result=Result(data=TOKEN, beside=DIGEST_BESIDE)
)
def show(call: Call[Registry], *, userid: UserId, token_name: str) -> Reply:
    """One token."""
    cfg, auth_id = call.state.users.load(), auth_id_of(userid, token_name)
    if auth_id not in cfg.tokens:
        raise ConfigError(f"no such token '{auth_id}'")
    return Reply(token_item(cfg.tokens[auth_id]), {"digest": cfg.digest})


@method("POST", PATH, permission=CHANGE_USER, parameters=(USER_ID, TOKEN_NAME, *ACCOUNT, DIGEST), result=NEW_TOKEN)
def create(
    call: Call[Registry], *, userid: UserId, token_name: str, digest: str | None, **fields: Any
) -> dict[str, str]:
    """Make a token; the answer has its secret, which is never shown again."""
    auth_id = auth_id_of(userid, token_name)
    secret = ApiTokens(call.state.roots).create(TokenConfig(auth_id=auth_id, **fields), digest=digest)
    return {"tokenid": str(auth_id), "value": secret}


@method(
    "PUT",
    PATH,
    permission=CHANGE_USER,
    parameters=(USER_ID, TOKEN_NAME, *ACCOUNT, REGENERATE, delete_list(DELETABLE_OF_TOKEN), DIGEST),
    result=or_null(NEW_SECRET),
)
def update(
    call: Call[Registry],
    *,
    userid: UserId,
    token_name: str,
    regenerate: bool,
    delete: list[str] | None,
    digest: str | None,
    **fields: Any,
) -> dict[str, str] | None:
    """Change what was given, on request with a new secret, which is never shown again."""
    auth_id = auth_id_of(userid, token_name)
    changes = field_changes(fields, delete)
    secret = ApiTokens(call.state.roots).update(auth_id, changes, regenerate=regenerate, digest=digest)
    return None if secret is None else {"secret": secret}


@method("DELETE", PATH, permission=CHANGE_USER, parameters=(USER_ID, TOKEN_NAME, DIGEST))
def remove(call: Call[Registry], *, userid: UserId, token_name: str, digest: str | None) -> None:
    """Remove a token with its rights."""
    ApiTokens(call.state.roots).remove(auth_id_of(userid, token_name), digest=digest)


METHODS = (list_tokens, show, create, update, remove)
