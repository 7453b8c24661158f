"""Finds names in pxar archives from the back, by their tables alone (pxar.md 5)."""

import struct
from collections.abc import Iterator

from oracle import pxar_items as items
from oracle.pxar_decoder import Archive, decode_inode, filename, text
from oracle.pxar_goodbye import Record, candidates, records_of
from oracle.pxar_items import read_item
from oracle.pxar_node import Hardlink, Node


def look_up(source: Archive, path: bytes) -> Node | Hardlink | None:
    """Find a path by the tables alone; directories come without their children."""
    end = len(source.archive)
    records, goodbye_start, directory_start = directory_before(source, end)
    start = directory_start
    if start == 0 and read_item(source.archive, 0).kind == items.FORMAT_VERSION:
        start = first_entry(source)
    found: Node | Hardlink = decode_inode(source, start)[0]
    for name in path.strip(b"/").split(b"/") if path.strip(b"/") else []:
        places = list(places_of(source, records, goodbye_start, name))
        if not places:
            return None
        ((found, size, child_start),) = places
        if isinstance(found, Node) and found.letter == "d":
            records, goodbye_start, _ = directory_before(source, child_start + size)
        else:
            records = []
    return found


def first_entry(source: Archive) -> int:
    """Where the root's ENTRY is, behind the version and prelude."""
    start = read_item(source.archive, 0).end
    behind = read_item(source.archive, start)
    return behind.end if behind.kind == items.PRELUDE else start


def directory_before(source: Archive, end: int) -> tuple[list[Record], int, int]:
    """The table of the directory that ends here, where the table begins, and where the directory does."""
    size = struct.unpack("<QQQ", source.archive[end - 24 : end])[2]
    goodbye = read_item(source.archive, end - size)
    if goodbye.kind != items.GOODBYE or goodbye.end != end:
        raise ValueError(f"no table ends at {end}")
    records, tail = records_of(goodbye.content)
    return records, goodbye.start, goodbye.start - tail.distance


def places_of(
    source: Archive, records: list[Record], goodbye_start: int, name: bytes
) -> Iterator[tuple[Node | Hardlink, int, int]]:
    """Children that have exactly this name: what they are, their size in the table, where their FILENAME is."""
    for record in candidates(records, name):
        start = goodbye_start - record.distance
        head = read_item(source.archive, start)
        if head.kind != items.FILENAME or filename(head) != name:
            continue
        behind = read_item(source.archive, head.end)
        if behind.kind == items.HARDLINK:
            yield Hardlink(text(behind.content[8:])), record.size, start
        else:
            yield decode_inode(source, head.end)[0], record.size, start
