"""Catalogs against the bytes of catalog.md 2 and 3."""

import hashlib

import pytest

from oracle.catalog import Entry, Reader, decode, encode, svarint, varint
from oracle.worked_trees import version_1


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (1048576, "808040"), (2**64 - 1, "ff" * 9 + "01")],
)
def test_unsigned_numbers(value: int, encoded: str) -> None:
    assert varint(value).hex() == encoded
    assert Reader(bytes.fromhex(encoded), 0).varint() == value


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (-1, "8100"),
        (-127, "ff00"),
        (-128, "808100"),
        (-300, "ac8200"),
        (1700000000, "80e2cfaa06"),
        (-(2**63), "80" * 9 + "8100"),
    ],
)
def test_signed_numbers(value: int, encoded: str) -> None:
    assert svarint(value).hex() == encoded
    assert Reader(bytes.fromhex(encoded), 0).svarint() == value


def test_worked_example() -> None:
    data = encode({b"root.pxar.didx": version_1()})
    assert len(data) == 70
    assert hashlib.sha256(data).hexdigest() == "f60cbccf6e47cf41ab7a1c2b25f82c8ca5e946205a8da5804d9f956e5d92f539"
    assert data[8:62] == bytes.fromhex(
        "0100 2004 6605612e7478740680e2cfaa06 680468617264 6c046c696e6b 640373756202"
        "1201640e726f6f742e707861722e6469647821"
    )
    assert decode(data) == [
        Entry(b"/root.pxar.didx", "d"),
        Entry(b"/root.pxar.didx/a.txt", "f", 6, 1_700_000_000),
        Entry(b"/root.pxar.didx/hard", "h"),
        Entry(b"/root.pxar.didx/link", "l"),
        Entry(b"/root.pxar.didx/sub", "d"),
    ]
