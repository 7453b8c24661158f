"""The chunker of payload streams, told everything in advance (chunker.md 6).

Of what the document leaves to buffering, this is the case "everything is buffered": a suggestion within reach of the
largest chunk is always decided upon before the hash is.
"""

from dataclasses import dataclass

from oracle.chunker import Chunk


@dataclass(frozen=True)
class Injection:
    """Known chunks that take the place of data from `boundary` of the stream on."""

    boundary: int
    lengths: tuple[int, ...]


def chunk_ends(
    data: bytes, average: int, suggestions: list[int], injections: list[Injection] | None = None
) -> list[tuple[int, bool]]:
    """Ends of all chunks in the stream, and whether each was injected; `data` is the stream without injected bytes."""
    ends: list[tuple[int, bool]] = []
    at = consumed = 0
    for injection in injections or []:
        piece = data[consumed : consumed + injection.boundary - at]
        assert len(piece) == injection.boundary - at, "the data ends before the injection's boundary"
        ends += [(end, False) for end in piece_ends(piece, at, average, suggestions)]
        consumed += len(piece)
        at = injection.boundary
        for length in injection.lengths:
            at += length
            ends.append((at, True))
    return ends + [(end, False) for end in piece_ends(data[consumed:], at, average, suggestions)]


def piece_ends(data: bytes, start: int, average: int, suggestions: list[int]) -> list[int]:
    """Cut data that begins at `start` of the stream and ends with a forced boundary or the stream."""
    ends, base = [], start
    while base < start + len(data):
        base = next_end(data, start, base, average, suggestions)
        ends.append(base)
    return ends


def next_end(data: bytes, start: int, base: int, average: int, suggestions: list[int]) -> int:
    """End of the chunk that begins at `base`: the first usable suggestion, else what the hash says."""
    end = start + len(data)
    usable = [at for at in suggestions if average // 4 <= at - base <= average * 4 and at <= end]
    if usable:
        return min(usable)
    chunk = Chunk(average)
    for at in range(base, end):
        if chunk.take(data[at - start]):
            return at + 1
    return end
