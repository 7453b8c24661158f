"""Trees as an archive describes them, generated without a disk."""

import stat

from hypothesis import strategies as st

from oracle.posix_acl import ABSENT
from oracle.pxar_node import Hardlink, Metadata, Node
from properties.disk_trees import contents, names

u32, u64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
mtimes = st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(0, 999_999_999))
permissions = st.integers(0, 7)
acl_entries = st.lists(st.tuples(u32, permissions), max_size=2)
xattr_names = st.binary(min_size=1, max_size=255).filter(lambda name: 0 not in name)
KINDS = (stat.S_IFREG, stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK)
KIND_AND_DIRECTORIES = (*KINDS, stat.S_IFDIR, stat.S_IFDIR, stat.S_IFDIR)


@st.composite
def metadata(draw: st.DrawFn, kind: int) -> Metadata:
    """Whatever an archive may say of an inode, in any combination."""
    made = Metadata(kind | draw(st.integers(0, 0o7777)), draw(u64), draw(u32), draw(u32), draw(mtimes))
    if draw(st.booleans()):
        return made
    made.xattrs = draw(st.lists(st.tuples(xattr_names, st.binary(max_size=200)), max_size=2))
    made.acl_users, made.acl_groups = draw(acl_entries), draw(acl_entries)
    made.acl_default_users, made.acl_default_groups = draw(acl_entries), draw(acl_entries)
    made.acl_group_obj = draw(st.none() | permissions)
    default = permissions | st.just(ABSENT)
    made.acl_default = draw(st.none() | st.tuples(default, default, default, default))
    made.fcaps = draw(st.none() | st.binary(max_size=24))
    made.quota_project_id = draw(st.none() | u64)
    return made


@st.composite
def archive_trees(draw: st.DrawFn) -> Node:
    """The root of an archive."""
    root = Node(draw(metadata(stat.S_IFDIR)))
    _fill(draw, root, b"", [])
    return root


def _fill(draw: st.DrawFn, directory: Node, path: bytes, files: list[bytes]) -> None:
    for name in sorted(draw(st.lists(names, max_size=5, unique=True))):
        child_path = path + b"/" + name if path else name
        if files and draw(st.integers(0, 4)) == 0:
            directory.children[name] = Hardlink(draw(st.sampled_from(files)))
            continue
        kind = draw(st.sampled_from(KIND_AND_DIRECTORIES if path.count(b"/") < 3 else KINDS))
        child = directory.children[name] = Node(draw(metadata(kind)))
        if kind == stat.S_IFREG:
            child.content = draw(contents)
            files.append(child_path)
        elif kind == stat.S_IFLNK:
            child.target = draw(names)
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            child.device = (draw(u64), draw(u64))
        elif kind == stat.S_IFDIR:
            _fill(draw, child, child_path, files)
