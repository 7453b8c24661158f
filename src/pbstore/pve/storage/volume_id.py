"""Volume ids: `<storage>:<name>`; on a backup server the name is `backup/<type>/<id>/<time>` (pve-storage.md 3)."""

import re
from dataclasses import dataclass
from typing import Self

from pbstore.errors import FormatError
from pbstore.model.backup import Snapshot
from pbstore.pve.storage.names import STORAGE_ID

_VOLUME_ID = re.compile(rf"({STORAGE_ID}):(.+)")
_BACKUP = re.compile(r"backup/([^\s_]+)/([^\s_]+)/([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)")
SUBTYPES = {"vm": "qemu", "ct": "lxc"}


@dataclass(frozen=True)
class VolumeId:
    """A volume of a storage."""

    storage_id: str
    name: str

    @classmethod
    def parse(cls, text: str, *, storage_id: str | None = None) -> Self:
        """Read `<storage>:<name>`; with `storage_id` the name alone is enough.

        Raises:
            FormatError: not of the form, or a volume of another storage.
        """
        match = _VOLUME_ID.fullmatch(text)
        if match is None and storage_id is not None:
            return cls(storage_id, text)
        if match is None:
            raise FormatError(f"unable to parse volume ID '{text[:300]}'")
        if storage_id not in (None, match[1]):
            raise FormatError(f"volume '{text[:300]}' is not on storage '{storage_id}'")
        return cls(match[1], match[2])

    def __str__(self) -> str:
        return f"{self.storage_id}:{self.name}"


@dataclass(frozen=True)
class BackupVolume:
    """A volume on a backup server. Its namespace is that of the storage."""

    snapshot: Snapshot

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read `backup/<type>/<id>/<time>`.

        Raises:
            FormatError: not of the form.
        """
        match = _BACKUP.fullmatch(name)
        try:
            if match is not None:
                return cls(Snapshot.parse("/".join(match.groups())))
        except FormatError:
            pass
        raise FormatError(f"unable to parse PBS volume name '{name[:300]}'")

    @property
    def vmid(self) -> int | None:
        """The guest; None for a host, or a name that is no number."""
        text = self.snapshot.group.backup_id
        return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None

    @property
    def format(self) -> str:
        """`pbs-vm`, `pbs-ct` or `pbs-host`."""
        return f"pbs-{self.snapshot.group.backup_type}"

    @property
    def subtype(self) -> str | None:
        """`qemu` or `lxc`; None for a host."""
        return SUBTYPES.get(self.snapshot.group.backup_type)

    @property
    def is_of_guest(self) -> bool:
        """Whether it is the backup of a guest, which lists show."""
        return self.vmid is not None and self.subtype is not None

    def in_storage(self, storage_id: str) -> VolumeId:
        """The volume id."""
        return VolumeId(storage_id, f"backup/{self.snapshot}")
