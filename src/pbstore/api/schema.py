"""Schemas of single parameters and the one place where wire keys (kebab-case) become Python names (snake_case).

Texts come from queries, forms and command lines, JSON values from JSON bodies; a schema takes both.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pbstore.errors import FormatError, ParameterError

TRUE_WORDS = frozenset(("1", "on", "yes", "true"))
FALSE_WORDS = frozenset(("0", "off", "no", "false"))


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What values look like, in parameters and results. `description` is one sentence for help texts."""

    description: str


@dataclass(frozen=True, kw_only=True)
class Schema(Shape):
    """What values a parameter takes."""

    def parse(self, value: object) -> Any:
        """Return the Python value.

        Raises:
            FormatError: the value does not fit; the text is the reason shown behind the parameter's name.
        """
        raise FormatError(f"unexpected value {value!r}")

    @property
    def type_text(self) -> str:
        """How usage texts name the type, like `<integer>`."""
        return "<string>"


@dataclass(frozen=True, kw_only=True)
class String(Schema):
    """Text; `convert` makes it a value of the model and may raise FormatError."""

    pattern: str | None = None
    minimum_length: int = 0
    maximum_length: int = 4096
    convert: Callable[[str], Any] | None = None

    def parse(self, value: object) -> Any:
        """Check length and pattern, then convert."""
        if not isinstance(value, str):
            raise FormatError("expected a string")
        if len(value) < self.minimum_length:
            raise FormatError(f"value must be at least {self.minimum_length} characters long")
        if len(value) > self.maximum_length:
            raise FormatError(f"value may only be {self.maximum_length} characters long")
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            raise FormatError("value does not match the regex pattern")
        return value if self.convert is None else self.convert(value)


@dataclass(frozen=True, kw_only=True)
class Integer(Schema):
    """A whole number between two bounds, both included."""

    minimum: int = 0
    maximum: int = (1 << 63) - 1

    def parse(self, value: object) -> int:
        """Read a decimal text or a JSON number."""
        if isinstance(value, str):
            if not re.fullmatch(r"-?[0-9]{1,19}", value):
                raise FormatError("invalid digit found in string")
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise FormatError("expected an integer")
        if value < self.minimum:
            raise FormatError(f"value must have a minimum value of {self.minimum} (got {value})")
        if value > self.maximum:
            raise FormatError(f"value must have a maximum value of {self.maximum} (got {value})")
        return value

    @property
    def type_text(self) -> str:
        """Name the type and its bounds."""
        upper = "N" if self.maximum == (1 << 63) - 1 else self.maximum
        return f"<integer> ({self.minimum} - {upper})"


@dataclass(frozen=True, kw_only=True)
class Boolean(Schema):
    """1/on/yes/true or 0/off/no/false in any case."""

    def parse(self, value: object) -> bool:
        """Read a word or a JSON boolean or 0 and 1."""
        if isinstance(value, bool):
            return value
        word = str(value).lower() if isinstance(value, str | int) else ""
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise FormatError("Unable to parse boolean option.")

    @property
    def type_text(self) -> str:
        """Name the type."""
        return "<boolean>"


@dataclass(frozen=True, kw_only=True)
class Enum(Schema):
    """One of a few words."""

    values: Sequence[str]
    convert: Callable[[str], Any] | None = None

    def parse(self, value: object) -> Any:
        """Check the word, then convert."""
        if value not in self.values:
            raise FormatError(f"value '{value}' is not defined in the enumeration.")
        return value if self.convert is None else self.convert(str(value))

    @property
    def type_text(self) -> str:
        """List the words."""
        return "|".join(self.values)


@dataclass(frozen=True, kw_only=True)
class ListOf(Schema):
    """Several values: a repeated key or option, or a JSON array."""

    item: Schema
    maximum_items: int = 65536

    def parse(self, value: object) -> list[Any]:
        """Parse each item; a single value counts as a list of one."""
        items = value if isinstance(value, list) else [value]
        if len(items) > self.maximum_items:
            raise FormatError(f"list may only have {self.maximum_items} items")
        return [self.item.parse(item) for item in items]

    @property
    def type_text(self) -> str:
        """Name the type of one item."""
        return self.item.type_text


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A named parameter. `name` is the wire key; `default` is what an absent optional parameter becomes."""

    name: str
    schema: Schema
    optional: bool = False
    default: Any = None

    @property
    def python_name(self) -> str:
        """`backup-time` -> `backup_time`."""
        return self.name.replace("-", "_")


def parse_parameters(parameters: Iterable[Parameter], raw: Mapping[str, object]) -> dict[str, Any]:
    """Turn wire values into keyword arguments: every parameter is present, absent ones with their default.

    Raises:
        ParameterError: unknown keys, missing parameters or unfit values, all of them at once.
    """
    known = {parameter.name: parameter for parameter in parameters}
    errors = {name: "schema does not allow additional properties." for name in raw if name not in known}
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        if name not in raw:
            if not parameter.optional:
                errors[name] = "parameter is missing and it is not optional."
            values[parameter.python_name] = parameter.default
            continue
        try:
            values[parameter.python_name] = parameter.schema.parse(raw[name])
        except FormatError as error:
            errors[name] = str(error)
    if errors:
        raise ParameterError(errors)
    return values
