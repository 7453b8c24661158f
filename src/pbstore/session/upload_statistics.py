"""What was uploaded in a session: the task log's block per closed index, and the sums of the manifest."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class IndexStats(Protocol):
    """What the compiled module tells about a closed index."""

    @property
    def uuid(self) -> bytes:
        """16 random bytes of the index."""

    @property
    def csum(self) -> bytes:
        """Checksum over its entries."""

    @property
    def size(self) -> int:
        """Bytes of the archive."""

    @property
    def chunk_count(self) -> int:
        """Entries of the index."""

    @property
    def upload_count(self) -> int:
        """Chunks that were uploaded for it."""

    @property
    def upload_bytes(self) -> int:
        """Their plain bytes."""

    @property
    def compressed_bytes(self) -> int:
        """Their bytes as stored."""

    @property
    def duplicate_count(self) -> int:
        """Those among them that the store had already."""


@dataclass
class UploadSums:
    """Sums over all closed indexes and blobs, as `unprotected.chunk_upload_stats` holds them (manifest.md 3)."""

    count: int = 0
    size: int = 0
    compressed_size: int = 0
    duplicates: int = 0

    def add_index(self, stats: IndexStats) -> None:
        """Add the chunks of a closed index."""
        self.count += stats.upload_count
        self.size += stats.upload_bytes
        self.compressed_size += stats.compressed_bytes
        self.duplicates += stats.duplicate_count

    def add_blob(self, encoded_bytes: int) -> None:
        """Add a blob: only its size counts."""
        self.size += encoded_bytes

    def as_json(self) -> dict[str, int]:
        """Return the manifest's object."""
        return {
            "count": self.count,
            "size": self.size,
            "compressed_size": self.compressed_size,
            "duplicates": self.duplicates,
        }


def index_lines(archive_name: str, stats: IndexStats) -> Iterator[str]:
    """Yield the task log lines of a closed index (tasks-and-jobs.md 5); percentages are rounded down."""
    yield f"Upload statistics for '{archive_name}'"
    yield f"UUID: {stats.uuid.hex()}"
    yield f"Checksum: {stats.csum.hex()}"
    yield f"Size: {stats.size}"
    yield f"Chunk count: {stats.chunk_count}"
    if stats.size == 0 or stats.chunk_count == 0:
        return
    yield f"Upload size: {stats.upload_bytes} ({stats.upload_bytes * 100 // stats.size}%)"
    reused_count = max(stats.chunk_count - stats.upload_count, 0)
    duplicate_count = reused_count + stats.duplicate_count
    if duplicate_count:
        percent = duplicate_count * 100 // stats.chunk_count
        yield f"Duplicates: {reused_count}+{stats.duplicate_count} ({percent}%)"
    if stats.upload_bytes:
        yield f"Compression: {stats.compressed_bytes * 100 // stats.upload_bytes}%"
