"""Reads pxar archives of both versions from the front (pxar.md 2, 5, 7)."""

import stat
import struct
from dataclasses import dataclass

from oracle import pxar_items as items
from oracle.pxar_goodbye import candidates, records_of
from oracle.pxar_items import Item, read_item
from oracle.pxar_node import Hardlink, Metadata, Node


@dataclass
class Archive:
    """The two streams; without payload it is version 1."""

    archive: bytes
    payload: bytes | None = None


@dataclass
class Decoded:
    """What an archive has."""

    root: Node
    prelude: bytes | None


def decode(source: Archive) -> Decoded:
    """Read the archive from the front and check every distance in its tables on the way."""
    start, prelude = 0, None
    first = read_item(source.archive, 0)
    if first.kind == items.FORMAT_VERSION:
        if first.content != struct.pack("<Q", 2):
            raise ValueError("unknown version")
        start = first.end
        second = read_item(source.archive, start)
        if second.kind == items.PRELUDE:
            start, prelude = second.end, second.content
    if source.payload is not None:
        check_markers(source.payload)
    root, end = decode_entry(source, start, 0, b"", {})
    if end != len(source.archive) or not stat.S_ISDIR(root.metadata.mode):
        raise ValueError("the root does not fill the archive")
    return Decoded(root, prelude)


def decode_entry(
    source: Archive, start: int, directory_start: int, path: bytes, places: dict[bytes, int]
) -> tuple[Node, int]:
    """An inode with all that is below it, and where it ends."""
    node, end, is_open = decode_inode(source, start)
    if not is_open:
        return node, end
    sizes = []
    while (found := read_item(source.archive, end)).kind == items.FILENAME:
        name = filename(found)
        child_path = path + b"/" + name if path else name
        child, child_end = decode_child(source, found, child_path, places)
        if name in node.children:
            raise ValueError(f"{child_path!r} is there twice")
        node.children[name] = child
        sizes.append((name, found.start, child_end - found.start, payload_bytes(source, child)))
        end = child_end
    if found.kind != items.GOODBYE:
        raise ValueError(f"no table at {end}")
    check_table(found, sizes, directory_start)
    return node, found.end


def decode_child(source: Archive, name: Item, path: bytes, places: dict[bytes, int]) -> tuple[Node | Hardlink, int]:
    """What follows a FILENAME."""
    places[path] = name.start
    behind = read_item(source.archive, name.end)
    if behind.kind != items.HARDLINK:
        return decode_entry(source, name.end, name.end, path, places)
    (distance,) = struct.unpack("<Q", behind.content[:8])
    target = text(behind.content[8:])
    if distance <= 0 or places[target] != name.start - distance:
        raise ValueError(f"the hard link at {name.start} does not lead to {target!r}")
    return Hardlink(target), behind.end


def payload_bytes(source: Archive, child: Node | Hardlink) -> int:
    """By how much the size in the table may exceed the metadata (pxar.md 5)."""
    return len(child.content) if source.payload is not None and isinstance(child, Node) else 0


def check_table(goodbye: Item, children: list[tuple[bytes, int, int, int]], directory_start: int) -> None:
    """The table has exactly the children, and the tail leads to the directory."""
    records, tail = records_of(goodbye.content)
    if (tail.distance, tail.size) != (goodbye.start - directory_start, 16 + len(goodbye.content)):
        raise ValueError(f"wrong tail at {goodbye.start}")
    if len(records) != len(children):
        raise ValueError(f"the table at {goodbye.start} has another number of children")
    for name, start, size, extra in children:
        distance = goodbye.start - start
        found = [record for record in candidates(records, name) if record.distance == distance]
        if len(found) != 1 or found[0].size not in (size, size + extra):
            raise ValueError(f"{name!r} is not in the table at {goodbye.start} as it should")


