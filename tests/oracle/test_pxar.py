"""Archives against the bytes of pxar.md 5 and 9."""

import hashlib

import pytest

from oracle.pxar_decoder import Archive, decode
from oracle.pxar_encoder import encode, encode_split
from oracle.pxar_goodbye import places_in_order, records_of
from oracle.pxar_items import FILENAME, GOODBYE, read_items
from oracle.pxar_lookup import look_up
from oracle.pxar_node import Hardlink, Metadata, Node, walk
from oracle.worked_trees import PRELUDE, version_1, version_2

GOODBYE_OF_E1 = """1d73d542a64fec2f 8800000000000000
d01baf051416681d 7400000000000000 7400000000000000
5ae7230a3056c015 0a01000000000000 3300000000000000
72aa11b6662d39dc 6e01000000000000 6400000000000000
efc00fcf2e0bfe04 d700000000000000 6300000000000000
55153e755bed5eef a601000000000000 8800000000000000"""


@pytest.mark.parametrize(
    ("count", "permutation"),
    [
        (1, "0"),
        (2, "1 0"),
        (3, "1 0 2"),
        (4, "2 1 3 0"),
        (5, "3 1 4 0 2"),
        (6, "3 1 5 0 2 4"),
        (7, "3 1 5 0 2 4 6"),
        (8, "4 2 6 1 3 5 7 0"),
        (9, "5 3 7 1 4 6 8 0 2"),
        (10, "6 3 8 1 5 7 9 0 2 4"),
    ],
)
def test_order_of_tables(count: int, permutation: str) -> None:
    """The document gives, for each place, the number of the item that is there."""
    items = sorted(range(count), key=list(places_in_order(count)).__getitem__)
    assert " ".join(map(str, items)) == permutation


def test_version_1_example() -> None:
    data = encode(version_1())
    assert len(data) == 558
    assert hashlib.sha256(data).hexdigest() == "c557bbaaaeab171b46f608435dea99657a01ab6d74c05c92c3609ae9edfe39ad"
    assert data[422:] == bytes.fromhex(GOODBYE_OF_E1)
    assert data[177:207] == bytes.fromhex("7572bd22849c2651 1e00000000000000 6400000000000000 612e74787400")
    assert [item.start for item in read_items(data) if item.kind == FILENAME] == [56, 156, 207, 306]


def test_version_2_example() -> None:
    archive, payload = encode_split(version_2(), PRELUDE)
    assert len(archive) == 434
    assert hashlib.sha256(archive).hexdigest() == "0cff933f4f381ae3ab6df7bea9b2046967ba7d73638100bcfbd2902f64de3a41"
    assert payload == bytes.fromhex(
        "d24e4a19c2684c83 1000000000000000"
        "251a7c0b1b7a1428 1600000000000000 68656c6c6f0a"
        "251a7c0b1b7a1428 1000000000000000"
        "b5814c988bb7726c 1000000000000000"
    )
    (goodbye,) = [item for item in read_items(archive) if item.kind == GOODBYE]
    records, tail = records_of(goodbye.content)
    assert sorted(record.size for record in records) == [110, 116]
    assert tail.distance == 346


@pytest.mark.parametrize("is_split", [False, True])
def test_every_path_is_found_from_either_end(is_split: bool) -> None:
    root = version_1()
    everything = dict(walk(root))
    source = Archive(*encode_split(root, PRELUDE)) if is_split else Archive(encode(root))
    decoded = decode(source)
    assert (decoded.root, decoded.prelude) == (root, PRELUDE if is_split else None)
    for path, node in everything.items():
        found = look_up(source, path)
        if isinstance(node, Hardlink):
            assert found == node
        else:
            assert isinstance(found, Node)
            assert (found.metadata, found.content, found.target) == (node.metadata, node.content, node.target)
    assert look_up(source, b"/nothing") is None
    assert look_up(source, b"/sub/nothing") is None


def test_metadata_of_every_kind_comes_back() -> None:
    metadata = Metadata(
        0o040750,
        flags=0x400000,
        mtime=(-5, 999_999_999),
        xattrs=[(b"user.b", b"\0v"), (b"user.a", b"")],
        acl_users=[(1, 7)],
        acl_groups=[(2, 5), (3, 0)],
        acl_group_obj=4,
        acl_default=(7, 5, (1 << 64) - 1, 1),
        acl_default_users=[(4, 1)],
        acl_default_groups=[(5, 2)],
        fcaps=b"caps",
        quota_project_id=9,
    )
    device = Node(Metadata(0o020600), device=(4095, 1048575))
    root = Node(metadata, children={b"\xff": device, b"fifo": Node(Metadata(0o010600))})
    assert decode(Archive(encode(root))).root == root
