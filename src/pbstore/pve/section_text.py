"""The lines of a section file of the storage host, changed without loss (pve-storage.md 1).

A file is a row of blocks: sections, and what lies between them. What is not changed keeps its bytes. This grammar is
another one than the backup server's: only an empty line ends a section, comments may stand everywhere, a key may have
no value.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from pbstore.errors import ConfigError

# Each run of characters can be matched in one way only: else a long line that leads nowhere would be tried in all ways.
_HEADER = re.compile(r"(\S+):\s*+(\S++)\s*+", re.ASCII)
_PROPERTY = re.compile(r"\s++(\S++)(?:\s++(.*\S))?\s*+", re.ASCII)
_MAX_HEADER = 1024
_SHOWN = 80


@dataclass(frozen=True)
class Line:
    """A line of a section with its end, as read; `key` is None for comments and for what is no property."""

    text: str
    number: int = 0
    key: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class SectionText:
    """A section: type in lower case, id, and the lines behind its header, whose number is `line`."""

    section_type: str
    section_id: str
    lines: tuple[Line, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class _Block:
    text: str
    section: SectionText | None = None


@dataclass
class SectionLines:
    """A parsed file. `warnings` are about lines that belong to nothing; the reader of the sections adds its own."""

    name: str
    _blocks: list[_Block] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, content: bytes, name: str) -> Self:
        """Read any content; `name` is for warnings. Bytes that are not UTF-8 stay as they are."""
        parsed = cls(name)
        text: list[str] = []
        section: SectionText | None = None
        lines: list[Line] = []
        for number, line in enumerate(_split(content.decode(errors="surrogateescape")), start=1):
            bare = line.removesuffix("\n")
            if section is not None and bare:
                lines.append(parsed._body_line(line, number))
            else:
                parsed._end_block(text, section, lines)
                section = parsed._header(bare, number)
                text, lines = [], []
            text.append(line)
        parsed._end_block(text, section, lines)
        return parsed

    @property
    def sections(self) -> list[SectionText]:
        """All sections in file order."""
        return [block.section for block in self._blocks if block.section is not None]

    def replace(self, old: SectionText, lines: Iterable[str]) -> None:
        """Give a section other lines, which are without their line feeds. It keeps its kind of line ends."""
        position = next(number for number, block in enumerate(self._blocks) if block.section is old)
        header = _split(self._blocks[position].text)[0]
        end = "\r\n" if header.endswith("\r\n") else "\n"
        body = "".join(f"{line.removesuffix(end[:-1])}{end}" for line in lines)
        self._blocks[position] = _Block(f"{header.rstrip()}{end}{body}", old)

    def append(self, section_type: str, section_id: str, lines: Iterable[str]) -> None:
        """Add a section at the end, behind an empty line."""
        written = self.render()
        if written and not written.endswith(b"\n"):
            self._blocks.append(_Block("\n"))
        if written and not written.endswith(b"\n\n"):
            self._blocks.append(_Block("\n"))
        text = "".join(f"{line}\n" for line in (f"{section_type}: {section_id}", *lines, ""))
        self._blocks.append(_Block(text, SectionText(section_type, section_id)))

    def remove(self, section: SectionText) -> None:
        """Take a section out, with the empty line that ended it."""
        position = next(number for number, block in enumerate(self._blocks) if block.section is section)
        following = self._blocks[position + 1 : position + 2]
        drop = 2 if following and following[0].text == "\n" else 1
        del self._blocks[position : position + drop]

    def render(self) -> bytes:
        """The file's content."""
        return "".join(block.text for block in self._blocks).encode(errors="surrogateescape")

    def _header(self, bare: str, number: int) -> SectionText | None:
        if not bare or bare.lstrip().startswith("#"):
            return None
        match = _HEADER.fullmatch(bare) if len(bare) <= _MAX_HEADER else None
        if match is None:
            self._warn_ignored(bare, number)
            return None
        return SectionText(match[1].lower(), match[2], line=number)

    def _body_line(self, line: str, number: int) -> Line:
        bare = line.removesuffix("\n")
        if bare.lstrip().startswith("#"):
            return Line(line, number)
        match = _PROPERTY.fullmatch(bare)
        if match is None:
            self._warn_ignored(bare, number)
            return Line(line, number)
        return Line(line, number, match[1], match[2])

    def _warn_ignored(self, bare: str, number: int) -> None:
        shown = repr(bare[:_SHOWN])[1:-1]
        reason = "" if bare.strip() else " (only an empty line ends a section, and this one has white space)"
        self.warnings.append(f"file {self.name} line {number} - ignore config line: {shown}{reason}")

    def _end_block(self, text: Sequence[str], section: SectionText | None, lines: Sequence[Line]) -> None:
        if text:
            ended = None if section is None else replace(section, lines=tuple(lines))
            self._blocks.append(_Block("".join(text), ended))


def check_writable(key: str, value: str) -> str:
    """Return a value that can stand on one line.

    Raises:
        ConfigError: it cannot.
    """
    if "\n" in value or "\r" in value:
        raise ConfigError(f"property '{key}' contains a line feed")
    return value


def _split(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)
