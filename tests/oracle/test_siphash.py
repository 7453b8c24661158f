"""SipHash against its authors' vectors, and the names of pxar.md 9."""

import pytest

from oracle.siphash import name_hash, siphash

K0, K1 = 0x0706050403020100, 0x0F0E0D0C0B0A0908


def test_vector_of_its_paper() -> None:
    assert siphash(K0, K1, bytes(range(15))) == 0xA129CA6149BE45E5


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"a.txt", 0xDC392D66B611AA72),
        (b"hard", 0x15C056300A23E75A),
        (b"link", 0x04FE0B2ECF0FC0EF),
        (b"sub", 0x1D68161405AF1BD0),
        (b"empty", 0x9C7BD2E4B3B60004),
    ],
)
def test_names(name: bytes, expected: int) -> None:
    assert name_hash(name) == expected
