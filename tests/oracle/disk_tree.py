"""What the kernel says of a directory tree, as the archiver should see it (pxar.md 3)."""

import errno
import fcntl
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from oracle.posix_acl import take_access, take_default
from oracle.pxar_node import Hardlink, Metadata, Node

FS_IOC_GETFLAGS = 0x80086601
FS_IOC_FSGETXATTR = 0x801C581F
# Flags of an entry by the kernel's.
KERNEL_FLAGS = {
    0x20: 0x10000,
    0x80: 0x20000,
    0x4: 0x40000,
    0x800000: 0x80000,
    0x40: 0x100000,
    0x10000: 0x200000,
    0x10: 0x400000,
    0x8: 0x800000,
    0x400: 0x1000000,
    0x20000000: 0x2000000,
}
UNSUPPORTED = (errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


def read_tree(root: bytes) -> Node:
    """Everything below a directory, in archive order."""
    return _read(root, b"", {})


def _read(root: bytes, path: bytes, seen: dict[tuple[int, int], bytes]) -> Node:
    place = root + b"/" + path if path else root
    facts = os.lstat(place)
    node = Node(_metadata(place, facts))
    match node.letter:
        case "f":
            with open(place, "rb") as file:  # noqa: PTH123 - names are bytes
                node.content = file.read()
        case "l":
            node.target = os.readlink(place)  # noqa: PTH115 - names are bytes
        case "b" | "c":
            node.device = (os.major(facts.st_rdev), os.minor(facts.st_rdev))
        case "d":
            for name in sorted(os.listdir(place)):  # noqa: PTH208 - names are bytes
                below = path + b"/" + name if path else name
                node.children[name] = _linked(root, below, seen) or _read(root, below, seen)
    return node


def _linked(root: bytes, path: bytes, seen: dict[tuple[int, int], bytes]) -> Hardlink | None:
    """A hard link, if the inode is a regular file that had another name before."""
    facts = os.lstat(root + b"/" + path)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink == 1:
        return None
    first = seen.setdefault((facts.st_dev, facts.st_ino), path)
    return None if first == path else Hardlink(first)


def _metadata(place: bytes, facts: os.stat_result) -> Metadata:
    metadata = Metadata(facts.st_mode, 0, facts.st_uid, facts.st_gid, divmod(facts.st_mtime_ns, 10**9))
    if stat.S_ISLNK(facts.st_mode):
        return metadata
    if stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode):
        metadata.flags = sum(ours for kernel, ours in KERNEL_FLAGS.items() if _kernel_flags(place) & kernel)
        metadata.quota_project_id = _project_id(place) or None
    for name in map(os.fsencode, os.listxattr(place)):
        value = os.getxattr(place, name)
        if name.startswith((b"user.", b"trusted.")) or name == b"security.NTACL":
            metadata.xattrs.append((name, value))
        elif name == b"system.posix_acl_access":
            take_access(metadata, value)
        elif name == b"system.posix_acl_default":
            take_default(metadata, value)
        elif name == b"security.capability" and stat.S_ISREG(facts.st_mode):
            metadata.fcaps = value
    return metadata


def _kernel_flags(place: bytes) -> int:
    with _descriptor(place) as descriptor:
        answer = _ioctl(descriptor, FS_IOC_GETFLAGS, 8)
    return int(struct.unpack("<Q", answer)[0]) & 0xFFFFFFFF


def _project_id(place: bytes) -> int:
    with _descriptor(place) as descriptor:
        answer = _ioctl(descriptor, FS_IOC_FSGETXATTR, 28)
    return int(struct.unpack("<12xI12x", answer)[0])


def _ioctl(descriptor: int, request: int, length: int) -> bytes:
    try:
        return fcntl.ioctl(descriptor, request, bytes(length))
    except OSError as error:
        if error.errno in UNSUPPORTED:
            return bytes(length)
        raise


@contextmanager
def _descriptor(place: bytes) -> Iterator[int]:
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
