"""A file system that is really full, at each page and each inode that a backup needs: a small one in memory."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backup_site import BackupSite
from command_runner import Outcome, Runner
from disk_traces import held_locks, temporary_files
from faults.fault_site import wait_until
from pbstore._core import chunk_digest
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.config.roots import Roots

pytestmark = [
    pytest.mark.slow,
    pytest.mark.root,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="a small file system is mounted: run as root"),
]

ROOM_BYTES = 64 << 20
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MAX_STEPS = 60
IMAGE = b"an image of one chunk " * 300
CONF = b"a configuration\n"


class SmallFileSystem:
    """A tmpfs whose room can be changed."""

    def __init__(self, path: Path):
        self.path = path
        path.mkdir()
        self._mount("tmpfs", "-t", "tmpfs", "-o", f"size={ROOM_BYTES}")
        # Something must be used: a size of 0 would mean that there is no limit.
        (path / "ballast").write_bytes(b"x")

    def leave(self, *, pages: int | None = None, inodes: int | None = None) -> None:
        """Leave room for so many pages or inodes; without them there is plenty."""
        used = os.statvfs(self.path)
        size = ROOM_BYTES if pages is None else (used.f_blocks - used.f_bfree) * used.f_frsize + pages * PAGE_BYTES
        # 0 inodes is "without limit".
        count = 0 if inodes is None else used.f_files - used.f_ffree + inodes
        self._mount("tmpfs", "-o", f"remount,size={size},nr_inodes={count}")

    def unmount(self) -> None:
        """Take it away."""
        subprocess.run(["umount", "--lazy", self.path], check=True)

    def _mount(self, *words: str) -> None:
        done = subprocess.run(["mount", *words[1:], words[0], self.path], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallFileSystem]:
    made = SmallFileSystem(tmp_path / "disk")
    yield made
    made.unmount()


@pytest.fixture
def site(disk: SmallFileSystem, tmp_path: Path, server_certificate: Roots) -> Iterator[BackupSite]:
    """A server with a store on that file system, which has the one directory that the image's chunk needs."""
    store = disk.path / "main"
    (store / ".chunks" / chunk_digest(IMAGE).hex()[:4]).mkdir(parents=True)
    (store / ".lock").touch()
    (tmp_path / "disk.img").write_bytes(IMAGE)
    (tmp_path / "vm.conf").write_bytes(CONF)
    made = BackupSite(tmp_path / "site", store, server_certificate, Runner(CLIENT))
    yield made
    made.server.stop(signal.SIGKILL)


def back_up(site: BackupSite, directory: Path) -> Outcome:
    specs = [f"disk.img:{directory / 'disk.img'}", f"vm.conf:{directory / 'vm.conf'}"]
    return site.run("backup", *specs, "--backup-id", "full")


LIMITS: dict[str, Callable[[SmallFileSystem, int], None]] = {
    "pages": lambda disk, count: disk.leave(pages=count),
    "inodes": lambda disk, count: disk.leave(inodes=count),
}


@pytest.mark.parametrize("what", LIMITS)
def test_a_backup_with_a_little_more_room_each_time(
    site: BackupSite, disk: SmallFileSystem, tmp_path: Path, what: str
) -> None:
    failed = 0
    for room in range(MAX_STEPS):
        LIMITS[what](disk, room)
        outcome = back_up(site, tmp_path)
        if outcome.exit_code == 0:
            break
        failed += 1
        assert "No space left on device" in outcome.stderr.splitlines()[-1]
        wait_until(lambda: not held_locks(site.server.roots.locks_dir))
        assert not (site.store / "host/full").exists()
        assert temporary_files(site.store) == []
        assert list((site.store / ".chunks").rglob("*.tmp_*")) == []
        # What a backup left behind is one whole chunk at most, which the next one would need anyway.
        shutil.rmtree(site.store / ".chunks" / chunk_digest(IMAGE).hex()[:4])
        (site.store / ".chunks" / chunk_digest(IMAGE).hex()[:4]).mkdir()
    assert failed >= 3, "it never was full"
    (snapshot,) = site.snapshots("host/full")
    disk.leave()
    site.succeed("restore", f"host/full/{snapshot.name}", "disk.img", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == IMAGE


def test_what_needs_no_room_works_on_a_full_disk(site: BackupSite, disk: SmallFileSystem, tmp_path: Path) -> None:
    """Restoring, listing, and making room by removing."""
    assert back_up(site, tmp_path).exit_code == 0
    disk.leave(pages=0)
    (snapshot,) = site.snapshots("host/full")
    name = f"host/full/{snapshot.name}"
    assert name in site.succeed("snapshot", "list").stdout
    site.succeed("restore", name, "disk.img", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == IMAGE
    login = site.server.login("archiver@pbs", "Archiver12345")
    path = "/api2/json/admin/datastore/main/groups"
    parameters = {"backup-type": "host", "backup-id": "full"}
    assert site.server.request("DELETE", path, parameters, headers=login).status == 200
    assert not (site.store / "host/full").exists()
