"""Damaged indexes: what parsing finds, and what only the manifest's size and checksum tell."""

import hashlib

import pytest

from damage.matrix import (
    Part,
    Place,
    check_complete,
    check_extensions,
    check_flips,
    check_noticed,
    check_truncations,
    places,
)
from oracle import dynamic_index, fixed_index
from pbstore import _core
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode

UUID, CTIME = bytes(range(16)), 1593179765
DIGESTS = [hashlib.sha256(bytes([number])).digest() for number in range(5)]
FIXED = fixed_index.encode(fixed_index.FixedIndex(UUID, CTIME, 5 * 4096 - 100, 4096, tuple(DIGESTS)))
ENDS = [1000, 3000, 3001, 9000, 9500]
DYNAMIC = dynamic_index.encode(dynamic_index.DynamicIndex(UUID, CTIME, tuple(zip(ENDS, DIGESTS, strict=True))))
OTHER_FIXED = fixed_index.encode(fixed_index.FixedIndex(UUID, CTIME, 5 * 4096 - 100, 4096, tuple(DIGESTS[::-1])))
OTHER_DYNAMIC = dynamic_index.encode(
    dynamic_index.DynamicIndex(UUID, CTIME, tuple(zip(ENDS, DIGESTS[::-1], strict=True)))
)

IDENTITY = "uuid and time only say when the file was made: no checksum covers them, and nothing is decided by them"
STORED_CSUM = "the stored checksum is never believed: it is computed anew, and the manifest's is what counts"
RESERVED = "the rest of the header means nothing, and later releases may use it"
HEAD: list[Part] = [("uuid", 16, "", IDENTITY), ("ctime", 8, "", IDENTITY), ("csum", 32, "", STORED_CSUM)]
WRONG = r"wrong (checksum|size) for file '{}': manifest says \w+, got \w+"


def table(kind: str) -> list[Place]:
    """The places of an index file (indexes.md 1, 2)."""
    wrong = WRONG.format(f"a.{kind}")
    if kind == "fidx":
        length = "fixed index of \\d+ bytes has a table of wrong length 160"
        sizes: list[Part] = [
            ("size", 8, f"{length}|{wrong}"),
            ("chunk size", 8, "impossible chunk size \\d+"),
            ("reserved", 4016, "", RESERVED),
        ]
        return places(("magic", 8, "no fixed index: wrong magic"), *HEAD, *sizes, ("digests", 160, wrong))
    ends = f"dynamic index has an impossible chunk \\d, from \\d+ to \\d+|{wrong}"
    entries: list[Part] = [
        place for number in range(5) for place in ((f"end {number}", 8, ends), (f"digest {number}", 32, wrong))
    ]
    return places(("magic", 8, "no dynamic index: wrong magic"), *HEAD, ("reserved", 4032, "", RESERVED), *entries)


FILES = {"fidx": FIXED, "didx": DYNAMIC}


def parse(data: bytes, kind: str) -> _core.FixedIndex | _core.DynamicIndex:
    return _core.FixedIndex.parse(data) if kind == "fidx" else _core.DynamicIndex.parse(data)


class Checked:
    """Reads an index as a client does: parses it, and compares it with the manifest."""

    def __init__(self, kind: str):
        self.kind = kind
        index = parse(FILES[kind], kind)
        self.manifest = Manifest(Snapshot.parse("host/a/2024-01-02T03:04:05Z"))
        self.manifest.add(f"a.{kind}", CryptMode.NONE, index.size, index.csum)

    def __call__(self, data: bytes) -> None:
        index = parse(data, self.kind)
        self.manifest.verify_file(f"a.{self.kind}", index.size, index.csum)


@pytest.mark.parametrize("kind", FILES)
def test_nothing_is_left_out(kind: str) -> None:
    check_complete(FILES[kind], table(kind))
    Checked(kind)(FILES[kind])


@pytest.mark.parametrize(("kind", "place"), [(kind, place) for kind in FILES for place in table(kind)], ids=str)
def test_flipped_bits(kind: str, place: Place) -> None:
    check_flips(FILES[kind], place, Checked(kind))


@pytest.mark.parametrize("kind", FILES)
def test_wrong_lengths(kind: str) -> None:
    said = f"only \\d+ bytes, the header has 4096|wrong length \\d+|{WRONG.format('a.' + kind)}|impossible chunk"
    check_truncations(FILES[kind], table(kind), Checked(kind), said)
    check_extensions(FILES[kind], Checked(kind), said)


@pytest.mark.parametrize(
    ("kind", "other", "said"),
    [
        ("fidx", OTHER_FIXED, "wrong checksum for file 'a.fidx'"),
        ("didx", OTHER_DYNAMIC, "wrong checksum for file 'a.didx'"),
        ("fidx", DYNAMIC, "no fixed index: wrong magic"),
        ("didx", FIXED, "no dynamic index: wrong magic"),
    ],
)
def test_another_index_in_its_place(kind: str, other: bytes, said: str) -> None:
    check_noticed(other, Checked(kind), said)


def test_an_end_and_a_digest_that_change_places() -> None:
    """Two chunks of the same archive in the wrong order: each is whole, the checksum tells."""
    entries = [DYNAMIC[start : start + 40] for start in range(4096, len(DYNAMIC), 40)]
    digests = [entries[1], entries[0], *entries[2:]]
    swapped = [end[:8] + digest[8:] for end, digest in zip(entries, digests, strict=True)]
    check_noticed(DYNAMIC[:4096] + b"".join(swapped), Checked("didx"), WRONG.format("a.didx"))
