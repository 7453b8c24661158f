"""Stores on devices that come and go (version-4.md 16)."""

import os
from pathlib import Path

import pytest

from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.datastore import mount_status as module
from pbstore.datastore.mount_status import MountStatus, check_mounted, mount_status
from pbstore.errors import DatastoreError

UUID = "12345678-1234-1234-1234-123456789abc"
REMOVABLE = DatastoreConfig("usb", {"path": "store", "backing-device": UUID})


def test_an_ordinary_store_is_not_removable(tmp_path: Path) -> None:
    config = DatastoreConfig("main", {"path": "/x"})
    assert mount_status(config, tmp_path) is MountStatus.NON_REMOVABLE
    check_mounted(config, tmp_path)


def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    """D7: the text that clients get."""
    assert mount_status(REMOVABLE, tmp_path) is MountStatus.NOT_MOUNTED
    with pytest.raises(DatastoreError, match=r"^datastore 'usb' is not mounted$"):
        check_mounted(REMOVABLE, tmp_path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("36 35 {device} /store {point} rw,noatime shared:1 - ext4 /dev/sdb1 rw\n", MountStatus.MOUNTED),
        ("36 35 99:99 /store {point} rw - ext4 /dev/sdc1 rw\n", MountStatus.NOT_MOUNTED),
        ("36 35 {device} / /elsewhere rw - ext4 /dev/sdb1 rw\n", MountStatus.NOT_MOUNTED),
        ("odd\n", MountStatus.NOT_MOUNTED),
    ],
)
def test_its_own_device_must_be_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, expected: MountStatus
) -> None:
    number = Path(os.devnull).stat().st_rdev
    (tmp_path / "by-uuid").mkdir()
    (tmp_path / "by-uuid" / UUID).symlink_to(os.devnull)
    text = line.format(device=f"{os.major(number)}:{os.minor(number)}", point=tmp_path / "mnt/usb")
    (tmp_path / "mountinfo").write_text(f"1 1 8:1 / / rw - ext4 /dev/sda1 rw\n{text}")
    monkeypatch.setattr(module, "DEVICES", tmp_path / "by-uuid")
    monkeypatch.setattr(module, "MOUNT_INFO", tmp_path / "mountinfo")
    assert mount_status(REMOVABLE, tmp_path / "mnt") is expected
