"""Everything about a directory tree that a backup has to bring back, as values to compare."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

KINDS = {
    stat.S_IFDIR: "dir",
    stat.S_IFREG: "file",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}


@dataclass(frozen=True)
class Inode:
    """One name of the tree with all that belongs to its inode."""

    kind: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int = 0
    digest: str = ""
    target: bytes = b""
    device: tuple[int, int] = (0, 0)
    first_name: bytes = b""
    xattrs: dict[str, bytes] = field(default_factory=dict)


def tree_snapshot(root: str | os.PathLike[str]) -> dict[bytes, Inode]:
    """The tree by path, `/` for the root; of several names of a file, `first_name` is the smallest."""
    base = os.fsencode(root)
    found: dict[bytes, Inode] = {}
    names: dict[tuple[int, int], bytes] = {}
    for path in sorted(_paths(base)):
        facts = os.lstat(path)
        shown = path[len(base) :] or b"/"
        first = names.setdefault((facts.st_dev, facts.st_ino), shown) if stat.S_ISREG(facts.st_mode) else b""
        found[shown] = _inode(path, facts, first)
    return found


def _paths(base: bytes) -> Iterator[bytes]:
    yield base
    for directory, directories, files in os.walk(base):
        for name in directories + files:
            yield directory + b"/" + name


def _inode(path: bytes, facts: os.stat_result, first_name: bytes) -> Inode:
    kind = KINDS[stat.S_IFMT(facts.st_mode)]
    is_file, is_link = kind == "file", kind == "symlink"
    return Inode(
        kind=kind,
        mode=stat.S_IMODE(facts.st_mode),
        uid=facts.st_uid,
        gid=facts.st_gid,
        mtime_ns=facts.st_mtime_ns,
        size=facts.st_size if is_file else 0,
        digest=_digest(path) if is_file else "",
        target=os.readlink(path) if is_link else b"",  # noqa: PTH115 - names are bytes
        device=(os.major(facts.st_rdev), os.minor(facts.st_rdev)) if kind in ("char", "block") else (0, 0),
        first_name=first_name,
        xattrs={} if is_link else {name: os.getxattr(path, name) for name in sorted(os.listxattr(path))},
    )


def _digest(path: bytes) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - names are bytes
        return hashlib.file_digest(file, "sha256").hexdigest()
