"""What an archive says of a directory tree, as values."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Metadata:
    """What every inode has (pxar.md 1.1, 3); a permission in an ACL is 0 to 7."""

    mode: int
    flags: int = 0
    uid: int = 0
    gid: int = 0
    mtime: tuple[int, int] = (0, 0)
    xattrs: list[tuple[bytes, bytes]] = field(default_factory=list)
    acl_users: list[tuple[int, int]] = field(default_factory=list)
    acl_groups: list[tuple[int, int]] = field(default_factory=list)
    acl_group_obj: int | None = None
    acl_default: tuple[int, int, int, int] | None = None
    acl_default_users: list[tuple[int, int]] = field(default_factory=list)
    acl_default_groups: list[tuple[int, int]] = field(default_factory=list)
    fcaps: bytes | None = None
    quota_project_id: int | None = None


@dataclass
class Node:
    """An inode; which of the fields counts depends on its kind. Children are in archive order."""

    metadata: Metadata
    content: bytes = b""
    target: bytes = b""
    device: tuple[int, int] = (0, 0)
    children: "dict[bytes, Node | Hardlink]" = field(default_factory=dict)

    @property
    def letter(self) -> str:
        """The kind as catalogs and listings name it."""
        return {
            stat.S_IFDIR: "d",
            stat.S_IFREG: "f",
            stat.S_IFLNK: "l",
            stat.S_IFBLK: "b",
            stat.S_IFCHR: "c",
            stat.S_IFIFO: "p",
            stat.S_IFSOCK: "s",
        }[stat.S_IFMT(self.metadata.mode)]


@dataclass
class Hardlink:
    """Another name of a file; `path` is that of the first, from the root, without leading slash."""

    path: bytes

    letter = "h"


def walk(root: Node) -> Iterator[tuple[bytes, Node | Hardlink]]:
    """Everything in archive order: the root as `/`, then paths with leading slash."""
    yield b"/", root
    yield from _below(root, b"")


def _below(directory: Node, path: bytes) -> Iterator[tuple[bytes, Node | Hardlink]]:
    for name, child in directory.children.items():
        yield path + b"/" + name, child
        if isinstance(child, Node):
            yield from _below(child, path + b"/" + name)
