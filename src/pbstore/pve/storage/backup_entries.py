"""Snapshots of a backup server as a storage lists them (pve-storage.md 4)."""

from collections.abc import Mapping, Sequence
from typing import Any

from pbstore.client.listing import MANIFEST_FILE, SnapshotListing
from pbstore.pve.storage.volume_id import BackupVolume
from pbstore.pve.storage.volume_info import VolumeEntry

CONTENT = "backup"
UNFINISHED_SIZE = 1
_LOG_FILE = "client.log.blob"


def backup_entries(storage_id: str, snapshots: Sequence[SnapshotListing]) -> list[VolumeEntry]:
    """The backups of guests among some snapshots; others are not shown."""
    found = ((BackupVolume(listing.snapshot), listing) for listing in snapshots)
    return [_entry(storage_id, volume, listing) for volume, listing in found if volume.is_of_guest]


def _entry(storage_id: str, volume: BackupVolume, listing: SnapshotListing) -> VolumeEntry:
    return VolumeEntry(
        volume=volume.in_storage(storage_id),
        format=volume.format,
        content=CONTENT,
        size=UNFINISHED_SIZE if listing.size is None else listing.size,
        vmid=volume.vmid,
        ctime=volume.snapshot.backup_time,
        subtype=volume.subtype,
        more=_more(listing.wire),
    )


def _more(wire: Mapping[str, Any]) -> dict[str, object]:
    more: dict[str, object] = {}
    if isinstance(comment := wire.get("comment"), str):
        more["notes"] = comment
    if wire.get("protected"):
        more["protected"] = 1
    if isinstance(verification := wire.get("verification"), dict):
        more["verification"] = verification
    if encrypted := _encrypted(wire):
        more["encrypted"] = encrypted
    return more


def _encrypted(wire: Mapping[str, Any]) -> str | None:
    """The key's fingerprint; `1` without one if every archive is encrypted."""
    fingerprint = wire.get("fingerprint")
    if isinstance(fingerprint, str):
        return fingerprint
    files = [file for file in wire.get("files") or [] if isinstance(file, dict)]
    modes = [file.get("crypt-mode") for file in files if file.get("filename") not in (_LOG_FILE, MANIFEST_FILE)]
    return "1" if modes and all(mode == "encrypt" for mode in modes) else None
