"""What a command is: its parameters, which of them are positional, and the function that carries it out.

Programs are trees of groups and commands; words are found by unambiguous abbreviation (cli-client.md 1).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pbstore.api.schema import ListOf, Parameter
from pbstore.errors import PbstoreError


class UsageError(PbstoreError):
    """A command line that names no command; the usage text of `usage_of` belongs behind the message."""

    def __init__(self, text: str, usage_of: "Group", path: Sequence[str]):
        self.usage_of = usage_of
        self.path = tuple(path)
        super().__init__(text)


Completion: TypeAlias = Callable[..., Sequence[str]]
"""Proposes values: it takes the console and the raw values of the words before."""


@dataclass(frozen=True)
class Example:
    """A command line, without the program's name, and what it does."""

    line: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command.

    `run` is called with the console and one keyword argument a parameter. `positional` names the parameters given by
    place; only the last one may be a list. `completions` maps a parameter to what proposes values for it. `prompted`
    names the options whose value is asked for on the terminal when it is left out. `examples` are shown by `help`.
    `needless_with` maps positional parameters, which are optional then, to the flag without which they are missed.
    """

    description: str
    run: Callable[..., None]
    parameters: Sequence[Parameter] = ()
    positional: Sequence[str] = ()
    completions: Mapping[str, Completion] = field(default_factory=dict)
    prompted: Sequence[str] = ()
    examples: Sequence[Example] = ()
    needless_with: Mapping[str, str] = field(default_factory=dict)

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that wire name, or None."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    @property
    def positional_parameters(self) -> list[Parameter]:
        """The parameters given by place, in order."""
        return [parameter for name in self.positional if (parameter := self.parameter(name)) is not None]

    @property
    def option_parameters(self) -> list[Parameter]:
        """The parameters given by name, sorted by it."""
        named = (parameter for parameter in self.parameters if parameter.name not in self.positional)
        return sorted(named, key=lambda parameter: parameter.name)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Commands below one word. `aliases` are further words that lead to a path below this group."""

    commands: Mapping[str, "Command | Group"]
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def match(self, word: str) -> str | None:
        """The command word that `word` is or unambiguously abbreviates, else None."""
        if word in self.commands:
            return word
        matches = [name for name in self.commands if name.startswith(word)] if word else []
        return matches[0] if len(matches) == 1 else None


@dataclass(frozen=True)
class Found:
    """A command, the full words that lead to it, and the words behind them."""

    command: Command
    path: tuple[str, ...]
    words: tuple[str, ...]


def find_command(program: Group, words: Sequence[str]) -> Found:
    """Follow the words into the tree.

    Raises:
        UsageError: a word is missing, unknown or ambiguous.
    """
    rest = list(words)
    if rest and rest[0] in program.aliases:
        rest[:1] = program.aliases[rest[0]]
    node: Command | Group = program
    path: list[str] = []
    while isinstance(node, Group):
        if not rest:
            text = f"no command specified.\nPossible commands: {', '.join(sorted(node.commands))}"
            raise UsageError(text, node, path)
        word = rest.pop(0)
        name = node.match(word)
        if name is None:
            raise UsageError(f"no such command '{word}'", node, path)
        path.append(name)
        node = node.commands[name]
    return Found(node, tuple(path), tuple(rest))


def is_list(parameter: Parameter) -> bool:
    """Whether the parameter takes several values."""
    return isinstance(parameter.schema, ListOf)
