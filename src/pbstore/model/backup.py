"""Backup groups and snapshots (manifest.md 5)."""

from dataclasses import dataclass
from enum import StrEnum
from functools import total_ordering
from typing import Self

from pbstore.errors import FormatError
from pbstore.model.backup_time import format_backup_time, parse_backup_time
from pbstore.model.names import check_safe_id


class BackupType(StrEnum):
    """What was backed up. Sorted by name, as the original lists them."""

    CT = "ct"
    HOST = "host"
    VM = "vm"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a type.

        Raises:
            FormatError: none of ct, host, vm.
        """
        try:
            return cls(text)
        except ValueError:
            raise FormatError(f"invalid backup type {text!r}: one of ct, host, vm") from None


@total_ordering
@dataclass(frozen=True)
class BackupGroup:
    """All snapshots of one guest or host; its text and path is `type/id`."""

    backup_type: BackupType
    backup_id: str

    def __post_init__(self) -> None:
        check_safe_id(self.backup_id, "backup id")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `type/id`.

        Raises:
            FormatError: not of that form.
        """
        backup_type, slash, backup_id = text.partition("/")
        if not slash:
            raise FormatError(f"invalid backup group {text!r}: expected <type>/<id>")
        return cls(BackupType.parse(backup_type), backup_id)

    def __str__(self) -> str:
        return f"{self.backup_type}/{self.backup_id}"

    def __lt__(self, other: "BackupGroup") -> bool:
        return self._sort_key < other._sort_key

    @property
    def _sort_key(self) -> tuple[str, int, int, str]:
        """Numbers before names, numbers by value."""
        is_number = self.backup_id.isascii() and self.backup_id.isdigit() and int(self.backup_id) < 1 << 64
        number = int(self.backup_id) if is_number else 0
        return self.backup_type.value, 0 if is_number else 1, number, self.backup_id


@total_ordering
@dataclass(frozen=True)
class Snapshot:
    """One backup of a group; `backup_time` is UTC seconds. Its text and path is `type/id/time`."""

    group: BackupGroup
    backup_time: int

    def __post_init__(self) -> None:
        format_backup_time(self.backup_time)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `type/id/time`.

        Raises:
            FormatError: not of that form.
        """
        parts = text.split("/")
        if len(parts) != 3:
            raise FormatError(f"invalid snapshot {text!r}: expected <type>/<id>/<time>")
        return cls(BackupGroup.parse("/".join(parts[:2])), parse_backup_time(parts[2]))

    @property
    def time_text(self) -> str:
        """The last component of the path."""
        return format_backup_time(self.backup_time)

    def __str__(self) -> str:
        return f"{self.group}/{self.time_text}"

    def __lt__(self, other: "Snapshot") -> bool:
        return (self.group, self.backup_time) < (other.group, other.backup_time)
