"""The index of a stream, `.didx` (indexes.md 2)."""

import hashlib
import struct
from dataclasses import dataclass

MAGIC = hashlib.sha256(b"Proxmox Backup dynamic sized chunk index v1.0").digest()[:8]


@dataclass(frozen=True)
class DynamicIndex:
    """What is in the file, but for the checksum; `entries` are pairs of end and digest."""

    uuid: bytes
    ctime: int
    entries: tuple[tuple[int, bytes], ...]

    @property
    def table(self) -> bytes:
        """The entries as they are stored."""
        return b"".join(struct.pack("<Q", end) + digest for end, digest in self.entries)

    @property
    def csum(self) -> bytes:
        """SHA-256 over the table."""
        return hashlib.sha256(self.table).digest()

    @property
    def size(self) -> int:
        """Length of the stream."""
        return self.entries[-1][0] if self.entries else 0


def encode(index: DynamicIndex) -> bytes:
    """The whole file."""
    return MAGIC + index.uuid + struct.pack("<q", index.ctime) + index.csum + bytes(4032) + index.table


def decode(data: bytes) -> DynamicIndex:
    """Read a file; the stored checksum is not looked at."""
    if data[:8] != MAGIC:
        raise ValueError("unknown magic")
    if len(data) < 4096 or (len(data) - 4096) % 40 != 0:
        raise ValueError(f"{len(data)} bytes are not a header and whole entries")
    entries: list[tuple[int, bytes]] = []
    for start in range(4096, len(data), 40):
        (end,) = struct.unpack("<Q", data[start : start + 8])
        if end <= (entries[-1][0] if entries else 0):
            raise ValueError(f"end {end} of entry {len(entries)} does not increase")
        entries.append((end, data[start + 8 : start + 40]))
    (ctime,) = struct.unpack("<q", data[24:32])
    return DynamicIndex(data[8:24], ctime, tuple(entries))
