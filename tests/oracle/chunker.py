"""The content-defined chunker, one byte after the other (chunker.md 1 to 4)."""

from collections import deque
from collections.abc import Iterable

from oracle.buzhash_table import TABLE

WINDOW = 64


class Chunk:
    """The chunk that is being filled."""

    def __init__(self, average: int):
        self.smallest = average // 4
        self.largest = average * 4
        self.mask = average * 2 - 1
        self.window: deque[int] = deque()
        self.hash = 0
        self.count = 0

    def take(self, byte: int) -> bool:
        """Add a byte; whether the chunk ends behind it."""
        self.hash = (self.hash << 1 | self.hash >> 31) & 0xFFFFFFFF
        self.hash ^= TABLE[byte]
        self.count += 1
        self.window.append(byte)
        if len(self.window) <= WINDOW:
            return False
        self.hash ^= TABLE[self.window.popleft()]
        if self.count >= self.largest:
            return True
        return self.count >= self.smallest and self.hash & self.mask >= self.mask - 2


def chunk_ends(data: Iterable[int], average: int) -> list[int]:
    """Where the chunks of a stream end; the end of the stream is the last one."""
    ends, chunk, at = [], Chunk(average), 0
    for at, byte in enumerate(data, 1):
        if chunk.take(byte):
            ends.append(at)
            chunk = Chunk(average)
    if chunk.count:
        ends.append(at)
    return ends
