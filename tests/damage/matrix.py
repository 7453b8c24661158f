"""The damage matrix: every kind of place of a file, and what its reader has to say when a bit there is wrong."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from pbstore.errors import PbstoreError

MOST_BYTES_TRIED = 40
Reader = Callable[[bytes], object]
Part = tuple[str, int, str] | tuple[str, int, str, str]


@dataclass(frozen=True)
class Place:
    """Bytes of a file that mean one thing.

    `said` is a pattern for the error that a flipped bit causes. `unnoticed` is the reason why this reader cannot notice
    all flips here, or none if nothing is `said`.
    """

    name: str
    start: int
    end: int
    said: str = ""
    unnoticed: str = ""

    def __str__(self) -> str:
        return self.name


def places(*parts: Part) -> list[Place]:
    """Places that follow each other, as (name, length, said) or with the reason for what stays unnoticed."""
    found, start = [], 0
    for name, length, said, *unnoticed in parts:
        found.append(Place(name, start, start + length, said, *unnoticed))
        start += length
    return found


def check_complete(data: bytes, table: list[Place]) -> None:
    """The table leaves out no byte of the file, and says something of each."""
    assert table[0].start == 0
    assert table[-1].end == len(data)
    assert all(before.end == after.start for before, after in pairwise(table))
    assert all(place.said or place.unnoticed for place in table)


def check_flips(data: bytes, place: Place, read: Reader) -> None:
    """Flip bits all over a place, one at a time."""
    noticed = 0
    for at in _tried(place):
        for bit in (0, 3, 7):
            damaged = bytearray(data)
            damaged[at] ^= 1 << bit
            text = complaint(bytes(damaged), read)
            where = f"bit {bit} of byte {at}: {text}"
            if text:
                noticed += 1
                assert place.said, f"nobody was expected to notice {where}"
                assert re.search(place.said, text), where
            else:
                assert place.unnoticed, f"nobody noticed {where}"
    assert noticed or place.unnoticed or not place.said


def complaint(damaged: bytes, read: Reader) -> str:
    """What the reader says; empty if it has no complaint. Anything but an error of ours is none of its answers."""
    try:
        read(damaged)
    except PbstoreError as error:
        text = str(error)
    else:
        return ""
    assert_line(text)
    return text


def check_truncations(data: bytes, table: list[Place], read: Reader, said: str) -> None:
    """Cut the file off at the start of each place, inside of each, and before its last byte."""
    for place in table:
        for length in {place.start, (place.start + place.end) // 2, place.end - 1}:
            check_noticed(data[:length], read, said)


def check_extensions(data: bytes, read: Reader, said: str) -> None:
    """Put something behind the file: a byte, a block, the file itself."""
    for more in (b"\0", b"\xff", bytes(4096), data):
        check_noticed(data + more, read, said)


def check_noticed(damaged: bytes, read: Reader, said: str) -> None:
    """The reader refuses the file and says why."""
    text = complaint(damaged, read)
    assert re.search(said, text), text or "nobody noticed"


def assert_line(text: str) -> None:
    """Errors are one line without full stop."""
    assert text
    assert "\n" not in text
    assert not text.endswith(".")


def _tried(place: Place) -> Iterator[int]:
    """All bytes of a short place; of a long one the first, the last, and some between."""
    step = max(1, (place.end - place.start) // MOST_BYTES_TRIED)
    yield from range(place.start, place.end, step)
    if (place.end - 1 - place.start) % step:
        yield place.end - 1
