"""The commands of `proxmox-backup-manager` and its entry point."""

from typing import NoReturn

from pbstore.cli import program
from pbstore.cli.command import Group
from pbstore.cli.help_command import HELP
from pbstore.cli.proxmox_backup_manager.acl import ACL
from pbstore.cli.proxmox_backup_manager.cert import CERT
from pbstore.cli.proxmox_backup_manager.datastore import DATASTORE
from pbstore.cli.proxmox_backup_manager.prune import PRUNE
from pbstore.cli.proxmox_backup_manager.task import TASK
from pbstore.cli.proxmox_backup_manager.user import USER
from pbstore.cli.proxmox_backup_manager.verify import VERIFY
from pbstore.cli.proxmox_backup_manager.versions import VERSIONS

PROGRAM = program.Program(
    name="proxmox-backup-manager",
    description="Edits the configuration of the backup server, with or without a running server, and starts its tasks.",
    commands=Group(
        commands={
            "acl": ACL,
            "cert": CERT,
            "datastore": DATASTORE,
            "help": HELP,
            "prune": PRUNE,
            "task": TASK,
            "user": USER,
            "verify": VERIFY,
            "versions": VERSIONS,
        }
    ),
)


def main() -> NoReturn:
    """Run the command line of this process."""
    program.main(PROGRAM)
