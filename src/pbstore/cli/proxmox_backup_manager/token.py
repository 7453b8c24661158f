"""`user list-tokens`, `generate-token` and `delete-token`."""

from typing import Any

from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.proxmox_backup_manager.account_options import (
    ENABLE_COLUMN,
    EXPIRE_COLUMN,
    NEW_ACCOUNT,
    USER_ID,
    stored,
    without_none,
)
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.proxmox_backup_manager.update_options import DIGEST
from pbstore.cli.table import Column
from pbstore.config.acl_cfg import AclFile
from pbstore.config.token_shadow import TokenShadowFile
from pbstore.config.user_cfg import TokenConfig, UserFile
from pbstore.errors import ConfigError, PbstoreError
from pbstore.model.auth_id import AuthId, UserId
from pbstore.model.names import SAFE_ID

COLUMNS = (Column(name="tokenid"), ENABLE_COLUMN, EXPIRE_COLUMN, Column(name="comment"))


def list_tokens(console: Console, userid: UserId, output_format: str | None) -> None:
    """Print the tokens of a user."""
    users = UserFile(manager_roots(console)).load()
    if userid not in users.users:
        raise ConfigError(f"no such user '{userid}'")
    console.print_rows(COLUMNS, [_row(token) for token in users.tokens_of(userid)], output_format)


def generate(console: Console, userid: UserId, token_name: str, digest: str | None, **fields: Any) -> None:
    """Make a token and print its secret, which is never shown again."""
    roots = manager_roots(console)
    auth_id = AuthId.parse(f"{userid}!{token_name}")
    with UserFile(roots).edit(digest) as edit:
        if auth_id in edit.current.tokens:
            raise PbstoreError(f"token '{token_name}' for user '{userid}' already exists.")
        edit.put_token(TokenConfig(auth_id=auth_id, **stored(fields)))
        secret = TokenShadowFile(roots).generate(auth_id)
    console.print(f"Result: {json_text({'tokenid': str(auth_id), 'value': secret}, 'json-pretty')}")


def delete(console: Console, userid: UserId, token_name: str, digest: str | None) -> None:
    """Remove a token with its secret and rights."""
    roots = manager_roots(console)
    auth_id = AuthId.parse(f"{userid}!{token_name}")
    with UserFile(roots).edit(digest) as edit:
        if auth_id not in edit.current.tokens:
            raise PbstoreError(f"token '{token_name}' of user '{userid}' does not exist.")
        edit.remove_token(auth_id)
    TokenShadowFile(roots).remove(auth_id)
    with AclFile(roots).edit() as acl:
        acl.drop(str(auth_id))


def _row(config: TokenConfig) -> dict[str, Any]:
    shown = without_none({name: getattr(config, name) for name in ("comment", "enable", "expire")})
    return {"token-name": config.auth_id.token_name, "tokenid": str(config.auth_id), **shown}


_TOKEN_NAME = Parameter(
    name="token-name",
    schema=String(description="The token ID part of an API token authentication id.", pattern=SAFE_ID.pattern),
)
_POSITIONAL = ("userid", "token-name")

TOKEN_COMMANDS = {
    "list-tokens": Command(
        description="List tokens associated with user.",
        run=list_tokens,
        positional=("userid",),
        parameters=(USER_ID, OUTPUT_FORMAT),
    ),
    "generate-token": Command(
        description="Generate a new API token with given metadata.",
        run=generate,
        positional=_POSITIONAL,
        parameters=(USER_ID, _TOKEN_NAME, *NEW_ACCOUNT, DIGEST),
    ),
    "delete-token": Command(
        description="Delete a user's API token.",
        run=delete,
        positional=_POSITIONAL,
        parameters=(USER_ID, _TOKEN_NAME, DIGEST),
    ),
}
