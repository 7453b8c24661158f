"""Inputs to start from: examples of the format pages, and what our own encoders make. Nothing binary is kept."""

import os
import re
import socket
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pbstore import _core

PAGES = Path(__file__).parents[1] / "docs" / "formats"
KEY = bytes([7]) * 32
MTIME_NS = 1_700_000_000_000_000_005
# Stands for the directory that extraction must not touch, see targets/pxar_extract.rs.
OUTSIDE = b"@" * 32
# Options of pxar_extract: none, and everything that overwrites; then no patterns.
CAREFUL, OVERWRITING = b"\x20\x00", b"\x1f\x00"

Seeds = dict[str, bytes]


def seeds() -> dict[str, Seeds]:
    """Named inputs for every target."""
    with tempfile.TemporaryDirectory() as folder:
        plain, catalog = archive_of_all_kinds(Path(folder))
        hostile = hostile_archives(Path(folder))
    archives = {
        "plain": streams(plain),
        "empty": streams(example("pxar.md", "empty")),
        "split": streams(SPLIT_METADATA, SPLIT_PAYLOAD),
        "without-payload": streams(SPLIT_METADATA),
    }
    return {
        "blob": blobs(),
        "blob_round_trip": named(bytes([mode, mode >> 1, 5, 0, 4]) + b"data " * 40 for mode in range(4)),
        "fixed_index": fixed_indexes(),
        "dynamic_index": dynamic_indexes(),
        "chunker": named(bytes([exponent, 40, 3, 9, 1, 255]) + bytes(range(256)) for exponent in range(6)),
        "payload_chunker": named(
            bytes([exponent, 9, 200, 3, 30, 3, 9, 5, 255, 2, 1, 7, 4, 5, 0, 9]) + bytes(range(256))
            for exponent in range(6)
        ),
        "pxar_decoder": {name: b"\x01\x40" + archive for name, archive in archives.items()},
        "pxar_accessor": archives,
        "pxar_round_trip": archives,
        "pxar_extract": {name: CAREFUL + archive for name, archive in archives.items()} | hostile,
        "pattern": named(pattern + b"\0" + path for pattern in PATTERNS for path in PATHS),
        "catalog": {"plain": catalog, "example": example("catalog.md", "catalog")},
        "posix_acl": named(b"\xa4\x81" + value for value in ACLS),
        "session_parameters": named(QUERIES),
        "request_path": named([b"/api2/json//version", b"/a%3Ab/c.d", b"/a/../b", b"/%2e%2E/x", b"/"]),
    }


def named(inputs: Iterator[bytes] | list[bytes]) -> Seeds:
    """Give inputs numbers as names."""
    return {f"{number:03}": data for number, data in enumerate(inputs)}


def example(page: str, label: str) -> bytes:
    """An example of a format page, in hex there."""
    match = re.search(rf"^```hex {label}\n(.*?)^```$", (PAGES / page).read_text(), re.MULTILINE | re.DOTALL)
    if match is None:
        raise SystemExit(f"Error: {page} has no example {label!r}")
    return bytes.fromhex(match[1])


def blobs() -> Seeds:
    """Blobs of all kinds, and one of two frames."""
    key = _core.CryptKey(KEY)
    found = {label: example("blob.md", label) for label in ("plain", "encrypted")}
    for name, data in {"nothing": b"", "zeros": bytes(5000), "text": b"some text, some more text " * 20}.items():
        for kind, chosen in {"": None, "-encrypted": key}.items():
            found[name + kind] = _core.seal_blob(data, key=chosen)
            found[f"{name}{kind}-stored"] = _core.seal_blob(data, key=chosen, compress=False)
    found["two-frames"] = found["zeros"] + found["text"][12:]
    return found


def fixed_indexes() -> Seeds:
    """The format page's example and some sizes around the borders of chunks."""
    found = {"example": example("fixed-index.md", "head").ljust(4096, b"\0") + example("fixed-index.md", "table")}
    for size in (1, 4096, 4097, 20000):
        count = -(-size // 4096)
        digests = [bytes([number]) * 32 for number in range(count)]
        found[str(size)] = _core.FixedIndex.encode(digests, size, uuid=bytes(16), ctime=1, chunk_size=4096)
    return found


def dynamic_indexes() -> Seeds:
    """The format page's example and some numbers of chunks."""
    found = {"example": example("dynamic-index.md", "head").ljust(4096, b"\0") + example("dynamic-index.md", "table")}
    for count in (0, 1, 5):
        entries = [((number + 1) * 1000, bytes([number]) * 32) for number in range(count)]
        found[str(count)] = _core.DynamicIndex.encode(entries, uuid=bytes(16), ctime=-1)
    return found


def archive_of_all_kinds(folder: Path) -> tuple[bytes, bytes]:
    """An archive of a small tree with everything that needs no privileges, and its catalog."""
    tree = folder / "tree"
    (tree / "sub" / "deeper").mkdir(parents=True)
    (tree / "a.txt").write_bytes(b"hello\n")
    (tree / "empty").touch()
    (tree / "holes").write_bytes(bytes(9000) + b"end")
    (tree / "link").symlink_to("a.txt")
    os.mkfifo(tree / "sub" / "fifo")
    (tree / "sub" / "hard").hardlink_to(tree / "a.txt")
    Path(os.fsdecode(os.fsencode(tree) + b"/sub/no\xffutf8")).write_bytes(b"x")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "sub" / "deeper" / "socket"))
    try:
        os.setxattr(tree / "a.txt", "user.note", b"a value")
        os.setxattr(tree / "sub", "system.posix_acl_default", ACLS[1])
        os.setxattr(tree / "sub", "system.posix_acl_access", ACLS[0])
    except OSError:
        pass  # Not on every file system; the other seeds do without.
    for path in sorted(tree.rglob("*"), reverse=True):
        os.utime(path, ns=(MTIME_NS, MTIME_NS), follow_symlinks=False)
    return create(folder, tree)


