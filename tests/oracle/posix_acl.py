"""Access control lists between the kernel's attributes and the archive's values (pxar.md 3.3)."""

import struct

from oracle.pxar_node import Metadata

VERSION = struct.pack("<I", 2)
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
NO_ID = 0xFFFFFFFF
ABSENT = (1 << 64) - 1

Entries = list[tuple[int, int, int]]


def entries_of(value: bytes) -> Entries:
    """Tag, permission and id of every entry of an attribute's value."""
    assert value.startswith(VERSION)
    return [struct.unpack("<HHI", value[at : at + 8]) for at in range(4, len(value), 8)]


def value_of(entries: Entries) -> bytes:
    """The attribute's value."""
    return VERSION + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def named(entries: Entries, tag: int) -> list[tuple[int, int]]:
    """Id and permission of all users or all groups."""
    return sorted((number, permission) for found, permission, number in entries if found == tag)


def unnamed(entries: Entries, tag: int) -> int:
    """The permission of an entry that there is once."""
    return next((permission for found, permission, _ in entries if found == tag), ABSENT)


def take_access(metadata: Metadata, value: bytes) -> None:
    """Keep an access ACL."""
    entries = entries_of(value)
    metadata.acl_users = named(entries, USER)
    metadata.acl_groups = named(entries, GROUP)
    if unnamed(entries, MASK) != ABSENT:
        metadata.acl_group_obj = unnamed(entries, GROUP_OBJ)


def take_default(metadata: Metadata, value: bytes) -> None:
    """Keep a default ACL."""
    entries = entries_of(value)
    metadata.acl_default_users = named(entries, USER)
    metadata.acl_default_groups = named(entries, GROUP)
    user, group, other, mask = (unnamed(entries, tag) for tag in (USER_OBJ, GROUP_OBJ, OTHER, MASK))
    if {user, group, other, mask} != {ABSENT}:
        metadata.acl_default = (user, group, other, mask)
