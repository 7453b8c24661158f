"""Indexes: same bytes as the twin's, and each reads the other's."""

import bisect
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from oracle import dynamic_index, fixed_index
from pbstore import _core

digests = st.binary(min_size=32, max_size=32)
uuids = st.binary(min_size=16, max_size=16)
ctimes = st.integers(-(2**63), 2**63 - 1)
chunk_sizes = st.integers(6, 24).map(lambda bits: 1 << bits)


@given(uuids, ctimes, st.lists(st.tuples(st.integers(1, 1 << 24), digests), max_size=40), st.integers(0, 1 << 30))
def test_dynamic_indexes(uuid: bytes, ctime: int, chunks: list[tuple[int, bytes]], offset: int) -> None:
    ends = list(accumulate(length for length, _ in chunks))
    twin = dynamic_index.DynamicIndex(uuid, ctime, tuple(zip(ends, (digest for _, digest in chunks), strict=True)))
    data = dynamic_index.encode(twin)
    assert _core.DynamicIndex.encode(list(twin.entries), uuid=uuid, ctime=ctime) == data
    ours = _core.DynamicIndex.parse(data)
    assert tuple((ours.chunk_end(number), ours.digest(number)) for number in range(len(ours))) == twin.entries
    assert (ours.size, ours.csum, ours.uuid, ours.ctime) == (twin.size, twin.csum, uuid, ctime)
    for place in (0, offset, *ends, *(end - 1 for end in ends)):
        assert ours.find(place) == (None if place >= twin.size else bisect.bisect_right(ends, place))
    assert dynamic_index.decode(data) == twin


@given(uuids, ctimes, chunk_sizes, st.lists(digests, min_size=1, max_size=40), st.integers(0), st.integers(0, 1 << 30))
def test_fixed_indexes(
    uuid: bytes, ctime: int, chunk_size: int, chunks: list[bytes], missing: int, offset: int
) -> None:
    size = len(chunks) * chunk_size - missing % chunk_size
    twin = fixed_index.FixedIndex(uuid, ctime, size, chunk_size, tuple(chunks))
    data = fixed_index.encode(twin)
    assert _core.FixedIndex.encode(chunks, size, uuid=uuid, ctime=ctime, chunk_size=chunk_size) == data
    ours = _core.FixedIndex.parse(data)
    numbers = range(len(ours))
    assert [ours.digest(number) for number in numbers] == chunks
    assert [ours.chunk_end(number) for number in numbers] == twin.ends
    assert (ours.size, ours.chunk_size, ours.csum) == (size, chunk_size, twin.csum)
    assert (ours.uuid, ours.ctime) == (uuid, ctime)
    for place in (0, offset, *twin.ends, *(end - 1 for end in twin.ends)):
        assert ours.find(place) == (None if place >= size else bisect.bisect_right(twin.ends, place))
    assert fixed_index.decode(data) == twin