def hostile_archives(folder: Path) -> Seeds:
    """Archives that want out of the target: through symlinks, hard links and names."""
    tree = folder / "hostile"
    tree.mkdir()
    (tree / "way").symlink_to(os.fsdecode(OUTSIDE))
    (tree / "waz").mkdir()
    (tree / "waz" / "secret").write_bytes(b"evil")
    (tree / "wbl").hardlink_to(tree / "waz" / "secret")
    archive, _ = create(folder, tree)
    through = archive.replace(b"waz\0", b"way\0")
    forged = {
        "directory-over-symlink": through,
        "file-over-symlink": archive.replace(b"wbl\0", b"way\0"),
        "link-through-symlink": archive.replace(b"waz/secret\0", b"way/secret\0"),
        "name-with-slash": archive.replace(b"secret\0", b"../out\0"),
        "name-of-parent": archive.replace(b"waz\0", b"..\0\0"),
        "link-to-parent": archive.replace(b"waz/secret\0", b"../../etc/x\0"[:11]),
        "relative-symlink": archive.replace(OUTSIDE, b"../out".rjust(32, b"/").replace(b"/" * 26, b"./" * 13)),
    }
    choices = {"careful": CAREFUL, "overwriting": OVERWRITING, "some": b"\x9f\x39"}
    return {f"{name}-{how}": choice + streams(data) for name, data in forged.items() for how, choice in choices.items()}


def create(folder: Path, tree: Path) -> tuple[bytes, bytes]:
    """Archive and catalog of a tree."""
    archive, catalog = folder / f"{tree.name}.pxar", folder / f"{tree.name}.pcat1"
    _core.create_pxar(tree, archive, catalog_path=catalog)
    return archive.read_bytes(), catalog.read_bytes()


def streams(archive: bytes, payload: bytes | None = None) -> bytes:
    """An archive of one stream or two as the targets take it (Steering::streams)."""
    return struct.pack("<H", 0xFFFF if payload is None else len(archive)) + archive + (payload or b"")


def item(kind: int, content: bytes) -> bytes:
    """One item of an archive (pxar.md 1)."""
    return struct.pack("<QQ", kind, 16 + len(content)) + content


def entry(mode: int) -> bytes:
    """An ENTRY item (pxar.md 1.1)."""
    return item(0xD5956474E588ACEF, struct.pack("<QQIIqII", mode, 0, 1000, 1000, 1_700_000_000, 5, 0))


# The second worked example of pxar.md 9: a prelude, and files whose contents lie in a stream of their own.
SPLIT_METADATA = b"".join(
    [
        item(0x730F6C75DF16A40D, struct.pack("<Q", 2)),
        item(0xE309D79D9F7B771B, b'{"exclude-patterns":"*.tmp\\n"}'),
        entry(0o040755),
        item(0x16701121063917B3, b"a.txt\0"),
        entry(0o100644),
        item(0x419D3D6BC4BA977E, struct.pack("<QQ", 16, 6)),
        item(0x16701121063917B3, b"empty\0"),
        entry(0o100644),
        item(0x419D3D6BC4BA977E, struct.pack("<QQ", 38, 0)),
        item(
            0x2FEC4FA642D5731D,
            struct.pack(
                "<9Q",
                *(0xDC392D66B611AA72, 220, 116),
                *(0x9C7BD2E4B3B60004, 110, 110),
                *(0xEF5EED5B753E1555, 346, 88),
            ),
        ),
    ]
)

SPLIT_PAYLOAD = b"".join(
    [
        item(0x834C68C2194A4ED2, b""),
        item(0x28147A1B0B7C1A25, b"hello\n"),
        item(0x28147A1B0B7C1A25, b""),
        item(0x6C72B78B984C81B5, b""),
    ]
)

PATTERNS = [
    *(b"foo", b"/foo", b"*.tmp", b"/**/foo", b"a/**", b"a/**/b", b"f?o*", b"!important/", b"./a/../b", b"./!x"),
    *(b"[a-c]x", b"[^[:alpha:]f-z]*", b"[\\]-]", b"\\*a**b", b"**"),
]
PATHS = [b"foo", b"a/b", b"a/x/y/b", b"important", b"x/y.tmp"]

ACLS = [
    bytes.fromhex(
        "0200000001000600ffffffff020004002200000002000600e803000004000400ffffffff"
        "08000400d007000010000600ffffffff20000000ffffffff"
    ),
    bytes.fromhex("0200000001000700ffffffff04000500ffffffff10000500ffffffff20000400ffffffff"),
    bytes.fromhex("0200000001000600ffffffff04000400ffffffff20000400ffffffff"),
]

QUERIES = [
    b"digest=" + b"ab" * 32 + b"&wid=7&size=4096",
    b"_dc=1&wid=%37&digest=" + b"0" * 64 + b"&size=1",
    b"wid=257&wid=1&x=%0a&size=+",
]
