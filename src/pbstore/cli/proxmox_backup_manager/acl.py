"""`acl list` and `acl update`: who may do what where."""

from typing import Any

from pbstore.access.acl_path import check_acl_path
from pbstore.access.roles import ROLES
from pbstore.api.schema import Boolean, Enum, Parameter, String
from pbstore.cli.command import Command, Group
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.proxmox_backup_manager.update_options import DIGEST
from pbstore.cli.table import Column
from pbstore.config.acl_cfg import AclEntry, AclFile
from pbstore.config.roots import Roots
from pbstore.config.user_cfg import UserFile
from pbstore.errors import ConfigError, PbstoreError
from pbstore.model.auth_id import AuthId

COLUMNS = (Column(name="ugid"), Column(name="path"), Column(name="propagate", right=True), Column(name="roleid"))


def list_entries(console: Console, output_format: str | None) -> None:
    """Print all entries, groups with an `@` in front."""
    entries = AclFile(manager_roots(console)).load().entries
    rows = [_table_row(entry) for entry in sorted(entries, key=lambda entry: (entry.ugid, entry.path, entry.role))]
    console.print_rows(COLUMNS, rows, output_format, wire=[_wire_row(entry) for entry in sorted(entries)])


def update(
    console: Console,
    path: str,
    role: str,
    auth_id: AuthId | None,
    group: str | None,
    propagate: bool,
    delete: bool,
    digest: str | None,
) -> None:
    """Give or take a role."""
    if group is not None:
        raise PbstoreError("parameter 'group' - groups are currently not supported.")
    if auth_id is None:
        raise PbstoreError("missing 'userid' or 'group' parameter: name whom with --auth-id")
    roots = manager_roots(console)
    if not delete:
        check_acl_path(path)
        _check_exists(roots, auth_id)
    with AclFile(roots).edit(digest) as edit:
        if delete:
            edit.revoke(path, str(auth_id), role)
        else:
            edit.grant(path, str(auth_id), role, propagate=propagate)


def _check_exists(roots: Roots, auth_id: AuthId) -> None:
    users = UserFile(roots).load()
    if auth_id.is_token and auth_id not in users.tokens:
        raise ConfigError(f"no such API token '{auth_id}'")
    if auth_id.user not in users.users:
        raise ConfigError(f"no such user '{auth_id}'")


def _table_row(entry: AclEntry) -> dict[str, Any]:
    return {"ugid": entry.ugid, "path": entry.path, "propagate": entry.propagate, "roleid": entry.role}


def _wire_row(entry: AclEntry) -> dict[str, Any]:
    kind = "group" if entry.ugid.startswith("@") else "user"
    return {**_table_row(entry), "ugid": entry.ugid.removeprefix("@"), "ugid_type": kind}


ACL = Group(
    commands={
        "list": Command(description="Access Control list.", run=list_entries, parameters=(OUTPUT_FORMAT,)),
        "update": Command(
            description="Update Access Control List (ACLs).",
            run=update,
            positional=("path", "role"),
            parameters=(
                Parameter(
                    name="path",
                    schema=String(description="Access control path.", pattern=r"/|(?:/[A-Za-z0-9_][A-Za-z0-9._\-]*)+"),
                ),
                Parameter(name="role", schema=Enum(description="Role", values=tuple(ROLES))),
                Parameter(
                    name="auth-id",
                    schema=String(description="Authentication ID", convert=AuthId.parse),
                    optional=True,
                ),
                Parameter(name="group", schema=String(description="Group ID"), optional=True),
                Parameter(
                    name="propagate",
                    schema=Boolean(description="Allow to propagate (inherit) permissions."),
                    optional=True,
                    default=True,
                ),
                Parameter(
                    name="delete",
                    schema=Boolean(description="Remove permissions (instead of adding it)."),
                    optional=True,
                    default=False,
                ),
                DIGEST,
            ),
        ),
    }
)
