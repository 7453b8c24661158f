"""Lists as the storage host's programs print them: one formatter for all of them (pve-storage.md 8)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pbstore.api.schema import Parameter
from pbstore.cli.console import Console
from pbstore.cli.table import Column
from pbstore.pve.value_types import Choice, Flag

FORMATS = ("json", "json-pretty", "text", "yaml")


def _flag(name: str, description: str) -> Parameter:
    return Parameter(name=name, schema=Flag(description=description), optional=True, default=False)


OUTPUT_OPTIONS = (
    Parameter(
        name="output-format",
        schema=Choice(description="Output format.", values=FORMATS),
        optional=True,
        default="text",
    ),
    # Taken as the original takes it: what is listed so far has nothing that could be rendered in another way.
    _flag("human-readable", "Call output rendering functions to produce human readable text."),
    _flag("noborder", "Do not draw borders (for 'text' format)."),
    _flag("noheader", "Do not show column headers (for 'text' format)."),
    _flag("quiet", "Suppress printing results."),
)


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """How results are to be printed."""

    output_format: str
    noborder: bool
    noheader: bool
    quiet: bool

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Take them from the arguments of a command."""
        return cls(**{name: values[name] for name in ("output_format", "noborder", "noheader", "quiet")})

    def print_rows(self, console: Console, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> None:
        """Print rows, sorted by the first column: the columns as a table, or all there is in another format."""
        if self.quiet:
            return
        ordered = sorted(rows, key=lambda row: str(row.get(columns[0].name, "")))
        if self.output_format != "text":
            console.print(_serialized(ordered, self.output_format))
            return
        console.print_table(columns, ordered, border=not self.noborder, header=not self.noheader)


def _serialized(value: Sequence[Mapping[str, Any]], output_format: str) -> str:
    if output_format == "yaml":
        return "\n".join(["---", *(_yaml_item(item) for item in value)])
    if output_format == "json-pretty":
        return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=3, separators=(",", " : "))
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _yaml_item(item: Mapping[str, Any]) -> str:
    """A mapping of a list; every JSON value is a YAML value too."""
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False, sort_keys=True)}" for key, value in sorted(item.items())]
    return "- " + "\n  ".join(lines or ["{}"])
