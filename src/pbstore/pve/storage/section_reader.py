"""From the lines of a section to a storage, with a verdict on everything odd (pve-storage.md 1)."""

from collections.abc import Callable

from pbstore.errors import FormatError
from pbstore.pve.section_text import Line, SectionText
from pbstore.pve.storage.names import check_storage_id
from pbstore.pve.storage.properties import NO_CONTENT, PROPERTIES
from pbstore.pve.storage.retention import of_maxfiles
from pbstore.pve.storage.storage import Storage
from pbstore.pve.storage.types import TYPES, StorageType, Use
from pbstore.pve.value_types import Flag, Value

Warn = Callable[[str], None]
_EVERY_TYPE = frozenset({"content", "disable", "nodes", "shared"})


def read_section(section: SectionText, name: str, warn: Warn) -> Storage | None:
    """Return the storage that a section describes, None if it cannot be used; `warn` is told why.

    What is wrong with one property only costs that property.
    """
    try:
        check_storage_id(section.section_id)
        storage_type = TYPES.get(section.section_type)
        if storage_type is None:
            raise FormatError(f"unsupported type '{section.section_type}'")
        values = _Values(section, storage_type, name, warn).read()
        check_required(storage_type, values)
    except FormatError as error:
        warn(f"file {name} line {section.line} (skip section '{section.section_id}'): {error}")
        return None
    return Storage(section.section_id, storage_type, values)


def check_required(storage_type: StorageType, values: dict[str, Value]) -> None:
    """Return if nothing is missing.

    Raises:
        FormatError: something is.
    """
    for key in storage_type.required:
        if key not in values:
            raise FormatError(f"missing value for required option '{key}'")


def checked_content(storage_type: StorageType, words: tuple[str, ...], warn: Warn) -> tuple[str, ...]:
    """Return what of a list of content types a storage can hold; the rest is a warning.

    Raises:
        FormatError: `none` together with others.
    """
    if NO_CONTENT in words and len(words) > 1:
        raise FormatError(f"unable to combine '{NO_CONTENT}' with other content types")
    held = []
    for word in words:
        if word in storage_type.content:
            held.append(word)
        elif word != NO_CONTENT:
            warn(f"storage does not support content type '{word}'")
    return tuple(held) or (NO_CONTENT,)


class _Values:
    def __init__(self, section: SectionText, storage_type: StorageType, name: str, warn: Warn):
        self.section = section
        self.storage_type = storage_type
        self.name = name
        self.warn = warn
        self.values: dict[str, Value] = {}
        self.maxfiles: int | None = None

    def read(self) -> dict[str, Value]:
        take = self.take if self.storage_type.is_supported else self.keep
        for line in self.section.lines:
            if line.key is None:
                continue
            try:
                take(line.key, line)
            except FormatError as error:
                self.complain(line, f"unable to parse value of '{line.key}': {error}")
        if self.maxfiles is not None and "prune-backups" not in self.values:
            self.values["prune-backups"] = of_maxfiles(self.maxfiles)
        return self.values

    def take(self, key: str, line: Line) -> None:
        use = self.storage_type.uses.get(key)
        if use is None or key == "password":
            raise FormatError(f"unexpected property '{key}'")
        if key in self.values or (use is Use.LEGACY and self.maxfiles is not None):
            raise FormatError("duplicate attribute")
        value = _parsed(key, line)
        if use is Use.LEGACY and isinstance(value, int):
            self.maxfiles = value
        elif key == "content" and isinstance(value, tuple):
            self.values[key] = checked_content(self.storage_type, value, lambda text: self.complain(line, text))
        else:
            self.values[key] = value

    def keep(self, key: str, line: Line) -> None:
        """A property of a type that is only kept: those that every type has are read, the others stay text."""
        if key in self.values:
            raise FormatError("duplicate attribute")
        self.values[key] = _parsed(key, line) if key in _EVERY_TYPE else line.value or "1"

    def complain(self, line: Line, text: str) -> None:
        self.warn(f"file {self.name} line {line.number} (section '{self.section.section_id}') - {text}")


def _parsed(key: str, line: Line) -> Value:
    schema = PROPERTIES[key].schema
    if line.value is None and not isinstance(schema, Flag):
        raise FormatError("value is missing")
    value: Value = schema.parse("1" if line.value is None else line.value)
    return value
