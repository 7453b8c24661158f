"""Payload streams are cut where the twin cuts them, which has all data and suggestions at hand."""

from hypothesis import given
from hypothesis import strategies as st

from oracle import payload_chunker as twin
from pbstore import _core
from properties.streams import streams

averages = st.sampled_from([64, 128, 256, 512, 1024])
# How far into what is left of the data each run of reused chunks comes, in thousandths, and their lengths.
reuses = st.lists(st.tuples(st.integers(0, 1000), st.lists(st.integers(1, 3000), min_size=1, max_size=3)), max_size=4)


@given(streams, averages, st.lists(st.integers(0, 2000), max_size=60), reuses)
def test_files_and_reused_chunks(
    data: bytes, average: int, steps: list[int], reuses: list[tuple[int, list[int]]]
) -> None:
    files = [sum(steps[: number + 1]) for number in range(len(steps))]
    injections, at, left = [], 0, len(data)
    for thousandths, lengths in reuses:
        written = left * thousandths // 1000
        injections.append(twin.Injection(at + written, tuple(lengths)))
        at, left = at + written + sum(lengths), left - written
    expected = twin.chunk_ends(data, average, files, injections)
    found = _core.payload_chunk_ends(
        data, files, average=average, injections=[(each.boundary, sum(each.lengths)) for each in injections]
    )
    assert found == [end for end, is_reused in expected if not is_reused]
