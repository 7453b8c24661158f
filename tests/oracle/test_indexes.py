"""Indexes against the bytes of indexes.md 6."""

import hashlib

import pytest

from oracle import dynamic_index, fixed_index
from oracle.digest import chunk_digest

UUID = bytes(range(16))
CTIME = 1593179765


def test_fixed_index_of_the_document() -> None:
    four, one = chunk_digest(bytes(4 << 20)), chunk_digest(bytes(1 << 20))
    index = fixed_index.FixedIndex(UUID, CTIME, 9 << 20, 4 << 20, (four, four, one))
    data = fixed_index.encode(index)
    assert len(data) == 4192
    assert data[:80] == bytes.fromhex(
        "2f7f41ed91fd0fcd 000102030405060708090a0b0c0d0e0f 75fef55e00000000"
        "c8f97c712320613991f39507b92b54d92085daf3d0b44dc6264b60a9c6da2fc1"
        "0000900000000000 0000400000000000"
    )
    assert hashlib.sha256(data).hexdigest() == "25e0f74ec280a54dc9ee15f94b64f4fa596b2ee0a25103045d9a2fc13f8300b6"
    assert fixed_index.decode(data) == index
    assert index.ends == [4 << 20, 8 << 20, 9 << 20]


def test_dynamic_index_of_the_document() -> None:
    entries = ((5, chunk_digest(b"hello")), (11, chunk_digest(b" world")))
    index = dynamic_index.DynamicIndex(UUID, CTIME, entries)
    data = dynamic_index.encode(index)
    assert len(data) == 4176
    assert index.table == bytes.fromhex(
        "0500000000000000 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        "0b00000000000000 045f13dd864bafaad0dd977ac971de549b090cb2836f061d0779b26dd9bb8f4b"
    )
    assert index.csum.hex() == "9b2fd908141c00eaabcc62853152a71a5db06f0b722ff557a0a50352eb6c22cd"
    assert hashlib.sha256(data).hexdigest() == "fc7e7db0a3a55e9b5af60dacb87cad14488f970d16ce8f0f44d8e6bc4d2f757d"
    assert dynamic_index.decode(data) == index


def test_what_is_no_index() -> None:
    fixed = fixed_index.encode(fixed_index.FixedIndex(UUID, CTIME, 5, 4096, (bytes(32),)))
    dynamic = dynamic_index.encode(dynamic_index.DynamicIndex(UUID, CTIME, ((5, bytes(32)), (5, bytes(32)))))
    for data in (fixed[:-1], fixed + b"\0", fixed[1:], b""):
        with pytest.raises(ValueError, match=r"magic|bytes are not"):
            fixed_index.decode(data)
    for data in (dynamic, dynamic[:-1], b""):
        with pytest.raises(ValueError, match=r"magic|bytes are not|does not increase"):
            dynamic_index.decode(data)
