"""What is told of a storage and of the volumes in it (pve-storage.md 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pbstore.pve.storage.volume_id import VolumeId


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How full a storage is, in bytes."""

    total: int = 0
    used: int = 0
    available: int = 0


@dataclass(frozen=True, kw_only=True)
class VolumeEntry:
    """A volume as lists show it; `more` has what only some volumes have, by wire key."""

    volume: VolumeId
    format: str
    content: str
    size: int
    vmid: int | None = None
    ctime: int | None = None
    subtype: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)

    def describe(self) -> dict[str, object]:
        """The object of the API."""
        optional = {"vmid": self.vmid, "ctime": self.ctime, "subtype": self.subtype}
        return {
            "volid": str(self.volume),
            "format": self.format,
            "content": self.content,
            "size": self.size,
            **{key: value for key, value in optional.items() if value is not None},
            **self.more,
        }


@dataclass(frozen=True, kw_only=True)
class VolumeSize:
    """Size of a volume, and what it takes, in bytes."""

    size: int
    used: int
    format: str


@dataclass(frozen=True, kw_only=True)
class PruneVerdict:
    """What pruning does, or would do, with a backup: `mark` is keep, remove or protected."""

    volume: VolumeId
    ctime: int
    mark: str
    subtype: str
    vmid: int

    def describe(self) -> dict[str, object]:
        """The object of the API."""
        return {
            "ctime": self.ctime,
            "mark": self.mark,
            "type": self.subtype,
            "vmid": self.vmid,
            "volid": str(self.volume),
        }
