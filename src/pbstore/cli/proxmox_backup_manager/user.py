"""`user create`, `list`, `update` and `remove`; more about users is in files of their own."""

from dataclasses import replace
from typing import Any

from pbstore.access.account_items import user_item
from pbstore.access.user_accounts import UserAccounts, check_realm_keeps_passwords
from pbstore.api.schema import Parameter
from pbstore.cli.command import Command, Group
from pbstore.cli.console import Console
from pbstore.cli.option_parser import Prompt
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_manager.account_options import (
    ENABLE_COLUMN,
    EXPIRE_COLUMN,
    NEW_ACCOUNT,
    stored,
)
from pbstore.cli.proxmox_backup_manager.completions import complete_users
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.proxmox_backup_manager.token import TOKEN_COMMANDS
from pbstore.cli.proxmox_backup_manager.update_options import DIGEST, delete_option
from pbstore.cli.proxmox_backup_manager.user_permissions import PERMISSIONS
from pbstore.cli.proxmox_backup_manager.user_tfa import TFA
from pbstore.cli.table import Column
from pbstore.config.user_cfg import UserConfig, UserFile
from pbstore.model.auth_id import UserId
from pbstore.server.account_parameters import ACCOUNT, DELETABLE_OF_USER, NAMES, NEW_PASSWORD, USER_ID, field_changes

COLUMNS = (
    Column(name="userid"),
    ENABLE_COLUMN,
    EXPIRE_COLUMN,
    *(Column(name=name) for name in ("firstname", "lastname", "email", "comment")),
)


def list_users(console: Console, output_format: str | None) -> None:
    """Print all users."""
    users = UserFile(manager_roots(console)).load().users.values()
    rows = [user_item(config) for config in sorted(users, key=lambda config: str(config.user))]
    console.print_rows(COLUMNS, rows, output_format)


def create(console: Console, userid: UserId, password: str | Prompt | None, **fields: Any) -> None:
    """Add a user, with a password if it is one of realm pbs."""
    new_password = _new_password(console, userid, password)
    UserAccounts(manager_roots(console)).create(UserConfig(user=userid, **stored(fields)), new_password)


def update(
    console: Console,
    userid: UserId,
    password: str | Prompt | None,
    delete: list[str] | None,
    digest: str | None,
    **fields: Any,
) -> None:
    """Change what was given, take out what is to be deleted."""
    new_password = _new_password(console, userid, password)
    changes = field_changes(fields, delete)
    UserAccounts(manager_roots(console)).update(userid, changes, password=new_password, digest=digest)


def remove(console: Console, userid: UserId, digest: str | None) -> None:
    """Remove a user with its tokens, secrets and rights."""
    UserAccounts(manager_roots(console)).remove(userid, digest=digest)


def _new_password(console: Console, user: UserId, password: str | Prompt | None) -> str | None:
    if isinstance(password, Prompt):
        check_realm_keeps_passwords(user)
        return console.ask_new_password("New Password: ")
    return password


_PASSWORD = Parameter(
    name="password",
    schema=replace(
        NEW_PASSWORD, description=f"{NEW_PASSWORD.description} Asked for on the terminal when the value is left out."
    ),
    optional=True,
)
USER = Group(
    commands={
        "list": Command(description="List configured users.", run=list_users, parameters=(OUTPUT_FORMAT,)),
        "create": Command(
            description="Create new user.",
            run=create,
            positional=("userid",),
            prompted=("password",),
            parameters=(USER_ID, _PASSWORD, *NEW_ACCOUNT, *NAMES),
        ),
        "update": Command(
            description="Update user configuration.",
            run=update,
            positional=("userid",),
            prompted=("password",),
            completions={"userid": complete_users},
            parameters=(USER_ID, _PASSWORD, *ACCOUNT, *NAMES, delete_option(DELETABLE_OF_USER), DIGEST),
        ),
        "remove": Command(
            description="Remove a user from the configuration file.",
            run=remove,
            positional=("userid",),
            completions={"userid": complete_users},
            parameters=(USER_ID, DIGEST),
        ),
        "permissions": PERMISSIONS,
        "tfa": TFA,
        **TOKEN_COMMANDS,
    }
)
