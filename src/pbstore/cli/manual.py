"""What a program's manual says besides its commands."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A term, such as a variable or a file, and what it means."""

    term: str
    meaning: str


@dataclass(frozen=True)
class Chapter:
    """A chapter of a manual page."""

    title: str
    entries: Sequence[Entry]
