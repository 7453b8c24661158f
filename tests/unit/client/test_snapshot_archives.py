"""Which archives a manifest lists."""

import pytest

from pbstore.client.snapshot_archives import archive_names, find_archive
from pbstore.errors import IntegrityError, NotFoundError
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode


def manifest(*names: str, payload_mode: CryptMode = CryptMode.NONE) -> Manifest:
    made = Manifest(Snapshot.parse("host/a/2024-06-05T14:24:36Z"))
    for name in names:
        made.add(name, payload_mode if name.endswith(".ppxar.didx") else CryptMode.NONE, 1, bytes(32))
    return made


ALL = ("a.ppxar.didx", "a.mpxar.didx", "b.pxar.didx", "catalog.pcat1.didx", "c.img.fidx", "d.conf.blob", "b.mpxar.didx")


def test_a_split_archive_is_listed_once() -> None:
    assert list(archive_names(manifest(*ALL))) == [name for name in ALL if name != "a.mpxar.didx"]


@pytest.mark.parametrize("name", ["a.pxar.didx", "a.mpxar.didx", "a.ppxar.didx"])
def test_either_name_means_both_parts(name: str) -> None:
    archive = find_archive(manifest(*ALL), name)
    assert archive.payload is not None
    assert (archive.entry.filename, archive.payload.filename) == ("a.mpxar.didx", "a.ppxar.didx")
    assert (archive.name, archive.is_tree) == ("a.pxar", True)


@pytest.mark.parametrize(
    ("name", "shown", "is_tree"),
    [
        ("b.pxar.didx", "b.pxar", True),
        ("catalog.pcat1.didx", "catalog.pcat1", False),
        ("c.img.fidx", "c.img", False),
        ("d.conf.blob", "d.conf", False),
    ],
)
def test_others_are_one_file(name: str, shown: str, is_tree: bool) -> None:
    archive = find_archive(manifest(*ALL), name)
    assert (archive.name, archive.payload, archive.is_tree) == (shown, None, is_tree)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(NotFoundError, match=r"does not contain file 'x\.img\.fidx'"):
        find_archive(manifest(*ALL), "x.img.fidx")
    with pytest.raises(NotFoundError, match=r"'b\.ppxar\.didx', a part of the split archive"):
        find_archive(manifest("b.mpxar.didx"), "b.mpxar.didx")
    with pytest.raises(IntegrityError, match="different crypt modes"):
        find_archive(manifest("a.mpxar.didx", "a.ppxar.didx", payload_mode=CryptMode.ENCRYPT), "a.pxar.didx")
