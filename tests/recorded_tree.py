"""Trees that were written down as JSON beside the original's archives."""

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tree_snapshot import Inode


def recorded_tree(path: Path) -> dict[bytes, Inode]:
    """The tree as `tree_snapshot` describes trees."""
    return dict(_inodes(lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()))


def _inodes(text: bytes) -> Iterator[tuple[bytes, Inode]]:
    entries: list[dict[str, Any]] = json.loads(text)
    firsts: dict[int, bytes] = {}
    for entry in sorted(entries, key=lambda entry: bytes.fromhex(entry["path_hex"])):
        name = bytes.fromhex(entry["path_hex"])
        yield (
            name,
            Inode(
                kind=entry["type"],
                mode=int(entry["mode"], 8),
                uid=entry["uid"],
                gid=entry["gid"],
                mtime_ns=entry["mtime_ns"],
                size=entry.get("size", 0),
                digest=entry.get("sha256", ""),
                target=bytes.fromhex(entry.get("target_hex", "")),
                device=tuple(entry.get("rdev", (0, 0))),
                first_name=firsts.setdefault(entry["inode"], name) if "inode" in entry else b"",
                xattrs={key: bytes.fromhex(value) for key, value in entry.get("xattrs_hex", {}).items()},
            ),
        )
