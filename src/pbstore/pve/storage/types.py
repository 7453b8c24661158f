"""The types of storages: which properties they have, and what they can hold (pve-storage.md 1, 9).

Sections of types that are not worked with here are kept as they are, and listed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

_COMMON = ("content", "disable", "max-protected-backups", "nodes", "prune-backups")


class Use(Enum):
    """What may be done with a property of a type. `LEGACY` ones are read, never written."""

    REQUIRED = "required and fixed"
    FIXED = "fixed"
    OPTIONAL = "optional"
    LEGACY = "legacy"


@dataclass(frozen=True, kw_only=True)
class StorageType:
    """A type; `uses` is empty for those that are only kept. `secrets` never stand in the file as they were given."""

    name: str
    uses: Mapping[str, Use] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    content: tuple[str, ...] = ()
    default_content: tuple[str, ...] = ()
    always_shared: bool = False

    @property
    def is_supported(self) -> bool:
        """Whether it can be configured and used here."""
        return bool(self.uses)

    @property
    def required(self) -> list[str]:
        """What has to be given, sorted."""
        return sorted(key for key, use in self.uses.items() if use is Use.REQUIRED)

    def is_fixed(self, key: str) -> bool:
        """Whether a property stays as it was when the storage was made."""
        return self.uses[key] in (Use.REQUIRED, Use.FIXED)


def _uses(required: Iterable[str], optional: Iterable[str], fixed: Iterable[str] = ()) -> dict[str, Use]:
    return {
        **dict.fromkeys(required, Use.REQUIRED),
        **dict.fromkeys((*_COMMON, *optional), Use.OPTIONAL),
        **dict.fromkeys(fixed, Use.FIXED),
        "maxfiles": Use.LEGACY,
    }


PBS = StorageType(
    name="pbs",
    uses=_uses(
        ("datastore", "server"),
        ("encryption-key", "fingerprint", "master-pubkey", "namespace", "password", "port", "username"),
    ),
    secrets=frozenset({"encryption-key", "master-pubkey", "password"}),
    content=("backup",),
    default_content=("backup",),
    always_shared=True,
)
DIR = StorageType(
    name="dir",
    uses=_uses(
        ("path",),
        (
            "bwlimit",
            "content-dirs",
            "create-base-path",
            "create-subdirs",
            "format",
            "is_mountpoint",
            "mkdir",
            "preallocation",
            "shared",
        ),
        ("snapshot-as-volume-chain",),
    ),
    content=("backup", "images", "import", "iso", "rootdir", "snippets", "vztmpl"),
    default_content=("images", "rootdir"),
)
_KEPT_SHARED = ("cephfs", "cifs", "esxi", "glusterfs", "iscsi", "iscsidirect", "nfs", "rbd", "zfs")
_KEPT_LOCAL = ("btrfs", "lvm", "lvmthin", "zfspool")
TYPES: Mapping[str, StorageType] = {
    storage_type.name: storage_type
    for storage_type in (
        PBS,
        DIR,
        *(StorageType(name=name, always_shared=True) for name in _KEPT_SHARED),
        *(StorageType(name=name) for name in _KEPT_LOCAL),
    )
}
