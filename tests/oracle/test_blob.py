"""Blobs against the bytes of blobs-and-chunks.md 1 and 6."""

import pytest
import zstandard

from oracle.blob import MAGICS, open_blob, seal

KEY = bytes(range(32))
IV = bytes(range(16, 32))
PLAIN = bytes.fromhex("42ab3807be8370a1 85114a0d 68656c6c6f20776f726c64")
ENCRYPTED = bytes.fromhex(
    "7b6785be222d4cf0 98058728 101112131415161718191a1b1c1d1e1f26f970bd1579ed9fd66914f526604f05 e23f560c88514cc01967fa"
)


def test_magics() -> None:
    assert {kind: magic.hex() for kind, magic in MAGICS.items()} == {
        "plain": "42ab3807be8370a1",
        "compressed": "31b958426fb6a37f",
        "encrypted": "7b6785be222d4cf0",
        "encrypted-compressed": "e6591bbf0bbfd80b",
    }


def test_worked_examples() -> None:
    assert seal("plain", b"hello world") == PLAIN
    assert seal("encrypted", b"hello world", key=KEY, iv=IV) == ENCRYPTED
    assert open_blob(PLAIN) == open_blob(ENCRYPTED, KEY) == b"hello world"
    assert seal("plain", b"").hex() == "42ab3807be8370a100000000"


def test_several_frames_are_one_payload() -> None:
    frames = zstandard.compress(b"hello ") + zstandard.ZstdCompressor(write_content_size=False).compress(b"world")
    assert open_blob(seal("compressed", b"", frame=frames)) == b"hello world"
    assert open_blob(seal("encrypted-compressed", b"x" * 999, key=KEY, iv=IV), KEY) == b"x" * 999


@pytest.mark.parametrize("at", range(len(PLAIN)))
def test_a_flipped_bit_in_a_plain_blob(at: int) -> None:
    with pytest.raises(ValueError, match=r"magic|CRC"):
        open_blob(PLAIN[:at] + bytes([PLAIN[at] ^ 1]) + PLAIN[at + 1 :])
