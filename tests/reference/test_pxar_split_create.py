"""Split archives that the original program made, made again byte for byte from the tree that they hold."""

import os
from pathlib import Path

import pytest

from pbstore import _core

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can restore owners and devices: run as root")


@pytest.fixture(scope="module")
def tree(fixtures_423: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of which 4.2.3 made all its archives."""
    path = tmp_path_factory.mktemp("split") / "tree"
    _core.extract_pxar(fixtures_423 / "pxar" / "v1.pxar", path)
    return path


@pytest.mark.root
@needs_root
@pytest.mark.parametrize(
    ("name", "exclude", "without"),
    [
        ("split", [], []),
        # The original was told to leave out pipes, sockets and devices too, which it does not do.
        ("excl", [b"sort-*", b"!sort-A", b"/deep"], ["acls", "fcaps", "xattrs"]),
    ],
)
def test_split_archives_are_made_again(
    name: str, exclude: list[bytes], without: list[str], tree: Path, fixtures_423: Path, tmp_path: Path
) -> None:
    metadata, payload = tmp_path / f"{name}.mpxar", tmp_path / f"{name}.ppxar"
    stats = _core.create_pxar(tree, metadata, payload_path=payload, exclude=exclude, without=without)
    originals = [fixtures_423 / "pxar" / path.name for path in (metadata, payload)]
    assert [path.read_bytes() for path in (metadata, payload)] == [path.read_bytes() for path in originals]
    assert (stats.warnings, stats.archive_bytes) == ([], sum(path.stat().st_size for path in originals))


@pytest.mark.parametrize(
    ("exclude", "recorded"),
    [
        ([b"*.bak", b"/cache", b"!important.bak"], "restored-g1-split-tree.prelude"),
        ([b"*.nope"], "restored-g1-encsplit-enc.prelude"),
    ],
)
def test_preludes_are_those_of_the_original(
    exclude: list[bytes], recorded: str, fixtures_423: Path, tmp_path: Path
) -> None:
    (tmp_path / "source").mkdir()
    metadata = tmp_path / "a.mpxar"
    _core.create_pxar(tmp_path / "source", metadata, payload_path=tmp_path / "a.ppxar", exclude=exclude)
    entries = _core.list_pxar(metadata)
    assert [entry.path for entry in entries] == [b"/"]
    assert entries.prelude == (fixtures_423 / "trees" / recorded).read_bytes()
