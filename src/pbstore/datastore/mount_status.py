"""Whether the device of a datastore is there (version-4.md 16)."""

import os
from enum import StrEnum
from pathlib import Path

from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.errors import DatastoreError

MOUNT_INFO = Path("/proc/self/mountinfo")
DEVICES = Path("/dev/disk/by-uuid")


class MountStatus(StrEnum):
    """As lists show it."""

    MOUNTED = "mounted"
    NOT_MOUNTED = "notmounted"
    NON_REMOVABLE = "nonremovable"


def mount_status(config: DatastoreConfig, mounts_dir: Path) -> MountStatus:
    """Say whether a removable store is mounted below `mounts_dir`: its own device, not merely something."""
    if not config.is_removable:
        return MountStatus.NON_REMOVABLE
    is_mounted = _is_mounted(DEVICES / str(config.values["backing-device"]), mounts_dir / config.name)
    return MountStatus.MOUNTED if is_mounted else MountStatus.NOT_MOUNTED


def check_mounted(config: DatastoreConfig, mounts_dir: Path) -> None:
    """Return unless the store is on a device that is not there.

    Raises:
        DatastoreError: it is.
    """
    if mount_status(config, mounts_dir) is MountStatus.NOT_MOUNTED:
        raise DatastoreError(f"datastore '{config.name}' is not mounted")


def _is_mounted(device: Path, mount_point: Path) -> bool:
    try:
        number = device.stat().st_rdev
        lines = MOUNT_INFO.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return False
    wanted = f"{os.major(number)}:{os.minor(number)}"
    fields = (line.split(" ", 5) for line in lines)
    return any(len(field) > 4 and field[2] == wanted and field[4] == str(mount_point) for field in fields)
