"""The commands of `proxmox-backup-client` and its entry point."""

from typing import NoReturn

from pbstore.cli import program
from pbstore.cli.command import Group
from pbstore.cli.help_command import HELP
from pbstore.cli.proxmox_backup_client import (
    backup,
    list_groups,
    login,
    namespace_list,
    restore,
    snapshot_files,
    snapshot_list,
    status,
    version,
)
from pbstore.cli.proxmox_backup_client.key import KEY

PROGRAM = program.Program(
    name="proxmox-backup-client",
    description="Backs up directories, disk images and files to a backup server, and restores them.",
    commands=Group(
        commands={
            "backup": backup.COMMAND,
            "help": HELP,
            "key": KEY,
            "list": list_groups.COMMAND,
            "login": login.LOGIN,
            "logout": login.LOGOUT,
            "namespace": Group(commands={"list": namespace_list.COMMAND}),
            "restore": restore.COMMAND,
            "snapshot": Group(commands={"files": snapshot_files.COMMAND, "list": snapshot_list.COMMAND}),
            "status": status.COMMAND,
            "version": version.COMMAND,
        },
        aliases={"files": ("snapshot", "files"), "snapshots": ("snapshot", "list")},
    ),
)


def main() -> NoReturn:
    """Run the command line of this process."""
    program.main(PROGRAM)
