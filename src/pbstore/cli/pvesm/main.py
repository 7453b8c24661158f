"""The commands of `pvesm` and its entry point."""

from typing import NoReturn

from pbstore.cli import program
from pbstore.cli.command import Group
from pbstore.cli.help_command import HELP
from pbstore.cli.host_program import host_program
from pbstore.cli.pvesm import (
    add,
    alloc,
    apiinfo,
    extractconfig,
    free,
    list_volumes,
    path,
    prune_backups,
    remove,
    scan_pbs,
    set_options,
    status,
    volume_streams,
)

PROGRAM = host_program(
    "pvesm",
    "Manages the storages of a virtualization host, for all nodes of its cluster.",
    Group(
        commands={
            "add": add.COMMAND,
            "alloc": alloc.COMMAND,
            "apiinfo": apiinfo.COMMAND,
            "export": volume_streams.EXPORT,
            "extractconfig": extractconfig.COMMAND,
            "free": free.COMMAND,
            "help": HELP,
            "import": volume_streams.IMPORT,
            "list": list_volumes.COMMAND,
            "path": path.COMMAND,
            "prune-backups": prune_backups.COMMAND,
            "remove": remove.COMMAND,
            "scan": Group(commands={"pbs": scan_pbs.COMMAND}),
            "set": set_options.COMMAND,
            "status": status.COMMAND,
        },
        aliases={"pbsscan": ("scan", "pbs")},
    ),
)


def main() -> NoReturn:
    """Run the command line of this process."""
    program.main(PROGRAM)
