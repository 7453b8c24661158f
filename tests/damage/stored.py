"""Snapshots to be damaged: made once, and after each damage as they were."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backup_site import BackupSite, newest
from command_runner import Outcome
from pbstore import _core
from tree_snapshot import tree_snapshot

Index = _core.FixedIndex | _core.DynamicIndex


class Stored:
    """A plain snapshot `host/plain` and an encrypted one `host/sealed` of a tree, an image and a text."""

    def __init__(self, site: BackupSite, sources: Path):
        self.site = site
        self.sources = sources
        self.key_path = sources / "key.json"
        site.succeed("key", "create", self.key_path, "--kdf", "none")
        self._make_sources()
        self.snapshots = {name: self._backup(name) for name in ("plain", "sealed")}

    def _make_sources(self) -> None:
        # Both kinds of chunks in an image of two and a bit: one that can be compressed, and one that cannot.
        noise = random.Random(1).randbytes(4 << 20)  # noqa: S311 - the same each time
        (self.sources / "disk.img").write_bytes(b"text " * ((4 << 20) // 5) + b"+" * 4 + noise + b"end")
        tree = self.sources / "tree"
        (tree / "sub").mkdir(parents=True)
        (tree / "sub" / "file").write_bytes(b"content " * 1000)
        (tree / "link").symlink_to("sub/file")
        (self.sources / "note.conf").write_bytes(b"some words " * 100)

    def _backup(self, name: str) -> str:
        archives = [
            f"{kind}:{self.sources / kind.replace('.pxar', '')}" for kind in ("tree.pxar", "disk.img", "note.conf")
        ]
        self.site.succeed("backup", *archives, "--backup-id", name, *self.key_words(name))
        return newest(self.site.snapshots(f"host/{name}"))

    def key_words(self, name: str) -> list[str | Path]:
        """Options that the snapshot needs."""
        return ["--keyfile", self.key_path] if name == "sealed" else []

    def directory(self, name: str) -> Path:
        """Where a snapshot is."""
        return self.site.store / self.snapshots[name]

    def index(self, name: str, file: str) -> Index:
        """An index of a snapshot."""
        data = (self.directory(name) / file).read_bytes()
        return _core.FixedIndex.parse(data) if file.endswith(".fidx") else _core.DynamicIndex.parse(data)

    def chunk(self, name: str, file: str, number: int) -> Path:
        """A chunk of an index."""
        digest = self.index(name, file).digest(number).hex()
        return self.site.store / ".chunks" / digest[:4] / digest

    def restore(self, name: str, archive: str, target: Path) -> Outcome:
        """Restore an archive with what the snapshot needs."""
        return self.site.run("restore", self.snapshots[name], archive, target, *self.key_words(name))

    def check_refused(self, name: str, archive: str, target: Path) -> str:
        """The restore fails with one line and leaves nothing behind; the line."""
        line = self.site.error("restore", self.snapshots[name], archive, target, *self.key_words(name))
        assert not target.exists()
        return line.removeprefix("Error: ")

    def check_restored(self, name: str, archive: str, target: Path) -> None:
        """The restore brings back what was backed up."""
        outcome = self.restore(name, archive, target)
        assert outcome.exit_code == 0, outcome.stderr
        source = self.sources / archive.removesuffix(".pxar")
        if source.is_dir():
            assert tree_snapshot(target) == tree_snapshot(source)
        else:
            assert target.read_bytes() == source.read_bytes()


@contextmanager
def damaged(path: Path, content: bytes | None) -> Iterator[None]:
    """Another content for a file, or none at all; afterwards it is as it was."""
    before = path.read_bytes()
    times = path.stat()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def flipped(data: bytes, at: int) -> bytes:
    """One bit is wrong; negative places count from the end."""
    changed = bytearray(data)
    changed[at] ^= 4
    return bytes(changed)
