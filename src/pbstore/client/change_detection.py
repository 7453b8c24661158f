"""How a backup finds out what has changed, and with it what kind of archive it makes (version-4.md 2, pxar.md 8)."""

from enum import StrEnum


class ChangeDetection(StrEnum):
    """The text is that of `--change-detection-mode`."""

    LEGACY = "legacy"
    """One archive and a catalog; every file is read."""
    DATA = "data"
    """A split archive; every file is read."""
    METADATA = "metadata"
    """A split archive; files whose metadata the previous one has are taken over from it unread."""

    @property
    def makes_split_archives(self) -> bool:
        """Whether names and contents become two archives, which need no catalog."""
        return self is not ChangeDetection.LEGACY
