"""The commands of `proxmox-backup-client` and its entry point."""

from typing import NoReturn

from pbstore.cli import program
from pbstore.cli.command import Group
from pbstore.cli.help_command import HELP
from pbstore.cli.proxmox_backup_client import (
    backup,
    catalog_dump,
    change_owner,
    garbage_collect,
    group_forget,
    group_move,
    list_groups,
    login,
    namespace_create,
    namespace_delete,
    namespace_list,
    namespace_move,
    prune,
    restore,
    server_identity,
    snapshot_files,
    snapshot_forget,
    snapshot_list,
    snapshot_upload_log,
    status,
    version,
)
from pbstore.cli.proxmox_backup_client.benchmark import BENCHMARK
from pbstore.cli.proxmox_backup_client.completions import complete_namespaces, complete_repositories
from pbstore.cli.proxmox_backup_client.key import KEY
from pbstore.cli.proxmox_backup_client.manual import MANUAL
from pbstore.cli.proxmox_backup_client.snapshot_notes import NOTES
from pbstore.cli.proxmox_backup_client.snapshot_protected import PROTECTED
from pbstore.cli.proxmox_backup_client.task import TASK

_NAMESPACE = Group(
    commands={
        "create": namespace_create.COMMAND,
        "delete": namespace_delete.COMMAND,
        "list": namespace_list.COMMAND,
        "move": namespace_move.COMMAND,
    }
)
_SNAPSHOT = Group(
    commands={
        "files": snapshot_files.COMMAND,
        "forget": snapshot_forget.COMMAND,
        "list": snapshot_list.COMMAND,
        "notes": NOTES,
        "protected": PROTECTED,
        "upload-log": snapshot_upload_log.COMMAND,
    }
)

PROGRAM = program.Program(
    name="proxmox-backup-client",
    description="Backs up directories, disk images and files to a backup server, and restores them.",
    commands=Group(
        commands={
            "backup": backup.COMMAND,
            "benchmark": BENCHMARK,
            "catalog": Group(commands={"dump": catalog_dump.COMMAND}),
            "change-owner": change_owner.COMMAND,
            "garbage-collect": garbage_collect.COMMAND,
            "group": Group(commands={"forget": group_forget.COMMAND, "move": group_move.COMMAND}),
            "help": HELP,
            "key": KEY,
            "list": list_groups.COMMAND,
            "login": login.LOGIN,
            "logout": login.LOGOUT,
            "namespace": _NAMESPACE,
            "prune": prune.COMMAND,
            "restore": restore.COMMAND,
            "server-identity": server_identity.COMMAND,
            "snapshot": _SNAPSHOT,
            "status": status.COMMAND,
            "task": TASK,
            "version": version.COMMAND,
        },
        aliases={
            "files": ("snapshot", "files"),
            "forget": ("snapshot", "forget"),
            "snapshots": ("snapshot", "list"),
            "upload-log": ("snapshot", "upload-log"),
        },
    ),
    manual=MANUAL,
    completions={"repository": complete_repositories, "ns": complete_namespaces},
)


def main() -> NoReturn:
    """Run the command line of this process."""
    program.main(PROGRAM)
