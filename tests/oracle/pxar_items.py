"""Item types of pxar archives, and the header that each item has (pxar.md 1)."""

import struct
from dataclasses import dataclass

FORMAT_VERSION = 0x730F6C75DF16A40D
PRELUDE = 0xE309D79D9F7B771B
ENTRY = 0xD5956474E588ACEF
ENTRY_V1 = 0x11DA850A1C1CCEFF
FILENAME = 0x16701121063917B3
SYMLINK = 0x27F971E7DBF5DC5F
DEVICE = 0x9FC9E906586D5CE9
XATTR = 0x0DAB0229B57DCD03
ACL_USER = 0x2CE8540A457D55B8
ACL_GROUP = 0x136E3ECEB04C03AB
ACL_GROUP_OBJ = 0x10868031E9582876
ACL_DEFAULT = 0xBBBB13415A6896F5
ACL_DEFAULT_USER = 0xC89357B40532CD1F
ACL_DEFAULT_GROUP = 0xF90A8A5816038FFE
FCAPS = 0x2DA9DD9DB5F7FB67
QUOTA_PROJID = 0xE07540E82F7D1CBB
HARDLINK = 0x51269C8422BD7275
PAYLOAD = 0x28147A1B0B7C1A25
PAYLOAD_REF = 0x419D3D6BC4BA977E
GOODBYE = 0x2FEC4FA642D5731D
GOODBYE_TAIL_MARKER = 0xEF5EED5B753E1555
PAYLOAD_START_MARKER = 0x834C68C2194A4ED2
PAYLOAD_TAIL_MARKER = 0x6C72B78B984C81B5


@dataclass(frozen=True)
class Item:
    """One item where it lies in its stream."""

    kind: int
    start: int
    content: bytes

    @property
    def end(self) -> int:
        """Where the next item begins."""
        return self.start + 16 + len(self.content)


def item(kind: int, content: bytes = b"") -> bytes:
    """Header and content."""
    return struct.pack("<QQ", kind, 16 + len(content)) + content


def read_item(data: bytes, start: int) -> Item:
    """The item that begins here."""
    if start + 16 > len(data):
        raise ValueError(f"no item at {start}")
    kind, size = struct.unpack("<QQ", data[start : start + 16])
    if size < 16 or start + size > len(data):
        raise ValueError(f"the item at {start} cannot have {size} bytes")
    return Item(kind, start, data[start + 16 : start + size])


def read_items(data: bytes) -> list[Item]:
    """Every item of a stream without padding."""
    items: list[Item] = []
    while (start := items[-1].end if items else 0) < len(data):
        items.append(read_item(data, start))
    return items
