"""Colour, where somebody sees it: on a terminal, unless `NO_COLOR` is set."""

from collections.abc import Mapping
from typing import TextIO

from pbstore.cli.prompt import is_terminal

RED = "1;31"
YELLOW = "33"


def coloured(text: str, colour: str, stream: TextIO, environment: Mapping[str, str]) -> str:
    """Return the text with the codes around it if `stream` is a terminal that knows them."""
    terminal = environment.get("TERM", "dumb")
    if terminal == "dumb" or environment.get("NO_COLOR") or not is_terminal(stream):
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"
