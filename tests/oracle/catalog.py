"""The catalog of a snapshot's archives (catalog.md)."""

import hashlib
import struct
from dataclasses import dataclass

from oracle.pxar_node import Hardlink, Node

MAGIC = hashlib.sha256(b"Proxmox Backup Catalog file v1.0").digest()[:8]


@dataclass(frozen=True)
class Entry:
    """A name; `size` and `mtime` count for regular files."""

    path: bytes
    kind: str
    size: int = 0
    mtime: int = 0


def varint(value: int) -> bytes:
    """Seven bits a byte, lowest first, the high bit set while more follow."""
    if value < 128:
        return bytes([value])
    return bytes([value % 128 + 128]) + varint(value // 128)


def svarint(value: int) -> bytes:
    """As `varint`, but a negative number has the high bit set in all its bytes and ends with a zero."""
    if value >= 0:
        return varint(value)
    groups, magnitude = b"", -value
    while magnitude:
        groups += bytes([magnitude % 128 + 128])
        magnitude //= 128
    return groups + b"\0"


def encode(archives: dict[bytes, Node]) -> bytes:
    """The whole file for the roots of some archives."""
    out = bytearray(MAGIC)
    starts = {name: append_directory(out, root.children) for name, root in archives.items()}
    start = len(out)
    append_block(out, [directory_entry(name, start - at) for name, at in starts.items()])
    return bytes(out) + struct.pack("<Q", start)


def append_directory(out: bytearray, children: dict[bytes, Node | Hardlink]) -> int:
    """The blocks of everything below, then the own one; where that starts."""
    starts = {
        name: append_directory(out, child.children)
        for name, child in children.items()
        if isinstance(child, Node) and child.letter == "d"
    }
    start, entries = len(out), []
    for name, child in children.items():
        if isinstance(child, Node) and child.letter == "d":
            entries.append(directory_entry(name, start - starts[name]))
            continue
        entry = child.letter.encode() + varint(len(name)) + name
        if isinstance(child, Node) and child.letter == "f":
            entry += varint(len(child.content)) + svarint(child.metadata.mtime[0])
        entries.append(entry)
    append_block(out, entries)
    return start


def directory_entry(name: bytes, distance: int) -> bytes:
    """A directory in the block of its parent."""
    return b"d" + varint(len(name)) + name + varint(distance)


def append_block(out: bytearray, entries: list[bytes]) -> None:
    """One directory."""
    table = varint(len(entries)) + b"".join(entries)
    out += varint(len(table)) + table


class Reader:
    """Bytes that are read from the front."""

    def __init__(self, data: bytes, at: int):
        self.data = data
        self.at = at

    def take(self, count: int) -> bytes:
        """The next bytes."""
        taken = self.data[self.at : self.at + count]
        if len(taken) != count:
            raise ValueError(f"{count} bytes are not there at {self.at}")
        self.at += count
        return taken

    def varint(self) -> int:
        """The next unsigned number."""
        value = shift = 0
        while (byte := self.take(1)[0]) >= 128:
            value |= byte % 128 << shift
            shift += 7
        return value | byte << shift

    def svarint(self) -> int:
        """The next signed number."""
        value = shift = 0
        while (byte := self.take(1)[0]) >= 128:
            value |= byte % 128 << shift
            shift += 7
        return -value if byte == 0 else value | byte << shift


def decode(data: bytes) -> list[Entry]:
    """Everything, parents first."""
    if data[:8] != MAGIC:
        raise ValueError("unknown magic")
    (root,) = struct.unpack("<Q", data[-8:])
    return block_entries(data, root, b"")


def block_entries(data: bytes, start: int, path: bytes) -> list[Entry]:
    """The names of a block and of all blocks below it."""
    outer = Reader(data, start)
    reader = Reader(outer.take(outer.varint()), 0)
    found = []
    for _ in range(reader.varint()):
        kind = chr(reader.take(1)[0])
        name = path + b"/" + reader.take(reader.varint())
        if kind == "d":
            distance = reader.varint()
            if not 0 < distance <= start:
                raise ValueError(f"{name!r} is {distance} bytes before {start}")
            found += [Entry(name, kind), *block_entries(data, start - distance, name)]
        elif kind == "f":
            found.append(Entry(name, kind, reader.varint(), reader.svarint()))
        elif kind in "lhbcps":
            found.append(Entry(name, kind))
        else:
            raise ValueError(f"unknown kind {kind!r}")
    if reader.at != len(reader.data):
        raise ValueError(f"the block at {start} is longer than its entries")
    return found
