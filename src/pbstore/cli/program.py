"""Run a program: find the command, parse its words, turn what goes wrong into one line and an exit code."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

from pbstore.cli.command import Command, Completion, Group, UsageError, find_command
from pbstore.cli.completion import complete
from pbstore.cli.console import Console, drop_stream
from pbstore.cli.manual import Chapter
from pbstore.cli.option_parser import AdditionalArgumentsError, parse_words
from pbstore.cli.reference import reference_page
from pbstore.cli.usage import all_commands, command_usage, group_usage, help_page
from pbstore.errors import ParameterError, PbstoreError

FAILURE = 255


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program's name, what it is for, and its commands; `help` is one of them.

    `log_variable` is the environment variable that says which log lines are wanted; `completions` propose values for
    parameters that many commands have; `manual` are the chapters of its manual page behind the commands. `interpret`
    runs words in another manner than the backup server's programs do, and `error_prefix` stands before what went wrong.
    """

    name: str
    description: str
    commands: Group
    log_variable: str = "PBS_LOG"
    completions: Mapping[str, Completion] = field(default_factory=dict)
    manual: Sequence[Chapter] = ()
    interpret: Callable[["Program", list[str], Console], int] | None = None
    error_prefix: str = "Error:"


def run_program(program: Program, words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one command line and return the exit code: 0 or 255."""
    console = Console(environment, log_variable=program.log_variable)
    try:
        return (program.interpret or _run)(program, list(words), console)
    except UsageError as error:
        usage = group_usage(error.usage_of, (program.name, *error.path))
        return _fail(console, f"{error}\n\n{usage}")
    except BrokenPipeError:
        # Whoever read our output has gone.
        drop_stream(sys.stdout)
        return FAILURE
    except PbstoreError as error:
        return _fail(console, str(error), error.exit_code, program.error_prefix)
    except OSError as error:
        return _fail(console, _os_error_text(error), prefix=program.error_prefix)
    except KeyboardInterrupt:
        return _fail(console, "interrupted")
    except Exception as error:
        if console.logs("debug"):
            traceback.print_exc()
        return _fail(
            console, f"internal error, set {program.log_variable}=debug to see where: {type(error).__name__}: {error}"
        )
    finally:
        console.end()


def main(program: Program) -> NoReturn:
    """Entry point of the installed command."""
    signal.signal(signal.SIGTERM, _interrupt)
    exit_code = run_program(program, sys.argv[1:], os.environ)
    if threading.active_count() > 1:
        # Work that could not be stopped: an orderly end would wait for it, or crash it.
        sys.stdout.flush()
        os._exit(exit_code)
    sys.exit(exit_code)


def answers_tools(program: Program, words: list[str], console: Console) -> bool:
    """Print what shells ask for completion or the documentation is made of, if it is that what the words want."""
    match words[:1]:
        case ["bashcomplete"]:
            for candidate in complete(program.commands, console, words[1:], program.completions):
                console.print(candidate)
        case ["printdoc"]:
            console.write(reference_page(program.name, program.description, program.commands))
        case _:
            return False
    return True


def wants_help(words: list[str]) -> bool:
    """Whether the words are `help …`, or nothing but the option for it."""
    return words[:1] == ["help"] or words in (["--help"], ["-h"])


def _run(program: Program, words: list[str], console: Console) -> int:
    if answers_tools(program, words, console):
        return 0
    if wants_help(words):
        return _help(program, words[1:], console)
    found = find_command(program.commands, words)
    prefix = " ".join((program.name, *found.path))
    if "--help" in found.words or "-h" in found.words:
        console.print(help_page(prefix, found.command))
        return 0
    try:
        arguments = parse_words(found.command, found.words)
    except (ParameterError, AdditionalArgumentsError) as error:
        return _fail(console, f"{error}\n{command_usage(prefix, found.command)}")
    found.command.run(console, **arguments)
    return 0


def _help(program: Program, words: list[str], console: Console) -> int:
    verbose = any(word in ("--verbose", "-verbose") for word in words)
    node: Command | Group = program.commands
    path = [program.name]
    for word in (word for word in words if not word.startswith("-")):
        name = node.match(word) if isinstance(node, Group) else None
        if name is None or not isinstance(node, Group):
            raise UsageError(f"no such command '{word}'", program.commands, ())
        path.append(name)
        node = node.commands[name]
    if isinstance(node, Command):
        console.print(help_page(" ".join(path), node))
    elif verbose:
        pages = [help_page(" ".join(full), command) for full, command in all_commands(node, path)]
        console.print("\n\n".join(pages))
    else:
        console.print(group_usage(node, path))
        console.print(f"\nWhat one of them does: {program.name} help <command>")
    return 0


def _fail(console: Console, text: str, exit_code: int = FAILURE, prefix: str = "Error:") -> int:
    console.error(text, prefix=prefix)
    return exit_code


def _os_error_text(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
