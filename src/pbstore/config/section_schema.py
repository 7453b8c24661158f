"""Which keys a section type has and what their values are (config-files.md 2)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from pbstore.config.section_config import ConfigWarning, Property, Section
from pbstore.errors import ConfigError

Value = str | int | bool | tuple[str, ...]
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


class ValueKind(Enum):
    """How the text of a value is read. `TEXTS` are one line an element."""

    TEXT = "text"
    TEXTS = "texts"
    BOOLEAN = "boolean"
    INTEGER = "integer"


@dataclass(frozen=True)
class SectionSchema:
    """The keys of one section type."""

    section_type: str
    keys: Mapping[str, ValueKind]
    required: frozenset[str] = field(default_factory=frozenset)

    def read(self, section: Section, path: Path, warnings: list[ConfigWarning]) -> dict[str, Value]:
        """Return the typed values of the known keys; an unknown key adds a warning.

        Raises:
            ConfigError: a value that cannot be read, a scalar that comes twice, a required key that is missing.
        """
        values: dict[str, Value] = {}
        for entry in section.properties:
            kind = self.keys.get(entry.key)
            where = f"{path}:{entry.line}: {section.section_type} '{section.section_id}'"
            if kind is None:
                warnings.append(ConfigWarning(path, entry.line, f"unknown key '{entry.key}' is ignored"))
            elif kind is ValueKind.TEXTS:
                values[entry.key] = (*_texts(values.get(entry.key)), entry.value)
            elif entry.key in values:
                raise ConfigError(f"{where}: '{entry.key}' comes twice")
            else:
                values[entry.key] = _scalar(kind, entry, where)
        for key in sorted(self.required - values.keys()):
            raise ConfigError(f"{path}:{section.line}: {section.section_type} '{section.section_id}': no '{key}'")
        return values

    def write(self, values: Mapping[str, Value | None], kept: Sequence[Property] = ()) -> Iterator[tuple[str, str]]:
        """Yield the lines of typed values, and those of `kept` whose keys are unknown here.

        Raises:
            ConfigError: a key that the section type has not.
        """
        for key, value in values.items():
            if key not in self.keys:
                raise ConfigError(f"a section '{self.section_type}' has no key '{key}'")
            if isinstance(value, tuple):
                yield from ((key, item) for item in value)
            elif value is not None:
                yield key, str(value).lower() if isinstance(value, bool) else str(value)
        yield from ((entry.key, entry.value) for entry in kept if entry.key not in self.keys)


def _texts(value: Value | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _scalar(kind: ValueKind, entry: Property, where: str) -> Value:
    if kind is ValueKind.TEXT:
        return entry.value
    text = entry.value.lower()
    if kind is ValueKind.BOOLEAN and text in _TRUE | _FALSE:
        return text in _TRUE
    if kind is ValueKind.INTEGER and text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 20:
        return int(text)
    raise ConfigError(f"{where}: '{entry.key}' is no {kind.value}: {entry.value!r}")
