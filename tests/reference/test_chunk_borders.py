"""Chunk borders that the original client chose."""

import json
import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from pbstore import _core
from reference.original_store import OriginalStore, parse_index

PAYLOAD_REF = 0x419D3D6BC4BA977E


def test_records_are_cut_where_the_original_cut_them(store_323: OriginalStore) -> None:
    """The chunks of host/rec are kept, so the stream can be put together and cut again, in pieces."""
    (path,) = store_323.path.glob("host/rec/*/*.pxar.didx")
    index = parse_index(path)
    ends = [index.chunk_end(number) for number in range(len(index))]
    assert len(ends) > 2
    assert ends_in_pieces(store_323.read(path), 100_003) == ends


@pytest.mark.parametrize(("day", "by_content"), [("01", {3957416}), ("02", set())])
def test_payloads_are_cut_at_the_files_where_the_original_cut_them(
    store_423: OriginalStore, day: str, by_content: set[int]
) -> None:
    """It decided once by content, before it knew that a file begins 1.9 MiB later."""
    snapshot = store_423.path / "host" / "split" / f"2026-06-{day}T08:00:00Z"
    index, metadata = parse_index(snapshot / "tree.ppxar.didx"), store_423.read(snapshot / "tree.mpxar.didx")
    files, at = [], 0
    while at < len(metadata):
        item_type, length, first = struct.unpack_from("<QQQ", metadata, at)
        if item_type == PAYLOAD_REF:
            files.append(first)
        at += length
    assert len(files) > 250
    ends = [index.chunk_end(number) for number in range(len(index))]
    found = _core.payload_chunk_ends(store_423.read(snapshot / "tree.ppxar.didx"), files)
    assert found == [end for end in ends if end not in by_content]


def test_listed_borders_are_those_of_the_index(fixtures_323: Path) -> None:
    for report in sorted((fixtures_323 / "chunking").glob("*.json")):
        expected = json.loads(report.read_text())
        index = _core.DynamicIndex.parse(report.with_suffix("").read_bytes())
        found = [(index.chunk_end(number), index.digest(number).hex()) for number in range(len(index))]
        assert found == [(chunk["end"], chunk["digest"]) for chunk in expected["chunks"]]
        assert (index.ctime, index.csum.hex()) == (expected["ctime"], expected["index_csum"])


def test_random_data_is_cut_where_the_original_cut_it(fixtures_323: Path) -> None:
    """The archive is not kept, but its one file is known: cut that, from the first border inside it on."""
    index = _core.DynamicIndex.parse((fixtures_323 / "chunking" / "ctr.pxar.didx").read_bytes())
    content = ctr_stream(64 * 1024 * 1024)
    ends = [index.chunk_end(number) for number in range(len(index))]
    (content_start,) = (
        start
        for start in range(index.size - len(content) + 1)
        if _core.chunk_digest(content[ends[0] - start : ends[1] - start]) == index.digest(1)
    )
    first = ends[0] - content_start
    cuts = [ends[0] + end for end in _core.chunk_ends(content[first:])]
    assert cuts[:-1] == ends[1:-1]
    assert len(cuts) > 10


def ctr_stream(length: int) -> bytes:
    """What `openssl enc -aes-128-ctr` makes of zeros with the key and counter that the README names."""
    cipher = Cipher(AES(bytes.fromhex("00112233445566778899aabbccddeeff")), CTR(bytes(16)))
    return cipher.encryptor().update(bytes(length))


def ends_in_pieces(stream: bytes, piece: int) -> list[int]:
    """Cut with the incremental chunker."""
    chunker, ends, at = _core.Chunker(4 * 1024 * 1024), [], 0
    while at < len(stream):
        data = stream[at : at + piece]
        border = chunker.scan(data)
        at += len(data) if border is None else border
        if border is not None:
            ends.append(at)
    return ends if ends and ends[-1] == len(stream) else [*ends, len(stream)]
