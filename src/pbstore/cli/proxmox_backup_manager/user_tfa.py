"""`user tfa list`, `delete` and `unlock`: second factors of a user, for whoever lost one."""

from pbstore.access.account_items import factor_item
from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command, Group
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_manager.completions import complete_factors, complete_users
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.table import Column
from pbstore.config.second_factors import SecondFactors
from pbstore.config.tfa_json import TfaFile
from pbstore.config.user_cfg import UserFile
from pbstore.errors import ConfigError
from pbstore.model.auth_id import UserId
from pbstore.model.local_time import local_time_text
from pbstore.server.account_parameters import USER_ID

COLUMNS = (
    Column(name="id"),
    Column(name="type"),
    Column(name="description"),
    Column(name="created", right=True, render=local_time_text),
)
FACTOR_ID = Parameter(name="id", schema=String(description="The tfa entry id."))


def list_factors(console: Console, userid: UserId, output_format: str | None) -> None:
    """Print the factors of a user, never their secrets."""
    factors = _file(console, userid).load().get(userid, SecondFactors())
    console.print_rows(COLUMNS, [factor_item(factor) for factor in factors.entries], output_format)


def delete(console: Console, userid: UserId, id: str) -> None:
    """Take one factor out."""
    if not _file(console, userid).remove(userid, id):
        raise ConfigError(f"no such tfa entry '{id}' of user '{userid}'")


def unlock(console: Console, userid: UserId) -> None:
    """Take the locks away that wrong codes left."""
    _file(console, userid).unlock(userid)


def _file(console: Console, user: UserId) -> TfaFile:
    roots = manager_roots(console)
    if user not in UserFile(roots).load().users:
        raise ConfigError(f"no such user '{user}'")
    return TfaFile(roots)


_OF_USER = {"userid": complete_users}

TFA = Group(
    commands={
        "list": Command(
            description="List TFA methods for a user.",
            run=list_factors,
            positional=("userid",),
            parameters=(USER_ID, OUTPUT_FORMAT),
            completions=_OF_USER,
        ),
        "delete": Command(
            description="Remove a single TFA entry from a user.",
            run=delete,
            positional=("userid", "id"),
            parameters=(USER_ID, FACTOR_ID),
            completions={**_OF_USER, "id": complete_factors},
        ),
        "unlock": Command(
            description="Unlock a user's TFA.",
            run=unlock,
            positional=("userid",),
            parameters=(USER_ID,),
            completions=_OF_USER,
        ),
    }
)
