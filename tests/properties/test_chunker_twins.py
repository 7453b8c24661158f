"""Chunks end where the twin, which takes one byte after the other, ends them."""

from hypothesis import given
from hypothesis import strategies as st

from oracle import chunker as twin
from pbstore import _core
from properties.streams import streams

averages = st.sampled_from([64, 128, 256, 512, 1024, 4096])


@given(streams, averages)
def test_whole_streams(data: bytes, average: int) -> None:
    assert _core.chunk_ends(data, average) == twin.chunk_ends(data, average)


@given(streams, averages, st.lists(st.integers(0, 2000), min_size=1, max_size=20))
def test_streams_in_pieces_of_any_size(data: bytes, average: int, pieces: list[int]) -> None:
    """Empty pieces too; whatever the pieces, the borders are the same."""
    chunker, found, at, turn = _core.Chunker(average), [], 0, 0
    while at < len(data):
        # One byte at least every other time, so that the stream ends.
        length = max(pieces[turn % len(pieces)], turn % 2)
        turn += 1
        border = chunker.scan(data[at : at + length])
        if border is not None:
            assert 0 < border <= length
            found.append(at + border)
        at = min(at + length, len(data)) if border is None else at + border
    expected = twin.chunk_ends(data, average)
    assert found in (expected, expected[:-1])


@given(streams, streams, averages)
def test_nothing_is_carried_over_into_the_next_chunk(before: bytes, data: bytes, average: int) -> None:
    chunker = _core.Chunker(average)
    chunker.scan(before)
    chunker.reset()
    border = chunker.scan(data)
    ends = twin.chunk_ends(data, average)
    assert border == ends[0] if border is not None else ends in ([], [len(data)])
