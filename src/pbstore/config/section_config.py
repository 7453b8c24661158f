"""The grammar of section files, read and written without loss (config-files.md 2).

A file is a row of blocks: sections, and the text between them. A section that nobody changes keeps its bytes; a
changed one is written as the original does, sorted by key, and keeps what this program does not know.
Comment lines (`#`) are kept too, although the original has none: they give a warning.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pbstore.errors import ConfigError

MAX_FILE_BYTES = 16 << 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class ConfigWarning:
    """Something odd that does not stop anybody; `str()` names file and line."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Property:
    """One `key value` line; `line` counts from 1."""

    key: str
    value: str
    line: int = 0


@dataclass(frozen=True)
class Section:
    """A section with its properties in file order; `line` is that of the header."""

    section_type: str
    section_id: str
    properties: tuple[Property, ...] = ()
    line: int = 0

    def get(self, key: str) -> str | None:
        """Return the first value of `key`."""
        return next((entry.value for entry in self.properties if entry.key == key), None)


@dataclass(frozen=True)
class _Block:
    """Lines with their ends, as read; `comments` are those within a section."""

    text: str
    section: Section | None = None
    comments: tuple[str, ...] = ()


class SectionFile:
    """A parsed section file that can be changed and written back."""

    def __init__(self, content: bytes, blocks: Sequence[_Block], warnings: Sequence[ConfigWarning]):
        self._blocks = list(blocks)
        self.warnings = tuple(warnings)
        self.digest = hashlib.sha256(content).hexdigest()

    @classmethod
    def parse(cls, content: bytes, path: Path) -> Self:
        """Read a whole file; `path` is for messages.

        Raises:
            ConfigError: a line that is neither header, property, comment nor blank; an id that comes twice.
        """
        return cls(content, *_Parser(path).parse(content))

    @property
    def sections(self) -> tuple[Section, ...]:
        """All sections in file order."""
        return tuple(block.section for block in self._blocks if block.section)

    def get(self, section_id: str) -> Section | None:
        """Return the section with this id, of whatever type."""
        return next((section for section in self.sections if section.section_id == section_id), None)

    def put(self, section_type: str, section_id: str, properties: Iterable[tuple[str, str]]) -> None:
        """Replace the properties of a section, or append it.

        Raises:
            ConfigError: an id or value that cannot be written.
        """
        entries = tuple(Property(key, value) for key, value in sorted(properties, key=lambda entry: entry[0]))
        for text in (section_id, *(entry.value for entry in entries)):
            if _CONTROL.search(text):
                raise ConfigError(f"{section_type} '{section_id}': control characters cannot be stored")
        section = Section(section_type, section_id, entries)
        for position, block in enumerate(self._blocks):
            if block.section and block.section.section_id == section_id:
                self._blocks[position] = _changed(block, section)
                return
        self._append(section)

    def remove(self, section_id: str) -> None:
        """Take a section out, with the blank lines behind it."""
        for position, block in enumerate(self._blocks):
            if block.section and block.section.section_id == section_id:
                following = self._blocks[position + 1 : position + 2]
                drop = 2 if following and not following[0].text.strip() else 1
                del self._blocks[position : position + drop]
                break
        if self._blocks and not self._blocks[-1].text.strip():
            del self._blocks[-1]

    def render(self) -> bytes:
        """Return the file's content."""
        return "".join(block.text for block in self._blocks).encode()

    def _append(self, section: Section) -> None:
        if self._blocks:
            last = self._blocks[-1].text
            gap = "" if last.endswith("\n\n") or not last.strip() else "\n" if last.endswith("\n") else "\n\n"
            if gap:
                self._blocks.append(_Block(gap))
        self._blocks.append(_Block(_written(section, ()), section))


class _Parser:
    def __init__(self, path: Path):
        self.path = path
        self.blocks: list[_Block] = []
        self.warnings: list[ConfigWarning] = []
        self.seen: set[str] = set()
        self.text: list[str] = []
        self.comments: list[str] = []
        self.section: Section | None = None
        self.properties: list[Property] = []

    def parse(self, content: bytes) -> tuple[list[_Block], list[ConfigWarning]]:
        if len(content) > MAX_FILE_BYTES:
            raise ConfigError(f"{self.path}: larger than {MAX_FILE_BYTES >> 20} MiB")
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self.path}: not UTF-8 at byte {error.start}") from None
        for number, line in enumerate(_split(text), start=1):
            self.line(line, number)
        self.end_block()
        return self.blocks, self.warnings

    def line(self, line: str, number: int) -> None:
        if not line.strip():
            if self.section:
                self.end_block()
        elif line.startswith("#"):
            if self.section:
                self.end_block()
            self.warnings.append(ConfigWarning(self.path, number, "comments are kept, but the original refuses them"))
        elif line[0].isspace():
            self.property(line, number)
        else:
            self.end_block()
            self.section = self.header(line, number)
        self.text.append(line)

    def header(self, line: str, number: int) -> Section:
        section_type, colon, section_id = (part.strip() for part in line.partition(":"))
        if not colon or not section_id or not section_type[:1].isalpha() or _CONTROL.search(section_type + section_id):
            raise self.error(number, "expected '<type>: <id>'")
        if section_id in self.seen:
            raise self.error(number, f"section '{section_id}' comes twice")
        self.seen.add(section_id)
        return Section(section_type, section_id, line=number)

    def property(self, line: str, number: int) -> None:
        if not self.section:
            raise self.error(number, "a property outside of a section")
        rest = line.lstrip()
        if rest.startswith("#"):
            self.comments.append(line)
            self.warnings.append(ConfigWarning(self.path, number, "comments are kept, but the original refuses them"))
            return
        match = re.match(r"(\S+)\s(.*)", rest, re.DOTALL)
        if not match or (not match[2].strip() and match[0].rstrip("\r\n") == match[1]):
            raise self.error(number, f"key '{rest.strip()}' has no value")
        self.properties.append(Property(match[1], match[2].strip(), number))

    def end_block(self) -> None:
        if self.text:
            section = self.section and replace(self.section, properties=tuple(self.properties))
            self.blocks.append(_Block("".join(self.text), section, tuple(self.comments)))
        self.text, self.comments, self.section, self.properties = [], [], None, []

    def error(self, number: int, text: str) -> ConfigError:
        return ConfigError(f"{self.path}:{number}: {text}")


def _split(text: str) -> list[str]:
    """Lines end in LF only; other line breaks of Unicode are part of a value."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _changed(block: _Block, section: Section) -> _Block:
    old = block.section
    same = old and old.section_type == section.section_type and _pairs(old) == _pairs(section)
    return block if same else _Block(_written(section, block.comments), section, block.comments)


def _pairs(section: Section) -> list[tuple[str, str]]:
    return sorted(((entry.key, entry.value) for entry in section.properties), key=lambda pair: pair[0])


def _written(section: Section, comments: Sequence[str]) -> str:
    lines = [f"\t{entry.key} {entry.value}\n" for entry in section.properties]
    return "".join([f"{section.section_type}: {section.section_id}\n", *comments, *lines])
