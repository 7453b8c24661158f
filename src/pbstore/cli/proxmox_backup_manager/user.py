"""`user create`, `list`, `update` and `remove`."""

from dataclasses import replace
from typing import Any

from pbstore.access.passwords import check_new_password
from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command, Group
from pbstore.cli.console import Console
from pbstore.cli.option_parser import Prompt
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_manager.account_options import (
    CHANGED_ACCOUNT,
    ENABLE_COLUMN,
    EXPIRE_COLUMN,
    NEW_ACCOUNT,
    USER_ID,
    name_option,
    stored,
    without_none,
)
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.proxmox_backup_manager.token import TOKEN_COMMANDS
from pbstore.cli.proxmox_backup_manager.update_options import DIGEST, delete_option
from pbstore.cli.table import Column
from pbstore.config.acl_cfg import AclFile
from pbstore.config.roots import Roots
from pbstore.config.shadow import ShadowFile
from pbstore.config.token_shadow import TokenShadowFile
from pbstore.config.user_cfg import UserConfig, UserFile
from pbstore.errors import ConfigError, ParameterError, PbstoreError
from pbstore.model.auth_id import UserId

COLUMNS = (
    Column(name="userid"),
    ENABLE_COLUMN,
    EXPIRE_COLUMN,
    *(Column(name=name) for name in ("firstname", "lastname", "email", "comment")),
)
DELETABLE = ("comment", "firstname", "lastname", "email")


def list_users(console: Console, output_format: str | None) -> None:
    """Print all users."""
    users = UserFile(manager_roots(console)).load().users.values()
    rows = [_row(config) for config in sorted(users, key=lambda config: str(config.user))]
    console.print_rows(COLUMNS, rows, output_format)


def create(console: Console, userid: UserId, password: str | Prompt | None, **fields: Any) -> None:
    """Add a user, with a password if it is one of realm pbs."""
    roots = manager_roots(console)
    new_password = _new_password(console, userid, password)
    with UserFile(roots).edit() as edit:
        if userid in edit.current.users:
            raise ParameterError({"userid": f"user '{userid}' already exists."})
        # The password goes first: a user whose password was lost on the way could not log in.
        _store_password(roots, userid, new_password)
        edit.put_user(UserConfig(user=userid, **stored(fields)))


def update(
    console: Console,
    userid: UserId,
    password: str | Prompt | None,
    delete: list[str] | None,
    digest: str | None,
    **fields: Any,
) -> None:
    """Change what was given, take out what is to be deleted."""
    roots = manager_roots(console)
    new_password = _new_password(console, userid, password)
    with UserFile(roots).edit(digest) as edit:
        config = edit.current.users.get(userid)
        if config is None:
            raise ConfigError(f"no such user '{userid}'")
        changes: dict[str, Any] = {**dict.fromkeys(delete or ()), **without_none(fields)}
        edit.put_user(replace(config, **changes))
        _store_password(roots, userid, new_password)


def remove(console: Console, userid: UserId, digest: str | None) -> None:
    """Remove a user with its tokens, secrets and rights."""
    roots = manager_roots(console)
    with UserFile(roots).edit(digest) as edit:
        tokens = edit.current.tokens_of(userid)
        edit.remove_user(userid)
    secrets = TokenShadowFile(roots)
    with AclFile(roots).edit() as acl:
        acl.drop(str(userid))
        for token in tokens:
            acl.drop(str(token.auth_id))
    for token in tokens:
        secrets.remove(token.auth_id)
    if userid.realm == "pbs":
        ShadowFile(roots).remove(userid.name)


def _row(config: UserConfig) -> dict[str, Any]:
    names = ("comment", "email", "enable", "expire", "firstname", "lastname")
    return {"userid": str(config.user), **without_none({name: getattr(config, name) for name in names})}


def _new_password(console: Console, user: UserId, password: str | Prompt | None) -> str | None:
    if password is None:
        return None
    if user.realm != "pbs":
        raise PbstoreError(f"the password of '{user}' cannot be set here: only users of realm 'pbs' have one here")
    if isinstance(password, Prompt):
        password = console.ask_new_password("New Password: ")
    return check_new_password(password)


def _store_password(roots: Roots, user: UserId, password: str | None) -> None:
    if password is not None:
        ShadowFile(roots).set_password(user.name, password)


_PASSWORD = Parameter(
    name="password",
    schema=String(description="User Password. Asked for on the terminal when the value is left out."),
    optional=True,
)
_NAMES = (
    name_option("firstname", "First name."),
    name_option("lastname", "Last name."),
    name_option("email", "E-Mail Address."),
)

USER = Group(
    commands={
        "list": Command(description="List configured users.", run=list_users, parameters=(OUTPUT_FORMAT,)),
        "create": Command(
            description="Create new user.",
            run=create,
            positional=("userid",),
            prompted=("password",),
            parameters=(USER_ID, _PASSWORD, *NEW_ACCOUNT, *_NAMES),
        ),
        "update": Command(
            description="Update user configuration.",
            run=update,
            positional=("userid",),
            prompted=("password",),
            parameters=(USER_ID, _PASSWORD, *CHANGED_ACCOUNT, *_NAMES, delete_option(DELETABLE), DIGEST),
        ),
        "remove": Command(
            description="Remove a user from the configuration file.",
            run=remove,
            positional=("userid",),
            parameters=(USER_ID, DIGEST),
        ),
        **TOKEN_COMMANDS,
    }
)
