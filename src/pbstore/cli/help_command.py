"""The `help` command as it is listed; `program.py` answers it, since it needs the whole tree."""

from pbstore.api.schema import Boolean, ListOf, Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console


def _answered_by_the_program(console: Console, command: list[str] | None, verbose: bool) -> None:
    """Never reached: `program.py` takes the word before commands are looked up."""


HELP = Command(
    description="Get help about specified command (or sub-command).",
    run=_answered_by_the_program,
    positional=("command",),
    parameters=(
        Parameter(
            name="command",
            schema=ListOf(description="Command.", item=String(description="Command word.")),
            optional=True,
        ),
        Parameter(name="verbose", schema=Boolean(description="Verbose help."), optional=True),
    ),
)
