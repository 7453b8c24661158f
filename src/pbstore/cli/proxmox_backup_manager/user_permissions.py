"""`user permissions`: what a user or token may do, path by path."""

from pbstore.access.acl_tree import AclTree
from pbstore.access.permission_list import permissions_of
from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.proxmox_backup_manager.completions import complete_acl_paths, complete_auth_ids
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.config.acl_cfg import AclFile
from pbstore.model.auth_id import AuthId
from pbstore.server.account_parameters import ACL_PATH


def run(console: Console, auth_id: AuthId, path: str | None, output_format: str | None) -> None:
    """Print the privileges, those that hold below a path too with a mark."""
    rights = AclTree(AclFile(manager_roots(console)).load().entries)
    permissions = permissions_of(rights, auth_id, path)
    chosen = console.format(output_format)
    if chosen != "text":
        console.print(json_text(permissions, chosen))
        return
    console.print("Privileges with (*) have the propagate flag set\n")
    for shown, privileges in permissions.items():
        console.print(f"Path: {shown}")
        for name, propagates in privileges.items():
            console.print(f"- {name}{' (*)' if propagates else ''}")
    if path is not None and not permissions:
        console.print(f"Path: {path}\n- NoAccess")


PERMISSIONS = Command(
    description="List permissions of user/token.",
    run=run,
    positional=("auth-id",),
    parameters=(
        Parameter(name="auth-id", schema=String(description="Authentication ID", convert=AuthId.parse)),
        Parameter(name="path", schema=ACL_PATH, optional=True),
        OUTPUT_FORMAT,
    ),
    completions={"auth-id": complete_auth_ids, "path": complete_acl_paths},
)
