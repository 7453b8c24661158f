"""Groups, snapshots and files as a server lists them. `wire` is the object as it came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pbstore.client.answers import number_of, text_of
from pbstore.errors import ProtocolError
from pbstore.model.backup import BackupGroup, BackupType, Snapshot

MANIFEST_FILE = "index.json.blob"


@dataclass(frozen=True)
class GroupListing:
    """A group; without snapshots `newest` is None (version-4.md 0.2 D2). `files` are those of the newest."""

    group: BackupGroup
    newest: Snapshot | None
    backup_count: int
    files: tuple[str, ...]
    wire: Mapping[str, Any]

    @classmethod
    def from_wire(cls, row: Mapping[str, Any]) -> Self:
        """Read one item of `groups`.

        Raises:
            ProtocolError: a member is missing or of the wrong type.
            FormatError: an id or time that cannot be.
        """
        group = _group(row)
        count, last_backup = number_of(row, "backup-count"), number_of(row, "last-backup")
        newest = Snapshot(group, last_backup) if count > 0 and last_backup > 0 else None
        return cls(group, newest, count, tuple(_file_names(row)), row)


@dataclass(frozen=True)
class SnapshotListing:
    """A snapshot; `size` is None while it is being made."""

    snapshot: Snapshot
    size: int | None
    files: tuple[str, ...]
    wire: Mapping[str, Any]

    @classmethod
    def from_wire(cls, row: Mapping[str, Any]) -> Self:
        """Read one item of `snapshots`.

        Raises:
            ProtocolError: a member is missing or of the wrong type.
            FormatError: an id or time that cannot be.
        """
        snapshot = Snapshot(_group(row), number_of(row, "backup-time"))
        size = number_of(row, "size") if row.get("size") is not None else None
        return cls(snapshot, size, tuple(_file_names(row)), row)

    @property
    def is_finished(self) -> bool:
        """Whether it has a manifest (version-4.md 0.1 C9)."""
        return MANIFEST_FILE in self.files


@dataclass(frozen=True)
class FileListing:
    """A file of a snapshot; size and crypt mode are None for files that the manifest does not list."""

    filename: str
    crypt_mode: str | None
    size: int | None
    wire: Mapping[str, Any]

    @classmethod
    def from_wire(cls, row: Mapping[str, Any]) -> Self:
        """Read one item of `files`.

        Raises:
            ProtocolError: a member is missing or of the wrong type.
        """
        size = number_of(row, "size") if row.get("size") is not None else None
        crypt_mode = text_of(row, "crypt-mode") if row.get("crypt-mode") is not None else None
        return cls(text_of(row, "filename"), crypt_mode, size, row)


def _group(row: Mapping[str, Any]) -> BackupGroup:
    return BackupGroup(BackupType.parse(text_of(row, "backup-type")), text_of(row, "backup-id"))


def _file_names(row: Mapping[str, Any]) -> list[str]:
    files = row.get("files")
    if not isinstance(files, list):
        raise ProtocolError("the server's answer has no list 'files'")
    names = [text_of(file, "filename") if isinstance(file, dict) else file for file in files]
    if not all(isinstance(name, str) for name in names):
        raise ProtocolError("the server's answer names files that are no texts")
    return names
