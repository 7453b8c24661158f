"""Trees with everything that a file system allows and a backup may stumble over. Needs root."""

import fcntl
import os
import socket
import stat
import struct
from pathlib import Path

_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
APPEND, IMMUTABLE, NO_DUMP = 0x20, 0x10, 0x40

# Version 2 of the kernel's structure: effective, and two capabilities that anybody recognises.
CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 10 | 1 << 13, 0, 0, 0)
USER, GROUP = 12345, 4_294_967_294


def _acl(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


_NOBODY = 0xFFFFFFFF
ACCESS_ACL = _acl(
    (1, 6, _NOBODY), (2, 4, 34), (2, 6, 1000), (4, 0, _NOBODY), (8, 4, 2000), (16, 6, _NOBODY), (32, 0, _NOBODY)
)
DEFAULT_ACL = _acl((1, 7, _NOBODY), (2, 5, 34), (4, 5, _NOBODY), (16, 5, _NOBODY), (32, 0, _NOBODY))

NAMES = (
    *(b"n" * 255, b"\xff\xfe not UTF-8", b"line\nend", b'quote"\\', b"-rf", b" ", b"trailing  ", b"..."),
    *("e\u0301".encode(), "\u00e9".encode(), bytes(set(range(1, 128)) - {ord("/")}), bytes(range(128, 256)), b"*?[a]"),
)

# In nanoseconds: around 1970, before 1902, after 2038, after 2106, before ext4's last second.
TIMES_NS = (
    0,
    -1,
    1,
    -1_500_000_000,
    -(1 << 31) * 10**9,
    (1 << 31) * 10**9 + 5,
    (1 << 32) * 10**9 + 7,
    15_032_385_535 * 10**9,
)


def fill_with_all_kinds(root: Path) -> None:
    """Make every kind of inode below an existing directory, with every kind of metadata."""
    _fill_with_names(root / "names")
    _fill_with_times(root / "times")
    _fill_with_attributes(root / "attributes")
    _fill_with_special_files(root / "special")
    _fill_with_links(root / "links")
    _fill_with_flags(root / "flags")
    _fill_with_holes(root / "holes")


def _fill_with_names(directory: Path) -> None:
    directory.mkdir()
    for name in NAMES:
        path = Path(os.fsdecode(os.fsencode(directory) + b"/" + name))
        path.write_bytes(name)


def _fill_with_times(directory: Path) -> None:
    directory.mkdir()
    for number, time_ns in enumerate(TIMES_NS):
        (directory / f"file-{number}").touch()
        (directory / f"directory-{number}").mkdir()
        (directory / f"link-{number}").symlink_to("nowhere")
        for kind in ("file", "directory", "link"):
            os.utime(directory / f"{kind}-{number}", ns=(time_ns, time_ns), follow_symlinks=False)


def _fill_with_attributes(directory: Path) -> None:
    directory.mkdir()
    for number, mode in enumerate((0, 0o777, 0o4755, 0o2755, 0o1777, 0o7000)):
        (directory / f"mode-{number}").write_bytes(b"#!/bin/sh\n")
        (directory / f"mode-{number}").chmod(mode)
        (directory / f"directory-{number}").mkdir()
        (directory / f"directory-{number}").chmod(mode)
    owned, link = directory / "owned", directory / "owned-link"
    owned.touch()
    link.symlink_to("owned")
    os.chown(owned, USER, GROUP)
    os.chown(link, GROUP, USER, follow_symlinks=False)
    noted, shared = directory / "noted", directory / "shared"
    noted.write_bytes(b"x")
    shared.mkdir()
    for path in (noted, shared):
        os.setxattr(path, "user.empty", b"")
        os.setxattr(path, "user." + "n" * 250, b"\0binary\xff")
        os.setxattr(path, b"user.\xff\xfe", b"name that is not UTF-8")
        os.setxattr(path, "user.long", bytes(range(256)) * 8)
        os.setxattr(path, "trusted.note", b"only root sees this")
        os.setxattr(path, "system.posix_acl_access", ACCESS_ACL)
    os.setxattr(shared, "system.posix_acl_default", DEFAULT_ACL)
    os.setxattr(noted, "security.capability", CAPABILITY)
    # Inherits the default ACL.
    (shared / "child").touch()


def _fill_with_special_files(directory: Path) -> None:
    directory.mkdir()
    os.mknod(directory / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(directory / "disk", stat.S_IFBLK | 0o660, os.makedev(4095, 1_048_575))
    os.mkfifo(directory / "fifo", 0o600)
    with socket.socket(socket.AF_UNIX) as listener:
        previous = Path.cwd()
        os.chdir(directory)  # the address of a socket has room for a short path only
        listener.bind("socket")
        os.chdir(previous)
    os.setxattr(directory / "fifo", "trusted.note", b"on a fifo")
    (directory / "loop").symlink_to("loop")
    (directory / "long").symlink_to("t" * 4095)
    Path(os.fsdecode(os.fsencode(directory) + b"/bytes")).symlink_to(os.fsdecode(b"/\xff\n"))


def _fill_with_links(directory: Path) -> None:
    (directory / "a" / "b").mkdir(parents=True)
    (directory / "a" / "first").write_bytes(b"content " * 1000)
    (directory / "a" / "b" / "second").hardlink_to(directory / "a" / "first")
    (directory / "third").hardlink_to(directory / "a" / "first")
    (directory / "symlink").symlink_to("a/first")
    os.link(directory / "symlink", directory / "again", follow_symlinks=False)


def _fill_with_flags(directory: Path) -> None:
    directory.mkdir()
    for name, flags in (("append", APPEND), ("immutable", IMMUTABLE), ("no-dump", NO_DUMP)):
        (directory / name).write_bytes(name.encode())
        set_flags(directory / name, flags)
    (directory / "immutable-directory").mkdir()
    (directory / "immutable-directory" / "inside").touch()
    set_flags(directory / "immutable-directory", IMMUTABLE)


def _fill_with_holes(directory: Path) -> None:
    directory.mkdir()
    (directory / "zeros").write_bytes(bytes(100_000))
    for name, offset in (("start", 0), ("middle", 5_000_001), ("end", (64 << 20) - 1)):
        with (directory / name).open("wb") as file:
            file.truncate(64 << 20)
            file.seek(offset)
            file.write(b"x")


def get_flags(path: Path) -> int:
    """The flags of a file or directory that chattr(1) changes, as far as these trees use them."""
    with _opened(path) as descriptor:
        value = fcntl.ioctl(descriptor.fd, _GET_FLAGS, bytes(8))
    return int.from_bytes(value[:4], "little") & (APPEND | IMMUTABLE | NO_DUMP)


def set_flags(path: Path, flags: int) -> None:
    """Set these flags and clear the others."""
    with _opened(path) as descriptor:
        old = int.from_bytes(fcntl.ioctl(descriptor.fd, _GET_FLAGS, bytes(8))[:4], "little")
        new = old & ~(APPEND | IMMUTABLE | NO_DUMP) | flags
        fcntl.ioctl(descriptor.fd, _SET_FLAGS, new.to_bytes(8, "little"))


def clear_flags(root: Path) -> None:
    """Make removable what `fill_with_all_kinds` made, or its copy."""
    for path in (root / "flags").glob("*"):
        set_flags(path, 0)


class _opened:
    def __init__(self, path: Path):
        self.fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)

    def __enter__(self) -> "_opened":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)
