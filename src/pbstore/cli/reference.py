"""The reference page of a program in Markdown, made from the command descriptions."""

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command, Group
from pbstore.cli.usage import all_commands, command_line, parameter_head


def reference_page(name: str, description: str, commands: Group) -> str:
    """One section a command: usage line, description, table of its parameters."""
    sections = [_section(" ".join(path), command) for path, command in all_commands(commands, (name,))]
    aliases = [f"`{name} {alias}` is `{name} {' '.join(path)}`" for alias, path in sorted(commands.aliases.items())]
    parts = [f"# {name}", description, *sections]
    if aliases:
        parts.append("Short forms: " + "; ".join(aliases) + ".")
    return "\n\n".join(parts) + "\n"


def _section(title: str, command: Command) -> str:
    parts = [f"## {title}", command.description, f"```\n{command_line(title, command)}\n```"]
    rows = [_row(f"<{parameter.name}>", parameter) for parameter in command.positional_parameters]
    rows += [_row(f"--{parameter.name}", parameter) for parameter in command.option_parameters]
    if rows:
        parts.append("\n".join(["| Parameter | Values | Meaning |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts)


def _row(head: str, parameter: Parameter) -> str:
    values = parameter_head(parameter).replace("   ", " ").replace("|", "\\|")
    return f"| `{head}` | `{values}` | {parameter.schema.description} |"
