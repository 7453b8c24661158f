"""`acl list` and `acl update`: who may do what where."""

from typing import Any

from pbstore.access.account_items import acl_item
from pbstore.access.role_grants import check_grantee, grant_role, revoke_role
from pbstore.api.schema import Parameter
from pbstore.cli.command import Command, Group
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_manager.completions import complete_acl_paths, complete_auth_ids
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.proxmox_backup_manager.update_options import DIGEST
from pbstore.cli.table import Column
from pbstore.config.acl_cfg import AclEntry, AclFile
from pbstore.model.auth_id import AuthId
from pbstore.server.account_parameters import ACL_PATH, DELETE_GRANT, GRANTEE, GROUP, PROPAGATE, ROLE

COLUMNS = (Column(name="ugid"), Column(name="path"), Column(name="propagate", right=True), Column(name="roleid"))


def list_entries(console: Console, output_format: str | None) -> None:
    """Print all entries, groups with an `@` in front."""
    entries = AclFile(manager_roots(console)).load().entries
    rows = [_table_row(entry) for entry in sorted(entries, key=lambda entry: (entry.ugid, entry.path, entry.role))]
    console.print_rows(COLUMNS, rows, output_format, wire=[acl_item(entry) for entry in sorted(entries)])


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
    roots, grantee = manager_roots(console), check_grantee(auth_id, group)
    if delete:
        revoke_role(roots, path, grantee, role, digest=digest)
    else:
        grant_role(roots, path, grantee, role, propagate=propagate, digest=digest)


def _table_row(entry: AclEntry) -> dict[str, Any]:
    return {"ugid": entry.ugid, "path": entry.path, "propagate": entry.propagate, "roleid": entry.role}


ACL = Group(
    commands={
        "list": Command(description="Access Control list.", run=list_entries, parameters=(OUTPUT_FORMAT,)),
        "update": Command(
            description="Update Access Control List (ACLs).",
            run=update,
            positional=("path", "role"),
            completions={"path": complete_acl_paths, "auth-id": complete_auth_ids},
            parameters=(
                Parameter(name="path", schema=ACL_PATH),
                ROLE,
                GRANTEE,
                GROUP,
                PROPAGATE,
                DELETE_GRANT,
                DIGEST,
            ),
        ),
    }
)
