"""Values as a storage host takes them: its words for booleans and lists, its sentences for what does not fit.

The texts are those of pve-api.md 1. A value comes from a command line, a form, or a configuration file.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pbstore.api.schema import FALSE_WORDS, TRUE_WORDS, Boolean, Enum, Schema
from pbstore.errors import FormatError

Value: TypeAlias = str | int | bool | tuple[str, ...]
LIST_SEPARATORS = re.compile(r"[,;\s\x00]+")
NO_MATCH = "value does not match the regex pattern"


@dataclass(frozen=True, kw_only=True)
class Text(Schema):
    """A text; `check` raises FormatError for what has not the right format, and may return it in canonical form."""

    pattern: str | None = None
    minimum_length: int = 0
    maximum_length: int = 64 << 10
    check: Callable[[str], str] | None = None

    def parse(self, value: object) -> str:
        """Check length, pattern and format."""
        text = _text(value, "string")
        if len(text) > self.maximum_length:
            raise FormatError(f"value may only be {self.maximum_length} characters long")
        if len(text) < self.minimum_length:
            raise FormatError(f"value must be at least {self.minimum_length} characters long")
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            raise FormatError(NO_MATCH)
        return text if self.check is None else _formatted(self.check, text)


@dataclass(frozen=True, kw_only=True)
class Number(Schema):
    """A whole number between two bounds, both included."""

    minimum: int = 0
    maximum: int | None = None

    def parse(self, value: object) -> int:
        """Read decimal digits, or a number of JSON."""
        text = _text(value, "integer")
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise _wrong_type("integer", text)
        number = int(text)
        if number < self.minimum:
            raise FormatError(f"value must have a minimum value of {self.minimum}")
        if self.maximum is not None and number > self.maximum:
            raise FormatError(f"value must have a maximum value of {self.maximum}")
        return number

    @property
    def type_text(self) -> str:
        """Name the type and its bounds."""
        return f"<integer> ({self.minimum} - {'N' if self.maximum is None else self.maximum})"


@dataclass(frozen=True, kw_only=True)
class Flag(Boolean):
    """1/on/yes/true or 0/off/no/false in any case."""

    def parse(self, value: object) -> bool:
        """Read a word, or a boolean of JSON."""
        if isinstance(value, bool):
            return value
        text = _text(value, "boolean")
        if text.lower() in TRUE_WORDS:
            return True
        if text.lower() in FALSE_WORDS:
            return False
        raise _wrong_type("boolean", text)


@dataclass(frozen=True, kw_only=True)
class Choice(Enum):
    """One of a few words."""

    def parse(self, value: object) -> str:
        """Check the word."""
        text = _text(value, "string")
        if text not in self.values:
            raise FormatError(f"value '{text}' does not have a value in the enumeration '{', '.join(self.values)}'")
        return text


@dataclass(frozen=True, kw_only=True)
class Words(Schema):
    """A list of words in one text, separated by commas, semicolons or white space; each comes once, sorted."""

    check: Callable[[str], str] | None = None

    def parse(self, value: object) -> tuple[str, ...]:
        """Split and check each word."""
        text = ",".join(str(item) for item in value) if isinstance(value, list | tuple) else _text(value, "string")
        words = [word for word in LIST_SEPARATORS.split(text) if word]
        if self.check is not None:
            words = [_formatted(self.check, word) for word in words]
        return tuple(sorted(dict.fromkeys(words)))


def written(value: Value) -> str:
    """The text of a value in a configuration file."""
    if isinstance(value, bool):
        return str(int(value))
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _text(value: object, wanted: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _wrong_type(wanted, str(value))


def _wrong_type(wanted: str, text: str) -> FormatError:
    return FormatError(f"type check ('{wanted}') failed - got '{text[:80]}'")


def _formatted(check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except FormatError as error:
        raise FormatError(f"invalid format - {error}") from None
