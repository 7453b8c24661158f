"""Damaged catalogs: their structure is checked; names, sizes and times have no checksum but that of their chunks."""

import tempfile

import pytest

from damage.matrix import Part, Place, check_complete, check_flips, check_noticed, check_truncations, places
from oracle import catalog as twin
from oracle.worked_trees import version_1
from pbstore import _core

DATA = twin.encode({b"root.pxar.didx": version_1()})
DAMAGED = r"damaged catalog at byte \d+: "
CHUNKED = "the catalog has no checksums; the digests of its chunks cover it (see the restores)"
VALUE = "another number is as good as this one; the digests of the chunks cover it"


def entry(name: str, *values: Part) -> list[Part]:
    """The places of one entry."""
    return [
        (f"kind of {name}", 1, DAMAGED, "a link of another kind has the same form"),
        (f"length of {name}", 1, DAMAGED),
        (f"name {name}", len(name), "", CHUNKED),
        *values,
    ]


# The worked example, catalog.md 3.
TABLE = places(
    ("magic", 8, "damaged catalog at byte 0: wrong magic"),
    ("length of sub", 1, DAMAGED),
    ("count of sub", 1, DAMAGED),
    ("length of the archive's root", 1, DAMAGED),
    ("count of the archive's root", 1, DAMAGED),
    *entry("a.txt", ("size", 1, DAMAGED, VALUE), ("time", 5, DAMAGED, VALUE)),
    *entry("hard"),
    *entry("link"),
    *entry("sub", ("distance", 1, DAMAGED)),
    ("length of the root", 1, DAMAGED),
    ("count of the root", 1, DAMAGED),
    *entry("root.pxar.didx", ("distance", 1, DAMAGED, "it may lead to another whole directory")),
    ("tail", 8, DAMAGED),
)


def read(data: bytes) -> list[bytes]:
    """All names."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return [entry.path for entry in _core.Catalog(file.name).entries()]


def test_nothing_is_left_out() -> None:
    check_complete(DATA, TABLE)
    assert len(read(DATA)) == 5


@pytest.mark.parametrize("place", TABLE, ids=str)
def test_flipped_bits(place: Place) -> None:
    check_flips(DATA, place, read)


def test_wrong_lengths() -> None:
    check_truncations(DATA, TABLE, read, DAMAGED)
    for more in (b"\0", b"\xff", bytes(4096), DATA[:-1]):
        check_noticed(DATA + more, read, DAMAGED)


def test_a_catalog_behind_a_catalog() -> None:
    """Its tail leads to a directory of the first: the length in index and manifest is what tells."""
    assert read(DATA + DATA) == read(DATA)


def test_the_catalog_of_another_snapshot() -> None:
    """It is whole; only the checksum in the manifest tells."""
    assert read(twin.encode({b"other.pxar.didx": version_1()})) != read(DATA)
