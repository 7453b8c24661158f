"""Generated trees go into an archive and come out as they were; as root with all kinds of inodes."""

import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Collection
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbstore import _core
from tree_snapshot import tree_snapshot

IS_ROOT = os.geteuid() == 0

names = st.binary(min_size=1, max_size=40).filter(lambda name: not {0, 47} & set(name) and name not in (b".", b".."))
# What a listing calls patterns would change what is archived.
plain_names = names.filter(lambda name: not name.startswith(b".pxarexclude"))
contents = st.one_of(
    st.binary(max_size=200),
    st.integers(0, 3).map(lambda count: b"\0" * (4096 * count)),
    st.tuples(st.binary(min_size=1, max_size=9), st.integers(1, 40000)).map(lambda pair: b"\0" * pair[1] + pair[0]),
)
times = st.integers(-(2**31), 2**33).flatmap(lambda s: st.integers(0, 999_999_999).map(lambda ns: s * 10**9 + ns))
modes = st.integers(0, 0o7777)
owners = st.integers(0, 2**32 - 2) if IS_ROOT else st.just(os.geteuid())
xattrs = st.dictionaries(
    st.text("abcdef.", min_size=1, max_size=20).map(lambda name: f"user.{name}"), st.binary(max_size=100), max_size=2
)


def build(draw: st.DrawFn, directory: bytes, depth: int, files: list[bytes]) -> None:
    for name in draw(st.lists(plain_names, max_size=5, unique=True)):
        path = directory + b"/" + name
        kinds = ["file", "symlink"] + (["directory"] * 2 if depth < 3 else []) + (["link"] if files else [])
        kinds += ["fifo", "socket"] + (["char", "block"] if IS_ROOT else [])
        kind = draw(st.sampled_from(kinds))
        if kind == "link":
            os.link(draw(st.sampled_from(files)), path)
            continue
        make(draw, kind, path)
        if kind == "file":
            files.append(path)
        if kind == "directory":
            build(draw, path, depth + 1, files)
        dress(draw, path, kind)


def make(draw: st.DrawFn, kind: str, path: bytes) -> None:
    match kind:
        case "file":
            Path(os.fsdecode(path)).write_bytes(draw(contents))
        case "directory":
            os.mkdir(path)  # noqa: PTH102 - names are bytes
        case "symlink":
            os.symlink(draw(names), path)  # noqa: PTH211 - names are bytes
        case "fifo":
            os.mkfifo(path)
        case "socket":
            os.mknod(path, stat.S_IFSOCK | 0o600)
        case _:
            kind_bits = stat.S_IFCHR if kind == "char" else stat.S_IFBLK
            device = os.makedev(draw(st.integers(0, 0xFFF)), draw(st.integers(0, 0xFFFFF)))
            os.mknod(path, kind_bits | 0o600, device)


def dress(draw: st.DrawFn, path: bytes, kind: str) -> None:
    os.chown(path, draw(owners), draw(owners) if IS_ROOT else os.getegid(), follow_symlinks=False)
    if kind in ("file", "directory"):
        for name, value in draw(xattrs).items():
            os.setxattr(path, name, value)
    if kind != "symlink":
        mode = draw(modes)
        # An ordinary user could neither read nor enter what it takes these bits from.
        os.chmod(path, mode if IS_ROOT else mode & 0o1777 | 0o700)  # noqa: PTH101 - names are bytes
    os.utime(path, ns=(0, draw(times)), follow_symlinks=False)


@st.composite
def trees(draw: st.DrawFn) -> Path:
    """A directory `source` with a tree in it, in a directory of its own."""
    base = Path(tempfile.mkdtemp())
    (base / "source").mkdir()
    build(draw, os.fsencode(base / "source"), 0, [])
    os.utime(base / "source", ns=(0, 1_700_000_000_123_456_789))
    return base


@given(trees())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_tree_comes_out_as_it_went_in(base: Path) -> None:
    try:
        made = _core.create_pxar(base / "source", base / "a.pxar", catalog_path=base / "a.catalog")
        extracted = _core.extract_pxar(base / "a.pxar", base / "target")
        assert made.warnings == extracted.warnings == []
        source = tree_snapshot(base / "source")
        assert tree_snapshot(base / "target") == source
        assert made.entry_count == extracted.entry_count == len(source)
        check_listings(base, source.keys())
    finally:
        shutil.rmtree(base)


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
