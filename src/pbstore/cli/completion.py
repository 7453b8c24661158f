"""Completion for bash: `complete -C '<program> bashcomplete' <program>` (cli-client.md 1)."""

import shlex
from collections.abc import Mapping, Sequence

from pbstore.api.schema import Boolean, Enum, ListOf, Parameter, Schema
from pbstore.cli.command import Command, Completion, Group, is_list
from pbstore.cli.console import Console


def complete(
    program: Group,
    console: Console,
    arguments: Sequence[str] = (),
    shared: Mapping[str, Completion] | None = None,
) -> list[str]:
    """Return the candidates for the word under the cursor, from `COMP_LINE` and `COMP_POINT`.

    Args:
        program: the program's commands.
        console: the environment.
        arguments: what the shell calls a completer with: the command, the word that it will replace, the word before.
        shared: completions of parameters that have the same meaning in all commands.
    """
    line = console.environment.get("COMP_LINE", "")
    point = console.environment.get("COMP_POINT", "")
    if point.isascii() and point.isdigit():
        line = line.encode()[: int(point)].decode(errors="ignore")
    words = _split(line)[1:] or [""]
    current = words[-1]
    replaced = arguments[1] if len(arguments) > 1 and current.endswith(arguments[1]) else current
    # A shell may split words at colons and equal signs: it replaces only what is behind the last one.
    kept = len(current) - len(replaced)
    found = candidates(program, words[:-1], current, console, shared)
    return [candidate[kept:] for candidate in found]


def candidates(
    program: Group,
    words: Sequence[str],
    current: str,
    console: Console,
    shared: Mapping[str, Completion] | None = None,
) -> list[str]:
    """Return what `current` may become after the finished `words`."""
    rest = list(words)
    if rest and rest[0] in program.aliases:
        rest[:1] = program.aliases[rest[0]]
    node: Command | Group = program
    while isinstance(node, Group):
        if not rest:
            names = [*node.commands, *(node.aliases if node is program else ())]
            return sorted(name for name in names if name.startswith(current))
        name = node.match(rest.pop(0))
        if name is None:
            return []
        node = node.commands[name]
    return _CommandCandidates(node, console, shared or {}).of(rest, current)


class _CommandCandidates:
    def __init__(self, command: Command, console: Console, shared: Mapping[str, Completion]):
        self.command = command
        self.console = console
        self.completions = {**shared, **command.completions}
        self.raw: dict[str, object] = {}

    def of(self, words: list[str], current: str) -> list[str]:
        places = self.command.positional_parameters
        pending: Parameter | None = None
        only_places = False
        for word in words:
            if only_places or pending is not None or not word.startswith("-") or word == "-":
                pending = self._take_value(word, pending, places)
            elif word == "--":
                only_places = True
            else:
                pending = self._take_option(word)
        if pending is not None:
            return self._values(pending, current)
        if current.startswith("-") and not only_places:
            name, equals, value = current.partition("=")
            parameter = self.command.parameter(name.lstrip("-")) if equals else None
            if parameter is not None:
                return [f"{name}={candidate}" for candidate in self._values(parameter, value)]
            return self._options(current)
        if places:
            return self._values(places[0], current)
        return [] if current else self._options("--")

    def _take_value(self, word: str, pending: Parameter | None, places: list[Parameter]) -> Parameter | None:
        if pending is not None:
            self.raw[pending.name] = word
        elif places:
            self.raw[places[0].name] = word
            if not is_list(places[0]):
                del places[0]
        return None

    def _take_option(self, word: str) -> Parameter | None:
        name, equals, value = word.lstrip("-").partition("=")
        parameter = self.command.parameter(name)
        if equals:
            self.raw[name] = value
            return None
        # A lone flag is complete already: its optional value is not proposed.
        return None if parameter is None or isinstance(parameter.schema, Boolean) else parameter

    def _options(self, current: str) -> list[str]:
        names = (f"--{option.name}" for option in self.command.option_parameters)
        return [name for name in names if name.startswith(current)]

    def _values(self, parameter: Parameter, current: str) -> list[str]:
        hook = self.completions.get(parameter.name)
        values = _fixed_values(parameter.schema) if hook is None else hook(self.console, self.raw)
        return sorted(value for value in values if value.startswith(current))


def _fixed_values(schema: Schema) -> Sequence[str]:
    if isinstance(schema, ListOf):
        return _fixed_values(schema.item)
    if isinstance(schema, Boolean):
        return ("false", "true")
    return schema.values if isinstance(schema, Enum) else ()


def _split(line: str) -> list[str]:
    """Words of an unfinished line; an unfinished quote is closed, a trailing blank starts a new word."""
    for closing in ("", "'", '"'):
        try:
            words = shlex.split(line + closing)
        except ValueError:
            continue
        return [*words, ""] if line[-1:].isspace() and not closing else words
    return line.split()
