"""What a backup came to, over all its archives."""

from dataclasses import dataclass

from pbstore import _core
from pbstore.model.human_size import human_size


@dataclass
class BackupSummary:
    """Counts of a backup; sizes are bytes. `entry_count` is over all directory trees."""

    archive_count: int = 0
    entry_count: int = 0
    size: int = 0
    reused_bytes: int = 0
    compressed_bytes: int = 0
    warning_count: int = 0

    def add_archive(self, *streams: _core.UploadStats, entry_count: int = 0, warning_count: int = 0) -> None:
        """Count an archive that was uploaded as one or two streams."""
        self.archive_count += 1
        self.entry_count += entry_count
        self.warning_count += warning_count
        for stats in streams:
            self.size += stats.size
            self.reused_bytes += stats.reused_bytes
            self.compressed_bytes += stats.compressed_bytes

    def add_file(self, size: int, stored_size: int) -> None:
        """Count a file that was uploaded in one piece."""
        self.archive_count += 1
        self.size += size
        self.compressed_bytes += stored_size

    def __str__(self) -> str:
        parts = [f"{self.archive_count} archive{'' if self.archive_count == 1 else 's'}"]
        if self.entry_count:
            parts.append(f"{self.entry_count} files and directories")
        uploaded = f"uploaded {human_size(self.size - self.reused_bytes)}"
        parts += [human_size(self.size), f"{uploaded} (compressed {human_size(self.compressed_bytes)})"]
        if self.size:
            parts.append(f"reused {self.reused_bytes * 100 / self.size:.1f}%")
        if self.warning_count:
            parts.append(f"{self.warning_count} warning{'' if self.warning_count == 1 else 's'}")
        return ", ".join(parts)
