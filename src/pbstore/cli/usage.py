"""Usage texts in the original's layout: one line a command, and the full description of one command."""

import textwrap
from collections.abc import Iterator, Sequence

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command, Group, is_list

_INDENT = " " * 13
_WIDTH = 80


def command_line(prefix: str, command: Command) -> str:
    """One line: words, positional arguments, required options, `[OPTIONS]` when there are optional ones."""
    parts = [prefix]
    for parameter in command.positional_parameters:
        text = f"{{<{parameter.name}>}}" if is_list(parameter) else f"<{parameter.name}>"
        is_needed = not parameter.optional or parameter.name in command.needless_with
        parts.append(text if is_needed else f"[{text}]")
    options = command.option_parameters
    parts += [f"--{option.name} {option.schema.type_text}" for option in options if not option.optional]
    if any(option.optional for option in options):
        parts.append("[OPTIONS]")
    return " ".join(parts)


def all_commands(group: Group, path: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Command]]:
    """Every command below `group` with the full words that lead to it, sorted by words."""
    for name, node in sorted(group.commands.items()):
        if isinstance(node, Group):
            yield from all_commands(node, (*path, name))
        else:
            yield (*path, name), node


def group_usage(group: Group, prefix: Sequence[str]) -> str:
    """`Usage:` and a line for each command below the group."""
    lines = [command_line(" ".join(path), command) for path, command in all_commands(group, prefix)]
    return "\n".join(["Usage:", "", *lines])


def command_usage(prefix: str, command: Command) -> str:
    """The usage line and all parameters with types, defaults and descriptions."""
    positional = command.positional_parameters
    required = [option for option in command.option_parameters if not option.optional]
    optional = [option for option in command.option_parameters if option.optional]
    lines = [f"Usage: {command_line(prefix, command)}"]
    for parameter in positional:
        lines += ["", *_describe(f"<{parameter.name}>", parameter)]
    for parameter in required:
        lines += ["", *_describe(f"--{parameter.name}", parameter)]
    if optional:
        lines += ["", "Optional parameters:", ""]
        for parameter in optional:
            lines += _describe(f"--{parameter.name}", parameter)
    return "\n".join(lines)


def help_page(prefix: str, command: Command) -> str:
    """What `help` says of a command: its usage, what it does, and examples."""
    usage, _, parameters = command_usage(prefix, command).partition("\n")
    description = textwrap.fill(command.description, _WIDTH, break_on_hyphens=False)
    parts = [usage, description, parameters.removeprefix("\n")]
    program = prefix.partition(" ")[0]
    if command.examples:
        shown = (f"  {program} {example.line}\n      {example.meaning}" for example in command.examples)
        parts.append("\n".join(["Examples:", "", *shown]))
    return "\n\n".join(part for part in parts if part)


def parameter_head(parameter: Parameter) -> str:
    """Type and default of a parameter."""
    default = parameter.default
    text = parameter.schema.type_text
    if not parameter.optional or default is None:
        return text
    return f"{text}   (default={str(default).lower() if isinstance(default, bool) else default})"


def _describe(head: str, parameter: Parameter) -> list[str]:
    text = parameter.schema.description
    if is_list(parameter):
        text += " Can be specified more than once."
    return [f" {head:<10} {parameter_head(parameter)}", *_wrap(text)]


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)
