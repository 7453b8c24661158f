"""One tree of everything that is hard to keep, through both forms of archive: what comes out is what went in."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pbstore import _core
from tree_snapshot import tree_snapshot

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs owners, devices, capabilities and flags: run as root")

Form = Callable[[Path, Path], list[str]]


def plain(source: Path, target: Path) -> list[str]:
    """Through a version 1 archive."""
    archive = target.with_suffix(".pxar")
    warnings = _core.create_pxar(source, archive).warnings
    return warnings + _core.extract_pxar(archive, target).warnings


def split(source: Path, target: Path) -> list[str]:
    """Through the two files of a split archive."""
    metadata, payload = target.with_suffix(".mpxar"), target.with_suffix(".ppxar")
    warnings = _core.create_pxar(source, metadata, payload_path=payload).warnings
    return warnings + _core.extract_pxar(metadata, target, payload_path=payload).warnings


def split_pipes(source: Path, target: Path) -> list[str]:
    """Through two files that are read from front to end only."""
    metadata, payload = target.with_suffix(".mpxar"), target.with_suffix(".ppxar")
    warnings = _core.create_pxar(source, metadata, payload_path=payload).warnings
    with metadata.open("rb") as file:
        return warnings + _core.extract_pxar(file.fileno(), target, payload_path=payload).warnings


forms = pytest.mark.parametrize("through", [plain, split, split_pipes])

ACL_OF_A_USER = "0200000001000600ffffffff020006002204000004000400ffffffff10000600ffffffff20000000ffffffff"
CAPABILITY = "0100000200040000000000000000000000000000"

# Name, content, seconds of the modification time.
FILES = [
    (b"n" * 255, b"longest name", 0),
    (b"\xff\xfe not UTF-8 \x80", b"", -1),
    (b"with\nnew\rline\ttab", b"x", -(2**31)),
    (b"\x01\x1b[31m", b"y", 2**31),
    (b"-rf", b"z", 2**33),
    (b" ", b"blank", 1),
    (b"\\ \" ' $ *?[", b"quotes", 2**32 - 1),
    ("é".encode(), b"composed", 5),
    ("é".encode(), b"decomposed", 6),
    (b"...", b"dots", 7),
]


def hostile_tree(source: Path) -> None:
    """Names, times, sizes, links, and as root every kind of inode with all metadata."""
    source.mkdir()
    base = os.fsencode(source)
    for name, content, seconds in FILES:
        path = base + b"/" + name
        write(path, content)
        os.utime(path, ns=(0, seconds * 10**9 + 123_456_789))
    with (source / "sparse").open("wb") as file:
        file.truncate(200 << 20)
        file.seek(100 << 20)
        file.write(b"island")
    write(base + b"/zeros", bytes(10_000_001))
    (source / "links").mkdir()
    for number in range(3):
        os.link(base + b"/" + FILES[0][0], base + b"/links/%d" % number)
    os.symlink(b"/etc/passwd", base + b"/links/absolute")  # noqa: PTH211 - names are bytes
    os.symlink(b"t" * 4000, base + b"/links/long")  # noqa: PTH211 - names are bytes
    os.mkfifo(source / "fifo", 0o640)
    os.mknod(source / "socket", stat.S_IFSOCK | 0o700)
    os.setxattr(source / "sparse", "user.empty", b"")
    os.setxattr(source / "sparse", "user." + "x" * 250, bytes(range(256)) * 8)
    if os.geteuid() == 0:
        dress_as_root(source)
    os.utime(source / "links", ns=(0, -1))


def write(path: bytes, content: bytes) -> None:
    with open(path, "wb") as file:  # noqa: PTH123 - names are bytes
        file.write(content)


def dress_as_root(source: Path) -> None:
    os.mknod(source / "char", stat.S_IFCHR | 0o604, os.makedev(4095, 1048575))
    os.mknod(source / "block", stat.S_IFBLK | 0o060, os.makedev(259, 70000))
    (source / "program").write_bytes(b"#!/bin/sh\n")
    os.chown(source / "program", 4_294_967_294, 3_000_000_000)
    (source / "program").chmod(0o6755)
    os.setxattr(source / "program", "security.capability", bytes.fromhex(CAPABILITY))
    os.setxattr(source / "program", "trusted.t", b"\0")
    (source / "shared").mkdir(mode=0o1777)
    (source / "shared").chmod(0o3775)
    os.chown(source / "shared", 1000, 2000)
    os.setxattr(source / "shared", "system.posix_acl_default", bytes.fromhex(ACL_OF_A_USER))
    os.setxattr(source / "shared", "system.posix_acl_access", bytes.fromhex(ACL_OF_A_USER))
    (source / "shared" / "inherits").write_text("the default ACL")
    os.mkfifo(source / "shared" / "fifo", 0o600)
    (source / "shared" / "no-acl").write_text("plain")
    os.removexattr(source / "shared" / "no-acl", "system.posix_acl_access")


def attribute_flags(path: Path) -> set[str]:
    shown = subprocess.run(["lsattr", "-d", path], check=False, capture_output=True, text=True)
    return set(shown.stdout.split()[0]) - {"-", "e", "I"} if shown.returncode == 0 else set()


@forms
def test_everything_comes_back(through: Form, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    hostile_tree(source)
    assert through(source, target) == []
    assert tree_snapshot(target) == tree_snapshot(source)
    for name in ("sparse", "zeros"):
        assert (target / name).stat().st_blocks * 512 <= 1 << 20, name


@pytest.mark.root
@needs_root
@forms
def test_attribute_flags_come_back(through: Form, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "sealed").mkdir(parents=True)
    (source / "sealed" / "inside").write_text("inside")
    (source / "journal").write_text("line\n")
    (source / "kept").write_text("kept")
    os.link(source / "kept", source / "sealed" / "kept")
    paths = ("sealed", "journal", "kept")
    try:
        for path, flags in zip(paths, ("+i", "+aAd", "+i"), strict=True):
            if subprocess.run(["chattr", flags, source / path], check=False, capture_output=True).returncode:
                pytest.skip("the file system has no attribute flags: run on ext4")
        assert through(source, target) == []
        # "Do not dump" is stored, but not restored.
        assert [attribute_flags(target / path) for path in paths] == [{"i"}, {"a", "A"}, {"i"}]
        assert tree_snapshot(target) == tree_snapshot(source)
    finally:
        for tree in (source, target):
            for path in paths:
                subprocess.run(["chattr", "-ia", tree / path], check=False, capture_output=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
@forms
def test_depth_costs_neither_stack_nor_descriptors(through: Form, tmp_path: Path) -> None:
    depth, name = 4000, "directory-with-quite-a-long-name"
    (tmp_path / "source").mkdir()
    here = os.open(tmp_path / "source", os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        inner = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    assert through(tmp_path / "source", tmp_path / "target") == []
    here = os.open(tmp_path / "target", os.O_RDONLY)
    for _ in range(depth):
        inner = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    assert os.stat("bottom", dir_fd=here).st_size == 0
    os.close(here)
    remove(tmp_path / "source", tmp_path / "target")


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory of 100 000 small files."""
    path = tmp_path_factory.mktemp("crowd") / "source"
    path.mkdir()
    for number in range(100_000):
        (path / f"{number * 7919 % 100_003:x}").write_bytes(b"%d" % number)
    yield path
    remove(path)


def remove(*paths: Path) -> None:
    """Remove trees; Python's own way is slow, and recurses."""
    subprocess.run(["rm", "-rf", *paths], check=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("through", [plain, split])
def test_a_directory_of_100000_files(through: Form, crowd: Path, tmp_path: Path) -> None:
    assert through(crowd, tmp_path / "target") == []
    assert {path.name for path in (tmp_path / "target").iterdir()} == {path.name for path in crowd.iterdir()}
    for number in range(0, 100_000, 97):
        assert (tmp_path / "target" / f"{number * 7919 % 100_003:x}").read_bytes() == b"%d" % number
    remove(tmp_path / "target")
