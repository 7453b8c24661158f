"""Both chunkers against the vectors of chunker.md 5 and 6."""

import hashlib
import struct

from oracle.buzhash_table import TABLE
from oracle.chunker import chunk_ends
from oracle.payload_chunker import Injection
from oracle.payload_chunker import chunk_ends as payload_chunk_ends

AVERAGE = 64 << 10


def vector_stream(length: int) -> bytes:
    """S(`pbs-chunker-vector`, length)."""
    blocks = (hashlib.sha256(b"pbs-chunker-vector" + struct.pack("<Q", i)).digest() for i in range(length // 32))
    return b"".join(blocks)


def test_the_table_is_that_of_the_format() -> None:
    words = struct.pack("<256I", *TABLE)
    assert hashlib.sha256(words).hexdigest() == "5b52080d38287da9d2e278466e3e0db7ec98e5e8b226f50612a56fa012b1f660"


def test_hashed_stream() -> None:
    ends = """42522 86649 119627 156011 222359 239915 261585 288811 319801 336551 370169 480059 525457 642043 677915
        753501 787204 810919 905306 938504 1000764 1030581 1048576"""
    assert chunk_ends(vector_stream(1 << 20), AVERAGE) == [int(end) for end in ends.split()]


def test_counters() -> None:
    data = struct.pack("<262144I", *range(262144))
    assert hashlib.sha256(data).hexdigest() == "21b9bf484e8bb6ca346d2cd113f24594cadb15c31c3e6ea4bd99897b1e728282"
    assert chunk_ends(data, AVERAGE) == [143377, 405521, 667665, 929809, 1048576]


def test_constant_data_fills_the_largest_chunk() -> None:
    assert chunk_ends(bytes(40960), 4096) == [16384, 32768, 40960]
    assert chunk_ends(b"", 4096) == []


def test_suggested_boundaries() -> None:
    suggestions = [20000, 30000, 35000, 100000, 110000, 400000, 700000, 700016]
    ends = "20000 100000 119627 156011 400000 480059 700000 753501 787204 810919 905306 938504 1000764 1030581 1048576"
    found = payload_chunk_ends(vector_stream(1 << 20), AVERAGE, suggestions)
    assert found == [(int(end), False) for end in ends.split()]


def test_injected_chunks_take_the_place_of_data() -> None:
    data = bytes(40000)
    injections = [Injection(10000, (500, 700)), Injection(11200, (64,)), Injection(31264, (1,))]
    ends = [(10000, False), (10500, True), (11200, True), (11264, True), (27648, False), (31264, False), (31265, True)]
    assert payload_chunk_ends(data, 4096, [], injections) == [*ends, (41265, False)]
