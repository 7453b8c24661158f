"""Damaged pxar archives: one stream, and the two of a split one."""

import re
import tempfile
from pathlib import Path

import pytest

from damage.archive_places import DAMAGED, PAYLOAD, archive_places, payload_places
from damage.matrix import (
    Place,
    check_complete,
    check_flips,
    check_noticed,
    check_truncations,
    complaint,
)
from oracle.pxar_encoder import encode, encode_split
from oracle.pxar_items import HARDLINK, read_items
from oracle.worked_trees import PRELUDE, a_file, directory, version_1, version_2
from pbstore import _core

ONE = encode(version_1())
METADATA, CONTENTS = encode_split(version_2(), PRELUDE)
OTHER_METADATA, OTHER_CONTENTS = encode_split(directory(0o755, {b"b.txt": a_file(b"other content")}), PRELUDE)


def listed(archive: bytes, payload: bytes | None = None) -> list[_core.PxarEntry]:
    with tempfile.TemporaryDirectory() as directory:
        path, payload_path = Path(directory) / "archive", Path(directory) / "payload"
        path.write_bytes(archive)
        payload_path.write_bytes(payload or b"")
        return list(_core.list_pxar(path, payload_path if payload is not None else None))


def read_one(data: bytes) -> object:
    return listed(data)


def read_metadata(data: bytes) -> object:
    return listed(data, CONTENTS)


def read_contents(data: bytes) -> object:
    return listed(METADATA, data)


FILES = {
    "pxar": (ONE, archive_places(ONE), read_one, DAMAGED),
    "mpxar": (METADATA, archive_places(METADATA), read_metadata, f"{DAMAGED}|{PAYLOAD}"),
    "ppxar": (CONTENTS, payload_places(CONTENTS), read_contents, PAYLOAD),
}


@pytest.mark.parametrize("kind", FILES)
def test_nothing_is_left_out(kind: str) -> None:
    data, table, read, _ = FILES[kind]
    check_complete(data, table)
    assert complaint(data, read) == ""


@pytest.mark.parametrize(("kind", "place"), [(kind, place) for kind in FILES for place in FILES[kind][1]], ids=str)
def test_flipped_bits(kind: str, place: Place) -> None:
    data, _, read, _ = FILES[kind]
    check_flips(data, place, read)


@pytest.mark.parametrize("kind", FILES)
def test_wrong_lengths(kind: str) -> None:
    data, table, read, said = FILES[kind]
    check_truncations(data, table, read, said)
    for more in (b"\0", b"\xff", bytes(4096)):
        check_noticed(data + more, read, said)


def test_an_archive_behind_an_archive() -> None:
    """Only a payload may be followed by another one: what nothing refers to is padding, as reused chunks bring it."""
    check_noticed(ONE + ONE, read_one, "something follows the end of the archive")
    check_noticed(METADATA + METADATA, read_metadata, "something follows the end of the archive")
    assert complaint(CONTENTS + CONTENTS, read_contents) == ""


def test_the_place_that_is_named_is_the_item_that_is_wrong() -> None:
    for item in read_items(ONE):
        damaged = bytearray(ONE)
        damaged[item.start] ^= 1
        found = re.search(r"at byte (\d+)", complaint(bytes(damaged), read_one))
        assert found
        assert item.start <= int(found[1]) <= item.start + 16


def test_the_streams_of_two_archives() -> None:
    check_noticed(OTHER_METADATA, read_metadata, PAYLOAD)
    check_noticed(OTHER_CONTENTS, read_contents, PAYLOAD)
    check_noticed(METADATA, read_contents, PAYLOAD)
    check_noticed(CONTENTS, read_metadata, DAMAGED)
    check_noticed(CONTENTS, read_one, DAMAGED)


@pytest.mark.parametrize("at", range(24, 29))
def test_a_hard_link_to_nothing_is_not_made(at: int, tmp_path: Path) -> None:
    (link,) = [item for item in read_items(ONE) if item.kind == HARDLINK]
    damaged = bytearray(ONE)
    damaged[link.start + at] ^= 4
    (tmp_path / "archive").write_bytes(damaged)

    def extract(_: bytes) -> object:
        return _core.extract_pxar(tmp_path / "archive", tmp_path / "target")

    check_noticed(b"", extract, "failed to find the hard link target")
