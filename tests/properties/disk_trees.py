"""Trees of inodes on the disk, generated; as root with all kinds of inodes, owners and attributes."""

import os
import stat
import tempfile
from pathlib import Path

from hypothesis import strategies as st

from properties.disk_attributes import IS_ROOT, decorate

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
    if kind != "symlink":
        mode = draw(modes)
        # An ordinary user could neither read nor enter what it takes these bits from.
        os.chmod(path, mode if IS_ROOT else mode & 0o1777 | 0o700)  # noqa: PTH101 - names are bytes
        decorate(draw, path, kind)
    os.utime(path, ns=(0, draw(times)), follow_symlinks=False)


@st.composite
def disk_trees(draw: st.DrawFn) -> Path:
    """A directory `source` with a tree in it, in a directory of its own."""
    base = Path(tempfile.mkdtemp())
    (base / "source").mkdir()
    build(draw, os.fsencode(base / "source"), 0, [])
    os.utime(base / "source", ns=(0, 1_700_000_000_123_456_789))
    return base
