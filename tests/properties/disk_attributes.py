"""Extended attributes, access control lists, capabilities and flags for generated inodes."""

import contextlib
import fcntl
import os
import struct

from hypothesis import strategies as st

from oracle import posix_acl

IS_ROOT = os.geteuid() == 0
FS_IOC_SETFLAGS = 0x40086602
NOATIME, SYNC, DIRSYNC = 0x80, 0x8, 0x10000

prefixes = st.sampled_from(["user.", "trusted."] if IS_ROOT else ["user."])
suffixes = st.text("abcdef.", min_size=1, max_size=20)
xattr_names = st.builds(str.__add__, prefixes, suffixes) | st.just("security.NTACL" if IS_ROOT else "user.NTACL")
xattrs = st.dictionaries(xattr_names, st.binary(max_size=100), max_size=2)
permissions = st.integers(0, 7)
named_permissions = st.dictionaries(st.integers(0, 2**32 - 2), permissions, max_size=2)
capabilities = st.tuples(st.integers(0, 1), st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4)).map(
    lambda made: struct.pack("<5I", 0x02000000 | made[0], *made[1])
)


@st.composite
def acl_values(draw: st.DrawFn) -> bytes:
    """An access control list as the kernel takes it."""
    users = draw(named_permissions)
    groups = draw(named_permissions)
    # Who is not root has to be able to read what is archived.
    entries = [(posix_acl.USER_OBJ, draw(permissions) if IS_ROOT else 7, posix_acl.NO_ID)]
    entries += [(posix_acl.USER, permission, number) for number, permission in sorted(users.items())]
    entries.append((posix_acl.GROUP_OBJ, draw(permissions), posix_acl.NO_ID))
    entries += [(posix_acl.GROUP, permission, number) for number, permission in sorted(groups.items())]
    has_mask = draw(st.booleans())
    if users or groups or has_mask:
        entries.append((posix_acl.MASK, draw(permissions), posix_acl.NO_ID))
    entries.append((posix_acl.OTHER, draw(permissions), posix_acl.NO_ID))
    return posix_acl.value_of(entries)


def decorate(draw: st.DrawFn, path: bytes, kind: str) -> None:
    """Give an inode what its kind can have; where the file system has no such thing, it stays without."""
    if draw(st.integers(0, 3)) == 0:
        set_attribute(path, "system.posix_acl_access", draw(acl_values()))
    if kind not in ("file", "directory"):
        return
    for name, value in draw(xattrs).items():
        set_attribute(path, name, value)
    if kind == "directory" and draw(st.integers(0, 3)) == 0:
        set_attribute(path, "system.posix_acl_default", draw(acl_values()))
    if kind == "file" and IS_ROOT and draw(st.integers(0, 3)) == 0:
        set_attribute(path, "security.capability", draw(capabilities))
    if draw(st.integers(0, 3)) == 0:
        set_flags(path, draw(st.sampled_from([NOATIME, NOATIME | SYNC, DIRSYNC if kind == "directory" else SYNC])))


def set_attribute(path: bytes, name: str, value: bytes) -> None:
    """Set an extended attribute."""
    with contextlib.suppress(OSError):
        os.setxattr(path, name, value)


def set_flags(path: bytes, flags: int) -> None:
    """Set what chattr(1) sets."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, FS_IOC_SETFLAGS, struct.pack("<Q", flags))
        finally:
            os.close(descriptor)
