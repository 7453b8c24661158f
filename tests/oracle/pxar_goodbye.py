"""The goodbye table: names found in logarithmic time from the end of a directory (pxar.md 5)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from oracle.pxar_items import GOODBYE_TAIL_MARKER
from oracle.siphash import name_hash


@dataclass(frozen=True)
class Record:
    """A child as the table has it; `distance` is back from the start of the table's item to its FILENAME."""

    hash: int
    distance: int
    size: int


def places_in_order(count: int, place: int = 0) -> Iterator[int]:
    """The places of a complete binary tree of `count` nodes, as a walk from left to right meets them."""
    if place < count:
        yield from places_in_order(count, 2 * place + 1)
        yield place
        yield from places_in_order(count, 2 * place + 2)


def table(children: list[tuple[bytes, int, int]], goodbye_start: int, directory_start: int) -> bytes:
    """Content of the item, for children of (name, start of FILENAME, size)."""
    hashed = sorted((name_hash(name), goodbye_start - start, size) for name, start, size in children)
    placed = sorted(zip(places_in_order(len(hashed)), hashed, strict=True))
    records = [record for _, record in placed]
    tail = (GOODBYE_TAIL_MARKER, goodbye_start - directory_start, 16 + 24 * (len(children) + 1))
    return b"".join(struct.pack("<QQQ", *record) for record in [*records, tail])


def records_of(content: bytes) -> tuple[list[Record], Record]:
    """The records of a table, and its tail."""
    if not content or len(content) % 24:
        raise ValueError(f"{len(content)} bytes are no table")
    records = [Record(*struct.unpack("<QQQ", content[at : at + 24])) for at in range(0, len(content), 24)]
    if records[-1].hash != GOODBYE_TAIL_MARKER:
        raise ValueError("the table has no tail")
    return records[:-1], records[-1]


def candidates(records: list[Record], name: bytes, place: int = 0) -> Iterator[Record]:
    """What the search tree offers for a name: every record with its hash that a descent from the top meets."""
    if place >= len(records):
        return
    wanted, record = name_hash(name), records[place]
    if record.hash == wanted:
        yield record
    if wanted <= record.hash:
        yield from candidates(records, name, 2 * place + 1)
    if wanted >= record.hash:
        yield from candidates(records, name, 2 * place + 2)
