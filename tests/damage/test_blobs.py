"""Damaged blobs of all four kinds: chunks on the disk, blob files and bodies on the wire are the same bytes."""

import zlib

import pytest

from damage.matrix import (
    Part,
    Place,
    check_complete,
    check_extensions,
    check_flips,
    check_noticed,
    check_truncations,
    complaint,
    places,
)
from oracle import blob as twin
from pbstore import _core

KEY = bytes(range(32))
IV = bytes(range(16, 32))
DATA = b"some text that can be compressed " * 20
BLOBS = {kind: twin.seal(kind, DATA, key=KEY, iv=IV) for kind in twin.MAGICS}
CRC = r"wrong CRC-32: header says [0-9a-f]{8}, payload has [0-9a-f]{8}"
TAG = "cannot decrypt blob: it is damaged or was encrypted with another key"


def table(kind: str) -> list[Place]:
    """The places of a blob (blobs-and-chunks.md 1.2)."""
    sealed: list[Part] = [("IV", 16, TAG), ("tag", 16, TAG)] if kind.startswith("encrypted") else []
    head: list[Part] = [("magic", 8, "unknown magic|no data blob"), ("CRC", 4, CRC), *sealed]
    length = sum(place[1] for place in head)
    return places(*head, ("payload", len(BLOBS[kind]) - length, CRC))


def read(blob: bytes) -> bytes:
    """As a client that has the key."""
    key = _core.CryptKey(KEY) if _core.blob_kind(blob).startswith("encrypted") else None
    return _core.open_blob(blob, key=key)


@pytest.mark.parametrize("kind", BLOBS)
def test_nothing_is_left_out(kind: str) -> None:
    check_complete(BLOBS[kind], table(kind))
    assert read(BLOBS[kind]) == DATA


@pytest.mark.parametrize(("kind", "place"), [(kind, place) for kind in BLOBS for place in table(kind)], ids=str)
def test_flipped_bits(kind: str, place: Place) -> None:
    check_flips(BLOBS[kind], place, read)


@pytest.mark.parametrize("kind", BLOBS)
def test_wrong_lengths(kind: str) -> None:
    check_truncations(BLOBS[kind], table(kind), read, f"no data blob: only \\d+ bytes|{CRC}")
    check_extensions(BLOBS[kind], read, CRC)


@pytest.mark.parametrize("kind", BLOBS)
def test_a_right_crc_over_a_wrong_payload(kind: str) -> None:
    """Who writes the CRC anew, as every server does for chunks, deceives nobody who has the digest or the key."""
    payload = bytearray(BLOBS[kind][twin.header_length(kind) :])
    payload[len(payload) // 2] ^= 1
    head = BLOBS[kind][: twin.header_length(kind)]
    crc = zlib.crc32(payload).to_bytes(4, "little")
    damaged = head[:8] + crc + head[12:] + payload
    if kind == "plain":
        assert read(damaged) != DATA, "only a digest can tell"
    elif kind == "compressed":
        # A frame without checksum may still be one; then, too, the digest tells.
        assert "damaged zstd data" in complaint(damaged, read) or read(damaged) != DATA
    else:
        check_noticed(damaged, read, TAG)


@pytest.mark.parametrize(
    ("kind", "other", "said"),
    [
        ("plain", "compressed", "damaged zstd data"),
        ("plain", "encrypted", CRC),
        ("compressed", "encrypted-compressed", CRC),
        ("encrypted", "plain", CRC),
        ("encrypted", "encrypted-compressed", "damaged zstd data"),
        ("encrypted-compressed", "compressed", CRC),
    ],
)
def test_the_magic_of_another_kind(kind: str, other: str, said: str) -> None:
    check_noticed(twin.MAGICS[other] + BLOBS[kind][8:], read, said)


@pytest.mark.parametrize(("kind", "other"), [("compressed", "plain"), ("encrypted-compressed", "encrypted")])
def test_the_magic_that_hides_compression(kind: str, other: str) -> None:
    """Neither CRC nor tag covers the magic: such a blob opens, as its zstd frame. Digest and length tell."""
    assert read(twin.MAGICS[other] + BLOBS[kind][8:]) == twin.payload_of(BLOBS[kind], KEY) != DATA
