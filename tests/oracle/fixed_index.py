"""The index of an image, `.fidx` (indexes.md 1)."""

import hashlib
import struct
from dataclasses import dataclass

MAGIC = hashlib.sha256(b"Proxmox Backup fixed sized chunk index v1.0").digest()[:8]
CHUNK_SIZE = 4 << 20


@dataclass(frozen=True)
class FixedIndex:
    """What is in the file, but for the checksum, which follows from it."""

    uuid: bytes
    ctime: int
    size: int
    chunk_size: int
    digests: tuple[bytes, ...]

    @property
    def csum(self) -> bytes:
        """SHA-256 over the digests."""
        return hashlib.sha256(b"".join(self.digests)).digest()

    @property
    def ends(self) -> list[int]:
        """Where each chunk ends in the image."""
        return [min((number + 1) * self.chunk_size, self.size) for number in range(len(self.digests))]


def encode(index: FixedIndex) -> bytes:
    """The whole file."""
    head = MAGIC + index.uuid + struct.pack("<q", index.ctime) + index.csum
    head += struct.pack("<QQ", index.size, index.chunk_size)
    return head + bytes(4016) + b"".join(index.digests)


def decode(data: bytes) -> FixedIndex:
    """Read a file; the stored checksum is not looked at."""
    if data[:8] != MAGIC:
        raise ValueError("unknown magic")
    (ctime,) = struct.unpack("<q", data[24:32])
    size, chunk_size = struct.unpack("<QQ", data[64:80])
    count = (size + chunk_size - 1) // chunk_size
    if count == 0 or len(data) != 4096 + 32 * count:
        raise ValueError(f"{len(data)} bytes are not a header and {count} digests")
    digests = tuple(data[start : start + 32] for start in range(4096, len(data), 32))
    return FixedIndex(data[8:24], ctime, size, chunk_size, digests)
