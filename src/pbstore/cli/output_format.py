"""`--output-format text|json|json-pretty`, with the default from the environment."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pbstore.api.schema import Enum, Parameter
from pbstore.errors import FormatError

FORMATS = ("text", "json", "json-pretty")
OUTPUT_FORMAT = Parameter(
    name="output-format", schema=Enum(description="Output format.", values=FORMATS), optional=True
)


def chosen_format(option: str | None, environment: Mapping[str, str]) -> str:
    """The option, else `PROXMOX_OUTPUT_FORMAT`, else text.

    Raises:
        FormatError: the variable holds none of the formats.
    """
    name = option or environment.get("PROXMOX_OUTPUT_FORMAT") or "text"
    if name not in FORMATS:
        raise FormatError(f"PROXMOX_OUTPUT_FORMAT is '{name}': expected one of {', '.join(FORMATS)}")
    return name


def json_list(values: Iterable[Any], output_format: str) -> Iterator[str]:
    """The text of a list too long to be held, in parts; the same as `json_text` of all values and a line end."""
    is_pretty, is_empty = output_format == "json-pretty", True
    for value in values:
        text = json_text(value, output_format)
        if is_pretty:
            text = "\n  " + text.replace("\n", "\n  ")
        yield ("[" if is_empty else ",") + text
        is_empty = False
    yield "[]\n" if is_empty else "\n]\n" if is_pretty else "]\n"


def json_text(value: Any, output_format: str) -> str:
    """One line for `json`, two-space indent for `json-pretty`; keys sorted, characters as they are."""
    if output_format == "json-pretty":
        return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
