"""The commands of `proxmox-backup-debug` and its entry point."""

from typing import NoReturn

from pbstore.cli import program
from pbstore.cli.command import Group
from pbstore.cli.help_command import HELP
from pbstore.cli.proxmox_backup_debug.diff_archive import DIFF_ARCHIVE
from pbstore.cli.proxmox_backup_debug.inspect_chunk import INSPECT_CHUNK
from pbstore.cli.proxmox_backup_debug.inspect_device import INSPECT_DEVICE
from pbstore.cli.proxmox_backup_debug.inspect_file import INSPECT_FILE
from pbstore.cli.proxmox_backup_debug.recover_index import RECOVER_INDEX

PROGRAM = program.Program(
    name="proxmox-backup-debug",
    description="Looks at chunks, indexes and blobs and saves archives, without a server; shows what differs between "
    "archives on a server. It has no `api` commands.",
    commands=Group(
        commands={
            "diff": Group(commands={"archive": DIFF_ARCHIVE}),
            "help": HELP,
            "inspect": Group(commands={"chunk": INSPECT_CHUNK, "device": INSPECT_DEVICE, "file": INSPECT_FILE}),
            "recover": Group(commands={"index": RECOVER_INDEX}),
        }
    ),
)


def main() -> NoReturn:
    """Run the command line of this process."""
    program.main(PROGRAM)
