"""Turn the words behind a command into raw parameter texts: options anywhere, positional arguments in order.

The grammar is the original's: `--opt value`, `--opt=value`, `-opt value`, `--` ends the options (cli-client.md 1).
"""

import difflib
from collections.abc import Sequence
from typing import Any

from pbstore.api.schema import FALSE_WORDS, TRUE_WORDS, Boolean, Enum, Parameter, parse_parameters
from pbstore.cli.command import Command, is_list
from pbstore.errors import ParameterError, PbstoreError


class AdditionalArgumentsError(PbstoreError):
    """More positional words than the command takes."""

    def __init__(self, words: Sequence[str]):
        quoted = ", ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
        super().__init__(f"got additional arguments: [{quoted}]")


class _Words:
    """Splits words into options and positional words."""

    def __init__(self, command: Command, words: Sequence[str]):
        self.command = command
        self.rest = list(words)
        self.options: dict[str, list[str]] = {}
        self.positional: list[str] = []
        self.errors: dict[str, str] = {}
        self.prompted: set[str] = set()

    def split(self) -> None:
        while self.rest:
            word = self.rest.pop(0)
            if word == "--":
                self.positional += self.rest
                return
            if len(word) > 1 and word.startswith("-"):
                self.take_option(word[2:] if word.startswith("--") else word[1:])
            else:
                self.positional.append(word)

    def take_option(self, text: str) -> None:
        name, equals, value = text.partition("=")
        parameter = self.command.parameter(name)
        if not equals:
            value = self.value_of(name, parameter)
        self.options.setdefault(name, []).append(value)

    def value_of(self, name: str, parameter: Parameter | None) -> str:
        following = self.rest[0] if self.rest else None
        if parameter is not None and isinstance(parameter.schema, Boolean):
            if following is not None and following.lower() in TRUE_WORDS | FALSE_WORDS:
                return self.rest.pop(0)
            if parameter.default:
                self.errors[name] = "missing boolean value."
            return "true"
        if following is not None and (following == "-" or not following.startswith("-")):
            return self.rest.pop(0)
        if parameter is not None and name in self.command.prompted:
            self.prompted.add(name)
        elif parameter is not None:
            self.errors[name] = "missing parameter value."
        return ""


def split_words(command: Command, words: Sequence[str]) -> dict[str, object]:
    """Return raw values by parameter name: a text, or a list of texts for list parameters.

    Raises:
        ParameterError: missing values or arguments, scalars given twice.
        AdditionalArgumentsError: words that belong to no parameter.
    """
    split = _Words(command, words)
    split.split()
    errors = split.errors
    raw: dict[str, object] = {}
    for name, values in split.options.items():
        parameter = command.parameter(name)
        if parameter is not None and is_list(parameter):
            raw[name] = values
        elif len(values) > 1 and parameter is not None:
            errors[name] = "duplicate parameter."
        else:
            raw[name] = None if name in split.prompted else values[0]
    _place(command, split.positional, raw, errors)
    if errors:
        raise ParameterError(errors)
    return raw


def _place(command: Command, words: list[str], raw: dict[str, object], errors: dict[str, str]) -> None:
    for parameter in command.positional_parameters:
        if parameter.name in raw:
            continue
        if is_list(parameter):
            if words:
                raw[parameter.name], words = words, []
        elif words:
            raw[parameter.name], words = words[0], words[1:]
        if parameter.name not in raw and _is_needed(command, parameter, raw):
            errors[parameter.name] = "missing argument"
    if words:
        raise AdditionalArgumentsError(words)


def _is_needed(command: Command, parameter: Parameter, raw: dict[str, object]) -> bool:
    option = command.needless_with.get(parameter.name)
    if option is None:
        return not parameter.optional
    return str(raw.get(option)).lower() not in TRUE_WORDS


def parse_words(command: Command, words: Sequence[str]) -> dict[str, Any]:
    """Return the keyword arguments for the command's `run`; a prompted option without a value becomes `PROMPT`.

    Raises:
        ParameterError: parameters that do not fit.
        AdditionalArgumentsError: words that belong to no parameter.
    """
    raw = split_words(command, words)
    asked = [name for name, value in raw.items() if value is None]
    parameters = [parameter for parameter in command.parameters if parameter.name not in asked]
    try:
        values = parse_parameters(parameters, {name: value for name, value in raw.items() if value is not None})
    except ParameterError as error:
        raise ParameterError({name: _advise(command, name, reason) for name, reason in error.errors.items()}) from None
    return {**values, **{name.replace("-", "_"): PROMPT for name in asked}}


def _advise(command: Command, name: str, reason: str) -> str:
    """Add what can be chosen to the original's sentence, which leaves it out."""
    parameter = command.parameter(name)
    if parameter is None:
        return reason + _suggestion(command, name)
    if not isinstance(parameter.schema, Enum):
        return reason
    return f"{reason} Choose one of: {', '.join(parameter.schema.values)}"


def _suggestion(command: Command, name: str) -> str:
    """The option that was meant, if it is plain which."""
    names = [option.name for option in command.option_parameters]
    begun = [option for option in names if option.startswith(name)] if name else []
    meant = begun or difflib.get_close_matches(name, names, n=1)
    return f" Did you mean --{meant[0]}?" if len(meant) == 1 else ""


class Prompt:
    """Stands for the value of an option that was given without one and is to be asked for."""


PROMPT = Prompt()
