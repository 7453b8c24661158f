"""Generated trees go into an archive and come out as they were; as root with all kinds of inodes."""

import shutil
import socket
from collections.abc import Collection
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from pbstore import _core
from properties.disk_trees import disk_trees
from tree_snapshot import Inode, tree_snapshot


@given(disk_trees())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_tree_comes_out_as_it_went_in(base: Path) -> None:
    try:
        made = _core.create_pxar(base / "source", base / "a.pxar", catalog_path=base / "a.catalog")
        extracted = _core.extract_pxar(base / "a.pxar", base / "target")
        assert made.warnings == extracted.warnings == []
        source = tree_snapshot(base / "source")
        assert tree_snapshot(base / "target") == source
        assert made.entry_count == extracted.entry_count == len(source)
        check_listings(base, source.keys())
        check_split(base, source)
    finally:
        shutil.rmtree(base)


def check_split(base: Path, source: dict[bytes, Inode]) -> None:
    """The same through a split archive."""
    metadata, payload = base / "a.mpxar", base / "a.ppxar"
    made = _core.create_pxar(base / "source", metadata, payload_path=payload)
    extracted = _core.extract_pxar(metadata, base / "split", payload_path=payload)
    assert made.warnings == extracted.warnings == []
    assert tree_snapshot(base / "split") == source
    listed = [(entry.path, entry.kind, entry.size) for entry in _core.list_pxar(metadata, payload)]
    assert listed == [(entry.path, entry.kind, entry.size) for entry in _core.list_pxar(base / "a.pxar")]


def check_listings(base: Path, paths: Collection[bytes]) -> None:
    """Archive and catalog name the same entries, in the same order."""
    listed = [(entry.path, entry.kind, entry.size) for entry in _core.list_pxar(base / "a.pxar")]
    assert {path for path, _, _ in listed} == set(paths)
    catalogued = [(entry.path, entry.kind, entry.size) for entry in _core.Catalog(base / "a.catalog").entries()]
    assert catalogued == [(b"/a.pxar" + path.rstrip(b"/"), kind, size) for path, kind, size in listed]


def test_a_socket_in_use_is_archived(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "source" / "socket"))
        _core.create_pxar(tmp_path / "source", tmp_path / "a.pxar")
    assert [entry.kind for entry in _core.list_pxar(tmp_path / "a.pxar")] == ["d", "s"]