def decode_inode(source: Archive, start: int) -> tuple[Node, int, bool]:
    """An inode without what is below it, where that ends, and whether children and table follow."""
    head = read_item(source.archive, start)
    metadata = decode_stat(head)
    node, end = Node(metadata), head.end
    kind = stat.S_IFMT(metadata.mode)
    while end < len(source.archive):
        found = read_item(source.archive, end)
        if take_metadata(metadata, found):
            end = found.end
            continue
        match found.kind, kind:
            case items.PAYLOAD, stat.S_IFREG:
                node.content = found.content
            case items.PAYLOAD_REF, stat.S_IFREG:
                node.content = referenced(source, found)
            case items.SYMLINK, stat.S_IFLNK:
                node.target = text(found.content)
            case items.DEVICE, (stat.S_IFCHR | stat.S_IFBLK):
                major, minor = struct.unpack("<QQ", found.content)
                node.device = (major, minor)
            case ((items.FILENAME | items.GOODBYE), (stat.S_IFDIR | stat.S_IFIFO | stat.S_IFSOCK)):
                return node, end, kind == stat.S_IFDIR
            case _:
                raise ValueError(f"item {found.kind:x} at {end} belongs to no {kind:o}")
        return node, found.end, False
    return node, end, False


def decode_stat(head: Item) -> Metadata:
    """ENTRY of either age."""
    if head.kind == items.ENTRY_V1:
        mode, flags, uid, gid, nanoseconds = struct.unpack("<QQIIQ", head.content)
        return Metadata(mode, flags, uid, gid, divmod(nanoseconds, 10**9))
    if head.kind != items.ENTRY:
        raise ValueError(f"no entry at {head.start}")
    mode, flags, uid, gid, seconds, nanoseconds = struct.unpack("<QQIIqI4x", head.content)
    return Metadata(mode, flags, uid, gid, (seconds, nanoseconds))


def take_metadata(metadata: Metadata, found: Item) -> bool:
    """Keep a metadata item; False if it is none."""
    named = {
        items.ACL_USER: metadata.acl_users,
        items.ACL_GROUP: metadata.acl_groups,
        items.ACL_DEFAULT_USER: metadata.acl_default_users,
        items.ACL_DEFAULT_GROUP: metadata.acl_default_groups,
    }
    if found.kind == items.XATTR:
        name, _, value = found.content.partition(b"\0")
        metadata.xattrs.append((name, value))
    elif found.kind in named:
        number, permission = struct.unpack("<QQ", found.content)
        named[found.kind].append((number, permission))
    elif found.kind == items.ACL_GROUP_OBJ:
        (metadata.acl_group_obj,) = struct.unpack("<Q", found.content)
    elif found.kind == items.ACL_DEFAULT:
        user, group, other, mask = struct.unpack("<QQQQ", found.content)
        metadata.acl_default = (user, group, other, mask)
    elif found.kind == items.FCAPS:
        metadata.fcaps = found.content
    elif found.kind == items.QUOTA_PROJID:
        (metadata.quota_project_id,) = struct.unpack("<Q", found.content)
    else:
        return False
    return True


def referenced(source: Archive, reference: Item) -> bytes:
    """The content that a PAYLOAD_REF names."""
    if source.payload is None:
        raise ValueError("there is no payload stream")
    offset, size = struct.unpack("<QQ", reference.content)
    found = read_item(source.payload, offset)
    if found.kind != items.PAYLOAD or len(found.content) != size:
        raise ValueError(f"no payload of {size} bytes at {offset}")
    return found.content


def check_markers(payload: bytes) -> None:
    """Start and end of a payload stream."""
    if payload[:16] != items.item(items.PAYLOAD_START_MARKER) or payload[-16:] != items.item(items.PAYLOAD_TAIL_MARKER):
        raise ValueError("the payload stream has not its markers")


def filename(found: Item) -> bytes:
    """A name that may stand in a directory."""
    name = text(found.content)
    if name in (b"", b".", b"..") or b"/" in name or len(name) > 4096:
        raise ValueError(f"{name!r} at {found.start} is no name")
    return name


def text(content: bytes) -> bytes:
    """Bytes up to their NUL."""
    if not content.endswith(b"\0") or b"\0" in content[:-1]:
        raise ValueError(f"{content!r} does not end with its NUL")
    return content[:-1]
