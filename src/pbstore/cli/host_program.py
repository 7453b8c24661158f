"""Run a storage host's program: its forms of help, usage and errors (pve-storage.md 6)."""

import sys

from pbstore.cli.command import Command, Found, Group, UsageError, find_command
from pbstore.cli.console import Console
from pbstore.cli.host_option_parser import CommandLineError, split_host_words
from pbstore.cli.option_parser import PROMPT
from pbstore.cli.printable import printable_lines
from pbstore.cli.program import FAILURE, Program, answers_tools, wants_help
from pbstore.cli.usage import all_commands, command_line, command_usage
from pbstore.errors import ParameterError
from pbstore.pve.parameters import parse_parameters

PASSWORD_QUESTION = "Enter Password: "  # noqa: S105 - the question, not the answer


def host_program(name: str, description: str, commands: Group) -> Program:
    """A program whose words are read as the storage host's programs read them."""
    return Program(name=name, description=description, commands=commands, interpret=_interpret, error_prefix="")


def ask_password(console: Console, value: object) -> str:
    """The value of a password option, asked for if it was given without one.

    Raises:
        NoTerminalError: nobody can be asked.
    """
    return console.ask_password(PASSWORD_QUESTION, echo=False) if value is PROMPT else str(value)


def _interpret(program: Program, words: list[str], console: Console) -> int:
    if answers_tools(program, words, console):
        return 0
    if wants_help(words):
        return _help(program, words[1:], console)
    try:
        found = find_command(program.commands, words)
    except UsageError as error:
        return _unknown(program, words, error)
    if "--help" in found.words:
        console.print(_page(program, found.path, found.command))
        return 0
    return _run(program, found, console)


def _run(program: Program, found: Found, console: Console) -> int:
    usage = command_line(" ".join((program.name, *found.path)), found.command)
    try:
        raw, asked = split_host_words(found.command, found.words)
        parameters = [parameter for parameter in found.command.parameters if parameter.name not in asked]
        values = parse_parameters(parameters, raw)
        known = {parameter.name: parameter.python_name for parameter in found.command.parameters}
        absent = dict.fromkeys(known.values())
        given = {known[name]: value for name, value in values.items()} | {known[name]: PROMPT for name in asked}
        found.command.run(console, **{**absent, **given})
    except CommandLineError as error:
        return _fail(f"{error}\n{usage}")
    except ParameterError as error:
        lines = [f"{name}: {reason}" for name, reason in error.errors.items()]
        return _fail("\n".join(["400 Parameter verification failed.", *lines, usage]))
    return 0


def _help(program: Program, words: list[str], console: Console) -> int:
    verbose = any(word.lstrip("-") in ("verbose", "v") for word in words if word.startswith("-"))
    names = [word for word in words if not word.startswith("-")]
    node: Command | Group = program.commands
    path: tuple[str, ...] = ()
    for word in names:
        name = node.match(word) if isinstance(node, Group) else None
        if name is None or not isinstance(node, Group):
            return _fail(f"ERROR: unknown command '{' '.join((program.name, *names))}'\n{_usage(program)}")
        path, node = (*path, name), node.commands[name]
    if isinstance(node, Command):
        console.print(_page(program, path, node))
    elif verbose:
        commands = all_commands(node, path)
        console.print("\n\n".join(_page(program, full, command) for full, command in commands))
    else:
        console.print(_usage(program, node, path))
    return 0


def _unknown(program: Program, words: list[str], error: UsageError) -> int:
    """No command: say so, and what there is."""
    if len(error.path) >= len(words):
        text = "ERROR: no command specified"
    else:
        text = f"ERROR: unknown command '{' '.join((program.name, *words[: len(error.path) + 1]))}'"
    return _fail(f"{text}\n{_usage(program, error.usage_of, error.path)}")


def _usage(program: Program, group: Group | None = None, path: tuple[str, ...] = ()) -> str:
    prefix = " ".join((program.name, *path))
    commands = all_commands(program.commands if group is None else group, path)
    lines = [command_line(" ".join((program.name, *full)), command) for full, command in commands]
    return "\n       ".join([f"USAGE: {prefix} <COMMAND> [ARGS] [OPTIONS]", *lines])


def _page(program: Program, path: tuple[str, ...], command: Command) -> str:
    usage, _, parameters = command_usage(" ".join((program.name, *path)), command).partition("\n")
    return "\n".join([f"USAGE: {usage.removeprefix('Usage: ')}", "", f"  {command.description}", parameters]).rstrip()


def _fail(text: str) -> int:
    print(printable_lines(text), file=sys.stderr, flush=True)
    return FAILURE
