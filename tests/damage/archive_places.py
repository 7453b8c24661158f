"""The places of a pxar archive, found by the twin's reader of items."""

import struct
from collections.abc import Iterator

from damage.matrix import Part, Place, places
from oracle import pxar_items as items
from oracle.pxar_items import Item, read_items

DAMAGED = r"(damaged pxar archive at|truncated pxar archive: it ends at) byte \d+"
CHUNKED = "an archive has no checksums; the digests of its chunks cover every byte (see the restores)"
TABLES = "tables are for finding names from the end; who reads from the front has no use for them"
FROM_THE_FRONT = "who reads from the front goes by the target's path; extraction refuses a target that is not there"
NOTHING = "nothing is stored here"


def archive_places(data: bytes) -> list[Place]:
    """All places of an archive of either version, without payload stream."""
    return places(*(part for item in read_items(data) for part in item_parts(item)))


def item_parts(item: Item) -> Iterator[Part]:
    """Header and content of an item."""
    name = next(name for name, value in vars(items).items() if value == item.kind)
    yield f"type of {name} at {item.start}", 8, DAMAGED
    yield f"size of {name} at {item.start}", 8, DAMAGED
    for part, *rest in content_parts(item):
        yield (f"{part} of {name} at {item.start}", *rest)  # type: ignore[misc]


def content_parts(item: Item) -> list[Part]:
    """What the content of each type consists of."""
    length = len(item.content)
    match item.kind:
        case items.ENTRY:
            return [
                ("mode", 8, DAMAGED, CHUNKED),
                ("flags", 8, "", CHUNKED),
                ("owner", 8, "", CHUNKED),
                ("seconds", 8, "", CHUNKED),
                ("nanoseconds", 4, DAMAGED, CHUNKED),
                ("padding", 4, "", NOTHING),
            ]
        case items.FILENAME:
            return [("name", length - 1, DAMAGED, CHUNKED), ("NUL", 1, DAMAGED)]
        case items.SYMLINK:
            return [("target", length - 1, "", CHUNKED), ("NUL", 1, DAMAGED)]
        case items.HARDLINK:
            return [("distance", 8, "", FROM_THE_FRONT), ("path", length - 9, "", FROM_THE_FRONT), ("NUL", 1, DAMAGED)]
        case items.GOODBYE:
            tail: list[Part] = [("tail hash", 8, DAMAGED), ("tail offset", 8, "", TABLES), ("tail size", 8, DAMAGED)]
            return ([("records", length - 24, "", TABLES)] if length > 24 else []) + tail
        case items.FORMAT_VERSION:
            return [("version", 8, DAMAGED)]
        case items.PAYLOAD_REF:
            return [("offset", 8, PAYLOAD), ("size", 8, PAYLOAD)]
        case _:
            return [("content", length, "", CHUNKED)] if length else []


PAYLOAD = r"damaged payload stream at byte \d+"


def payload_places(payload: bytes) -> list[Place]:
    """All places of a payload stream."""
    parts: list[Part] = []
    for item in read_items(payload):
        (kind,) = struct.unpack("<Q", payload[item.start : item.start + 8])
        name = next(name for name, value in vars(items).items() if value == kind)
        parts += [(f"type of {name} at {item.start}", 8, PAYLOAD), (f"size of {name} at {item.start}", 8, PAYLOAD)]
        if item.content:
            parts.append((f"content at {item.start}", len(item.content), "", CHUNKED))
    return places(*parts)
