"""`user list-tokens`, `generate-token` and `delete-token`."""

from typing import Any

from pbstore.access.account_items import named_token_item
from pbstore.access.api_tokens import ApiTokens
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.proxmox_backup_manager.account_options import (
    ENABLE_COLUMN,
    EXPIRE_COLUMN,
    NEW_ACCOUNT,
    stored,
)
from pbstore.cli.proxmox_backup_manager.completions import complete_tokens, complete_users
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.proxmox_backup_manager.update_options import DIGEST
from pbstore.cli.table import Column
from pbstore.config.user_cfg import TokenConfig, UserFile
from pbstore.errors import ConfigError
from pbstore.model.auth_id import UserId
from pbstore.server.account_parameters import TOKEN_NAME, USER_ID, auth_id_of

COLUMNS = (Column(name="tokenid"), ENABLE_COLUMN, EXPIRE_COLUMN, Column(name="comment"))


def list_tokens(console: Console, userid: UserId, output_format: str | None) -> None:
    """Print the tokens of a user."""
    users = UserFile(manager_roots(console)).load()
    if userid not in users.users:
        raise ConfigError(f"no such user '{userid}'")
    console.print_rows(COLUMNS, [named_token_item(token) for token in users.tokens_of(userid)], output_format)


def generate(console: Console, userid: UserId, token_name: str, digest: str | None, **fields: Any) -> None:
    """Make a token and print its secret, which is never shown again."""
    auth_id = auth_id_of(userid, token_name)
    config = TokenConfig(auth_id=auth_id, **stored(fields))
    secret = ApiTokens(manager_roots(console)).create(config, digest=digest)
    console.print(f"Result: {json_text({'tokenid': str(auth_id), 'value': secret}, 'json-pretty')}")


def delete(console: Console, userid: UserId, token_name: str, digest: str | None) -> None:
    """Remove a token with its secret and rights."""
    ApiTokens(manager_roots(console)).remove(auth_id_of(userid, token_name), digest=digest)


_POSITIONAL = ("userid", "token-name")

TOKEN_COMMANDS = {
    "list-tokens": Command(
        description="List tokens associated with user.",
        run=list_tokens,
        positional=("userid",),
        completions={"userid": complete_users},
        parameters=(USER_ID, OUTPUT_FORMAT),
    ),
    "generate-token": Command(
        description="Generate a new API token with given metadata.",
        run=generate,
        positional=_POSITIONAL,
        completions={"userid": complete_users},
        parameters=(USER_ID, TOKEN_NAME, *NEW_ACCOUNT, DIGEST),
    ),
    "delete-token": Command(
        description="Delete a user's API token.",
        run=delete,
        positional=_POSITIONAL,
        completions={"userid": complete_users, "token-name": complete_tokens},
        parameters=(USER_ID, TOKEN_NAME, DIGEST),
    ),
}
