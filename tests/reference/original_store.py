"""A datastore of the original, read through our codecs with every check that a careful reader makes."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pbstore import _core
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest
from pbstore.model.crypt_mode import CryptMode

Index = _core.FixedIndex | _core.DynamicIndex


def parse_index(path: Path) -> Index:
    """An index of either kind."""
    data = path.read_bytes()
    return _core.FixedIndex.parse(data) if path.suffix == ".fidx" else _core.DynamicIndex.parse(data)


class OriginalStore:
    """The store below `path`; `key` is that of all its encrypted snapshots."""

    def __init__(self, path: Path, key: _core.CryptKey):
        self.path = path
        self.key = key

    def snapshots(self) -> list[Path]:
        """Directories of all snapshots in all namespaces."""
        return sorted(path.parent for path in self.path.rglob(MANIFEST_FILE_NAME))

    @cache  # noqa: B019 - as many stores as there are fixtures
    def manifest(self, snapshot: Path) -> Manifest:
        """The manifest of a snapshot, with its signature checked."""
        manifest = Manifest.parse(_core.open_blob((snapshot / MANIFEST_FILE_NAME).read_bytes()))
        if manifest.signature is not None:
            manifest.check_signature(self.key)
        return manifest

    def key_of(self, file: Path) -> _core.CryptKey | None:
        """The key of a file, if the manifest says that it is encrypted."""
        entry = self.manifest(file.parent).find(file.name)
        assert entry is not None
        return self.key if entry.crypt_mode is CryptMode.ENCRYPT else None

    def chunk_path(self, digest: bytes) -> Path:
        """Where a chunk is."""
        return self.path / ".chunks" / digest.hex()[:4] / digest.hex()

    def chunks(self, file: Path) -> Iterator[bytes]:
        """Data of all chunks of an index: kind, length and digest are what index and manifest say."""
        index, key, start = parse_index(file), self.key_of(file), 0
        for number in range(len(index)):
            blob = self.chunk_path(index.digest(number)).read_bytes()
            assert _core.blob_kind(blob).startswith("encrypted") == (key is not None)
            data = _core.open_blob(blob, key=key)
            assert len(data) == index.chunk_end(number) - start
            assert _core.chunk_digest(data, key) == index.digest(number)
            start = index.chunk_end(number)
            yield data

    def read(self, file: Path) -> bytes:
        """The whole stream or image of an index."""
        return b"".join(self.chunks(file))

    def files(self, pattern: str) -> list[Path]:
        """Files of all snapshots."""
        return [path for snapshot in self.snapshots() for path in sorted(snapshot.glob(pattern))]
