"""Words behind a command of a storage host: options anywhere, in the grammar of its programs (pve-storage.md 6).

`--name value`, `--name=value`, `-name value`; names may be abbreviated; a list may be given in parts.
"""

from collections.abc import Sequence

from pbstore.api.schema import FALSE_WORDS, TRUE_WORDS, Parameter
from pbstore.cli.command import Command
from pbstore.errors import PbstoreError
from pbstore.pve.value_types import Flag, Words


class CommandLineError(PbstoreError):
    """Words that do not fit the command; the usage line belongs behind the text."""


def split_host_words(command: Command, words: Sequence[str]) -> tuple[dict[str, object], set[str]]:
    """Return raw values by parameter name, and the names of options whose value is to be asked for.

    Raises:
        CommandLineError: an unknown option, a value or argument too few, an argument too many.
    """
    split = _Words(command, words)
    split.split()
    return split.raw, split.asked


class _Words:
    def __init__(self, command: Command, words: Sequence[str]):
        self.command = command
        self.rest = list(words)
        self.raw: dict[str, object] = {}
        self.asked: set[str] = set()
        self.complaints: list[str] = []
        self.positional: list[str] = []

    def split(self) -> None:
        while self.rest:
            word = self.rest.pop(0)
            if word == "--":
                self.positional += self.rest
                break
            if len(word) > 1 and word.startswith("-"):
                self.take_option(word.removeprefix("-").removeprefix("-"))
            else:
                self.positional.append(word)
        if self.complaints:
            raise CommandLineError("\n".join([*self.complaints, "400 unable to parse option"]))
        places = self.command.positional_parameters
        if len(self.positional) > len(places):
            raise CommandLineError("400 too many arguments")
        self.raw |= {place.name: word for place, word in zip(places, self.positional, strict=False)}
        if any(not place.optional and place.name not in self.raw for place in places):
            raise CommandLineError("400 not enough arguments")

    def take_option(self, text: str) -> None:
        name, equals, value = text.partition("=")
        parameter = self.find(name)
        if parameter is None:
            return
        taken = value if equals else self.following(parameter)
        if taken is None and parameter.name in self.command.prompted:
            self.asked.add(parameter.name)
        elif taken is None:
            self.complaints.append(f"Option {parameter.name} requires an argument")
        elif isinstance(parameter.schema, Words) and parameter.name in self.raw:
            self.raw[parameter.name] = f"{self.raw[parameter.name]},{taken}"
        else:
            self.raw[parameter.name] = taken

    def find(self, name: str) -> Parameter | None:
        options = {option.name: option for option in self.command.option_parameters}
        if name in options:
            return options[name]
        found = [option for option in options if option.startswith(name)] if name else []
        if len(found) == 1:
            return options[found[0]]
        if found:
            self.complaints.append(f"Option {name} is ambiguous ({', '.join(sorted(found))})")
        else:
            self.complaints.append(f"Unknown option: {name}")
        return None

    def following(self, parameter: Parameter) -> str | None:
        """The value in the next word; None if there is none."""
        word = self.rest[0] if self.rest else None
        if isinstance(parameter.schema, Flag):
            if word is not None and word.lower() in TRUE_WORDS | FALSE_WORDS:
                return self.rest.pop(0)
            return "1"
        # A number below zero is a value; what else begins with a dash is the next option.
        if word is None or (word.startswith("-") and not word[1:2].isdigit() and word != "-"):
            return None
        return self.rest.pop(0)
