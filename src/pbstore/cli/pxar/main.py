"""The commands of `pxar` and its entry point."""

from typing import NoReturn

from pbstore.cli import program
from pbstore.cli.command import Group
from pbstore.cli.help_command import HELP
from pbstore.cli.pxar import create, extract, list_entries

PROGRAM = program.Program(
    name="pxar",
    description="Makes, extracts and lists archives of directory trees.",
    commands=Group(
        commands={
            "create": create.COMMAND,
            "extract": extract.COMMAND,
            "help": HELP,
            "list": list_entries.COMMAND,
        }
    ),
    log_variable="PXAR_LOG",
)


def main() -> NoReturn:
    """Run the command line of this process."""
    program.main(PROGRAM)
