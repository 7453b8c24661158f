"""Archives and catalogs: ours are those of the twin, and ours reads those of the twin."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oracle import catalog
from oracle.disk_tree import read_tree
from oracle.posix_acl import ABSENT
from oracle.pxar_decoder import Archive, decode
from oracle.pxar_encoder import encode, encode_split
from oracle.pxar_lookup import look_up
from oracle.pxar_node import Hardlink, Node, walk
from pbstore import _core
from properties.archive_trees import archive_trees
from properties.disk_trees import disk_trees, names

SLOW_TO_MAKE = [HealthCheck.too_slow, HealthCheck.data_too_large]


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@given(disk_trees())
@settings(suppress_health_check=SLOW_TO_MAKE)
def test_our_archive_of_a_tree_is_the_twins(base: Path) -> None:
    try:
        root = read_tree(os.fsencode(base / "source"))
        _core.create_pxar(base / "source", base / "a.pxar", catalog_path=base / "a.catalog")
        archive = (base / "a.pxar").read_bytes()
        assert archive == encode(root)
        assert (base / "a.catalog").read_bytes() == catalog.encode({b"a.pxar": root})
        assert decode(Archive(archive)).root == root
        for path, node in walk(root):
            assert same_without_children(look_up(Archive(archive), path), node)
        _core.extract_pxar(base / "a.pxar", base / "target")
        assert read_tree(os.fsencode(base / "target")) == root
    finally:
        shutil.rmtree(base)


@given(disk_trees(), st.lists(st.binary(max_size=40), max_size=3))
@settings(suppress_health_check=SLOW_TO_MAKE)
def test_our_split_archive_of_a_tree_is_the_twins(base: Path, padding: list[bytes]) -> None:
    """And we skip whatever lies between the contents."""
    try:
        root = read_tree(os.fsencode(base / "source"))
        _core.create_pxar(base / "source", base / "a.mpxar", payload_path=base / "a.ppxar")
        made = ((base / "a.mpxar").read_bytes(), (base / "a.ppxar").read_bytes())
        assert made == encode_split(root)
        assert decode(Archive(*made)).root == root
        archive, payload = encode_split(root, None, padding)
        (base / "b.mpxar").write_bytes(archive)
        (base / "b.ppxar").write_bytes(payload)
        _core.extract_pxar(base / "b.mpxar", base / "target", payload_path=base / "b.ppxar")
        assert read_tree(os.fsencode(base / "target")) == root
    finally:
        shutil.rmtree(base)


def same_without_children(found: Node | Hardlink | None, expected: Node | Hardlink) -> bool:
    if isinstance(found, Node) and isinstance(expected, Node):
        same_tail = (found.content, found.target, found.device) == (expected.content, expected.target, expected.device)
        return same_tail and found.metadata == expected.metadata
    return found == expected


@given(archive_trees(), st.none() | st.binary(max_size=50), st.booleans(), st.lists(st.binary(max_size=40), max_size=3))
@settings(suppress_health_check=SLOW_TO_MAKE)
def test_ours_lists_what_the_twin_wrote(
    root: Node, prelude: bytes | None, is_split: bool, padding: list[bytes]
) -> None:
    with scratch() as directory:
        path, payload_path = directory / "a.pxar", directory / "a.ppxar"
        archive, payload = encode_split(root, prelude, padding) if is_split else (encode(root), b"")
        path.write_bytes(archive)
        payload_path.write_bytes(payload)
        listing = _core.list_pxar(path, payload_path if is_split else None)
        for entry, (expected_path, expected) in zip(listing, walk(root), strict=True):
            assert (entry.path, entry.kind) == (expected_path, expected.letter)
            check_entry(entry, expected)
            if entry.payload_offset is not None:
                assert isinstance(expected, Node)
                start = entry.payload_offset + 16
                assert payload[start : start + entry.size] == expected.content
            assert (entry.payload_offset is not None) == (is_split and entry.kind == "f")
        assert listing.prelude == (prelude if is_split else None)
        assert listing.is_split == is_split


def check_entry(entry: _core.PxarEntry, expected: Node | Hardlink) -> None:
    if isinstance(expected, Hardlink):
        assert (entry.link_target, entry.mode, entry.size) == (expected.path, 0, 0)
        return
    metadata = expected.metadata
    assert (entry.mode, entry.flags, entry.uid, entry.gid) == (
        metadata.mode,
        metadata.flags,
        metadata.uid,
        metadata.gid,
    )
    assert (entry.mtime_seconds, entry.mtime_nanoseconds) == metadata.mtime
    assert (entry.xattrs, entry.fcaps) == (metadata.xattrs, metadata.fcaps)
    assert entry.quota_project_id == metadata.quota_project_id
    acls = (metadata.acl_users, metadata.acl_groups, metadata.acl_default_users, metadata.acl_default_groups)
    assert entry.has_acl == bool(
        any(acls) or metadata.acl_group_obj is not None or metadata.acl_default not in (None, (ABSENT,) * 4)
    )
    assert entry.size == len(expected.content)
    assert entry.link_target == (expected.target if expected.letter == "l" else None)
    assert entry.device == (expected.device if expected.letter in "bc" else None)


@given(st.dictionaries(names, archive_trees(), max_size=3), names)
@settings(suppress_health_check=SLOW_TO_MAKE)
def test_ours_reads_catalogs_of_the_twin(archives: dict[bytes, Node], absent: bytes) -> None:
    with scratch() as directory:
        path = directory / "catalog"
        path.write_bytes(catalog.encode(archives))
        ours = _core.Catalog(path)
        found = [(entry.path, entry.kind, entry.size, entry.mtime_seconds) for entry in ours.entries()]
        expected = [(entry.path, entry.kind, entry.size, entry.mtime) for entry in catalog.decode(path.read_bytes())]
        assert found == expected
        for archive, root in archives.items():
            for below, node in walk(root):
                inside = ours.directory(b"/" + archive + below)
                if isinstance(node, Node) and node.letter == "d":
                    assert inside is not None
                    assert [entry.path.rpartition(b"/")[2] for entry in inside] == list(node.children)
                else:
                    assert inside is None
            if absent not in root.children:
                assert ours.directory(archive + b"/" + absent) is None
