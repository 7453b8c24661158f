"""Mount points below what is backed up, and block devices on both sides. Needs root."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_site import BackupSite, newest
from e2e.split_backups import TIMES

BLOCK = 4 << 20


def run(*command: str | Path) -> str:
    """Run a tool and return what it printed."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def can_mount() -> bool:
    """Whether file systems and loop devices can be had here."""
    if os.geteuid() != 0 or shutil.which("losetup") is None:
        return False
    return subprocess.run(["losetup", "--find"], capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.root,
    pytest.mark.skipif(not can_mount(), reason="needs mounts and loop devices: run as root where both are there"),
]


@pytest.fixture
def mounted_tree(tree: Path) -> Iterator[Path]:
    """The tree with two file systems mounted in it, each with a file."""
    points = (tree / "one", tree / "empty" / "two")
    for point in points:
        point.mkdir()
        run("mount", "-t", "tmpfs", "tmpfs", point)
        (point / "inside").write_text(point.name)
    yield tree
    for point in points:
        run("umount", point)


def names(site: BackupSite, tree: Path, target: Path, *options: str | Path) -> tuple[set[str], str]:
    """Back up and restore; the names that came back, and the log of the backup."""
    words = ("--backup-id", "mounted", "--backup-time", str(next(TIMES)))
    log = site.succeed("backup", f"root.pxar:{tree}", *words, *options).stderr
    site.succeed("restore", newest(site.snapshots("host/mounted")), "root.pxar", target)
    return {str(path.relative_to(target)) for path in target.rglob("inside")}, log


@pytest.mark.parametrize("mode", ["legacy", "metadata"])
def test_mount_points_are_left_out_unless_asked_for(
    site: BackupSite, mounted_tree: Path, tmp_path: Path, mode: str
) -> None:
    how = ("--change-detection-mode", mode)
    found, log = names(site, mounted_tree, tmp_path / "none", *how)
    assert found == set()
    lines = [line for line in log.splitlines() if "mount point" in line]
    assert lines == ['skipping mount point: "empty/two"', 'skipping mount point: "one"']
    assert (tmp_path / "none" / "one").is_dir()
    found, log = names(site, mounted_tree, tmp_path / "one", *how, "--include-dev", mounted_tree / "one")
    assert found == {"one/inside"}
    assert [line for line in log.splitlines() if "mount point" in line] == lines[:1]
    found, log = names(site, mounted_tree, tmp_path / "all", *how, "--all-file-systems")
    assert found == {"one/inside", "empty/two/inside"}
    assert "mount point" not in log


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Path]:
    """A block device of three blocks and a bit, full of old bytes."""
    backing = tmp_path / "backing"
    backing.write_bytes(b"\xaa" * (3 * BLOCK + 4096))
    name = run("losetup", "--find", "--show", backing)
    yield Path(name)
    run("losetup", "--detach", name)


def test_a_block_device_is_an_image(site: BackupSite, device: Path) -> None:
    content = os.urandom(BLOCK) + bytes(BLOCK) + os.urandom(BLOCK + 4096)
    device.write_bytes(content)
    site.succeed("backup", f"disk.img:{device}", "--backup-id", "device")
    snapshot = newest(site.snapshots("host/device"))
    assert site.succeed("restore", snapshot, "disk.img", "-").raw_stdout == content


def test_an_image_goes_to_a_device_only_when_told_and_covers_what_was_there(
    site: BackupSite, device: Path, tmp_path: Path
) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(os.urandom(BLOCK) + bytes(BLOCK) + os.urandom(1000))
    site.succeed("backup", f"disk.img:{image}", "--backup-id", "to-device")
    snapshot = newest(site.snapshots("host/to-device"))
    assert "File exists" in site.error("restore", snapshot, "disk.img", device)
    assert device.read_bytes() == b"\xaa" * (3 * BLOCK + 4096)
    site.succeed("restore", snapshot, "disk.img", device, "--overwrite")
    kept = 3 * BLOCK + 4096 - image.stat().st_size
    assert device.read_bytes() == image.read_bytes() + b"\xaa" * kept


def test_a_device_that_is_too_small_stays_as_it_is(site: BackupSite, device: Path, tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(os.urandom(4 * BLOCK))
    site.succeed("backup", f"disk.img:{image}", "--backup-id", "too-large")
    line = site.error("restore", newest(site.snapshots("host/too-large")), "disk.img", device, "--overwrite")
    assert f"the target has {3 * BLOCK + 4096} bytes, the image needs {4 * BLOCK}" in line
    assert device.read_bytes() == b"\xaa" * (3 * BLOCK + 4096)
