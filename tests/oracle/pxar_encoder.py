"""Makes pxar archives of both versions (pxar.md 2, 5, 7)."""

import stat
import struct
from collections.abc import Sequence
from itertools import cycle, repeat

from oracle import pxar_items as items
from oracle.pxar_goodbye import table
from oracle.pxar_items import item
from oracle.pxar_node import Hardlink, Metadata, Node


def encode(root: Node) -> bytes:
    """A version 1 archive."""
    encoder = Encoder()
    encoder.entry(root, b"", 0)
    return bytes(encoder.archive)


def encode_split(root: Node, prelude: bytes | None = None, padding: Sequence[bytes] = ()) -> tuple[bytes, bytes]:
    """The metadata and the payload stream of a version 2 archive, with every payload new.

    `padding` is put before the payloads in turn, and the first piece before the end: what reused chunks bring along.
    """
    encoder = Encoder(padding)
    encoder.archive += item(items.FORMAT_VERSION, struct.pack("<Q", 2))
    if prelude is not None:
        encoder.archive += item(items.PRELUDE, prelude)
    encoder.payload = bytearray(item(items.PAYLOAD_START_MARKER))
    encoder.entry(root, b"", 0)
    encoder.payload += b"".join(padding[:1])
    return bytes(encoder.archive), bytes(encoder.payload) + item(items.PAYLOAD_TAIL_MARKER)


class Encoder:
    """The streams so far, and where the FILENAME of each path is."""

    def __init__(self, padding: Sequence[bytes] = ()) -> None:
        self.padding = cycle(padding) if padding else repeat(b"")
        self.archive = bytearray()
        self.payload: bytearray | None = None
        self.places: dict[bytes, int] = {}

    def entry(self, node: Node, path: bytes, directory_start: int) -> None:
        """An inode, with everything below it."""
        self.archive += item(items.ENTRY, stat_content(node.metadata))
        self.archive += metadata_items(node.metadata)
        kind = stat.S_IFMT(node.metadata.mode)
        if kind == stat.S_IFREG:
            self.file(node.content)
        elif kind == stat.S_IFLNK:
            self.archive += item(items.SYMLINK, node.target + b"\0")
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            self.archive += item(items.DEVICE, struct.pack("<QQ", *node.device))
        elif kind == stat.S_IFDIR:
            self.directory(node, path, directory_start)

    def file(self, content: bytes) -> None:
        """The content, here or in the payload stream."""
        if self.payload is None:
            self.archive += item(items.PAYLOAD, content)
        else:
            self.payload += next(self.padding)
            self.archive += item(items.PAYLOAD_REF, struct.pack("<QQ", len(self.payload), len(content)))
            self.payload += item(items.PAYLOAD, content)

    def directory(self, node: Node, path: bytes, directory_start: int) -> None:
        """All children and the table of them."""
        children = []
        for name, child in node.children.items():
            child_path = path + b"/" + name if path else name
            start = self.places[child_path] = len(self.archive)
            self.archive += item(items.FILENAME, name + b"\0")
            extra = 0
            if isinstance(child, Hardlink):
                distance = start - self.places[child.path]
                self.archive += item(items.HARDLINK, struct.pack("<Q", distance) + child.path + b"\0")
            else:
                self.entry(child, child_path, len(self.archive))
                # The original counts the payload of a file although it is in another stream (pxar.md 5).
                extra = len(child.content) if self.payload is not None else 0
            children.append((name, start, len(self.archive) - start + extra))
        self.archive += item(items.GOODBYE, table(children, len(self.archive), directory_start))


def stat_content(metadata: Metadata) -> bytes:
    """The 40 bytes of ENTRY."""
    owner = (metadata.uid, metadata.gid)
    return struct.pack("<QQIIqI4x", metadata.mode, metadata.flags, *owner, *metadata.mtime)


def metadata_items(metadata: Metadata) -> bytes:
    """What is between ENTRY and the tail, in the order in which it is written."""
    found = [(items.XATTR, name + b"\0" + value) for name, value in metadata.xattrs]
    found += [(items.ACL_USER, struct.pack("<QQ", *named)) for named in metadata.acl_users]
    found += [(items.ACL_GROUP, struct.pack("<QQ", *named)) for named in metadata.acl_groups]
    if metadata.acl_group_obj is not None:
        found.append((items.ACL_GROUP_OBJ, struct.pack("<Q", metadata.acl_group_obj)))
    if metadata.acl_default is not None:
        found.append((items.ACL_DEFAULT, struct.pack("<QQQQ", *metadata.acl_default)))
    found += [(items.ACL_DEFAULT_USER, struct.pack("<QQ", *named)) for named in metadata.acl_default_users]
    found += [(items.ACL_DEFAULT_GROUP, struct.pack("<QQ", *named)) for named in metadata.acl_default_groups]
    if metadata.fcaps is not None:
        found.append((items.FCAPS, metadata.fcaps))
    if metadata.quota_project_id is not None:
        found.append((items.QUOTA_PROJID, struct.pack("<Q", metadata.quota_project_id)))
    return b"".join(item(kind, content) for kind, content in found)
