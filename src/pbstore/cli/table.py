"""Tables as the original prints them: box drawing with a line between rows, or ASCII, or no border at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, chop_cells

from pbstore.cli.printable import printable


def plain_text(value: object) -> str:
    """How a value is shown in a cell: nothing for None, 1 and 0 for booleans."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: the key of the rows, its header if that differs, and how a value is shown."""

    name: str
    header: str | None = None
    right: bool = False
    render: Callable[[Any], str] = plain_text

    @property
    def title(self) -> str:
        """What stands in the header."""
        return self.name if self.header is None else self.header


@dataclass(frozen=True, kw_only=True)
class TableStyle:
    """What the terminal and the environment ask for. `width` crops lines; None leaves them whole."""

    border: bool = True
    header: bool = True
    utf8: bool = True
    width: int | None = None


# Of each horizontal line: left end, filling, crossing, right end.
_UTF8 = {
    "top": ("┌", "─", "┬", "┐"),
    "head": ("╞", "═", "╪", "╡"),
    "row": ("├", "─", "┼", "┤"),
    "bottom": ("└", "─", "┴", "┘"),
}
_ASCII = {
    "top": ("+", "-", "+", "+"),
    "head": ("+", "=", "+", "+"),
    "row": ("+", "-", "+", "+"),
    "bottom": ("+", "-", "+", "+"),
}


def render_table(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], style: TableStyle) -> str:
    """Return the lines of the table, each ended by a newline; no rows give nothing at all."""
    if not rows:
        return ""
    cells = [[_lines(column.render(row.get(column.name))) for column in columns] for row in rows]
    titles = [[column.title] for column in columns]
    shown = [titles, *cells] if style.header else cells
    widths = [max(cell_len(line) for cell in column for line in cell) for column in zip(*shown, strict=True)]
    rights = [column.right for column in columns]
    draw = _bordered if style.border else _borderless
    lines = draw(titles if style.header else None, cells, widths, rights, style)
    return "".join(_crop(line, style.width) + "\n" for line in lines)


def object_table(names: Sequence[str], values: Mapping[str, Any], style: TableStyle) -> str:
    """A table Name/Value with a row for each of `names` that has a value."""
    rows = [{"Name": name, "Value": plain_text(values[name])} for name in names if values.get(name) is not None]
    return render_table((Column(name="Name"), Column(name="Value")), rows, style)


def _lines(text: str) -> list[str]:
    return [printable(line) for line in text.split("\n")] or [""]


def _bordered(
    titles: list[list[str]] | None,
    rows: list[list[list[str]]],
    widths: list[int],
    rights: list[bool],
    style: TableStyle,
) -> list[str]:
    kinds = _UTF8 if style.utf8 else _ASCII
    bar = "│" if style.utf8 else "|"
    lines = [_rule(kinds["top"], widths)]
    if titles is not None:
        lines += _row(titles, widths, rights, bar)
        lines.append(_rule(kinds["head"], widths))
    for number, row in enumerate(rows):
        if number:
            lines.append(_rule(kinds["row"], widths))
        lines += _row(row, widths, rights, bar)
    return [*lines, _rule(kinds["bottom"], widths)]


def _borderless(
    titles: list[list[str]] | None,
    rows: list[list[list[str]]],
    widths: list[int],
    rights: list[bool],
    style: TableStyle,
) -> list[str]:
    shown = rows if titles is None else [titles, *rows]
    return [line.rstrip() for row in shown for line in _row(row, widths, rights, "")]


def _rule(characters: tuple[str, str, str, str], widths: list[int]) -> str:
    left, fill, cross, right = characters
    return left + cross.join(fill * (width + 2) for width in widths) + right


def _row(cells: list[list[str]], widths: list[int], rights: list[bool], bar: str) -> list[str]:
    height = max(len(cell) for cell in cells)
    lines = []
    for number in range(height):
        parts = []
        for cell, width, right in zip(cells, widths, rights, strict=True):
            text = cell[number] if number < len(cell) else ""
            padding = " " * (width - cell_len(text))
            parts.append(padding + text if right else text + padding)
        lines.append(f"{bar} {f' {bar} '.join(parts)} {bar}" if bar else " ".join(parts))
    return lines


def _crop(line: str, width: int | None) -> str:
    if width is None or cell_len(line) <= width:
        return line
    return chop_cells(line, width)[0] if width > 0 else ""
