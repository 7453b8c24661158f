"""A datastore made by release 3.2.4, served in place by our server and restored from by our client."""

import hashlib
import lzma
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_site import BackupSite
from command_runner import Runner
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.config.roots import Roots

TIME = "2024-06-05T14:24:36Z"


@pytest.fixture(scope="module")
def site(
    datastore_323: Path, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[BackupSite]:
    """The store, copied, behind a server of ours."""
    work = tmp_path_factory.mktemp("served")
    store = work / "store"
    shutil.copytree(datastore_323, store)
    made = BackupSite(work, store, server_certificate, Runner(CLIENT))
    yield made
    made.server.stop(signal.SIGKILL)


def source(fixtures: Path, name: str) -> bytes:
    packed = fixtures / "store-src" / f"{name}.xz"
    return lzma.decompress(packed.read_bytes()) if packed.exists() else (fixtures / "store-src" / name).read_bytes()


def test_all_groups_are_listed(site: BackupSite) -> None:
    listing = site.succeed("list", "--output-format", "json").stdout
    for backup_id in ("101", "enc", "fixhost", "noexcl", "rec", "sign", "100"):
        assert f'"backup-id":"{backup_id}"' in listing


@pytest.mark.parametrize(
    ("snapshot", "archive", "name", "is_encrypted"),
    [
        (f"host/fixhost/{TIME}", "disk.img", "disk.img", False),
        ("host/fixhost/2024-06-06T14:24:36Z", "disk.img", "disk-v2.img", False),
        (f"host/fixhost/{TIME}", "note.conf", "qemu-server.conf", False),
        (f"host/enc/{TIME}", "disk.img", "disk.img", True),
        (f"host/enc/{TIME}", "note.conf", "qemu-server.conf", True),
        (f"host/sign/{TIME}", "disk.img", "disk.img", True),
        (f"vm/100/{TIME}", "drive-scsi0.img", "disk.img", False),
        (f"ct/101/{TIME}", "pct.conf", "pct.conf", False),
    ],
)
def test_images_and_blobs_come_back(
    site: BackupSite, fixtures_323: Path, snapshot: str, archive: str, name: str, is_encrypted: bool
) -> None:
    keys = ("--keyfile", fixtures_323 / "keys" / "none.json") if is_encrypted else ()
    restored = site.succeed("restore", snapshot, archive, "-", *keys).raw_stdout
    assert restored == source(fixtures_323, name)


@pytest.mark.parametrize("group", ["host/fixhost", "host/enc", "host/sign"])
@pytest.mark.skipif(os.geteuid() != 0, reason="the tree has device nodes and owners: run as root")
def test_trees_come_back(site: BackupSite, fixtures_323: Path, tmp_path: Path, group: str) -> None:
    keys = () if group == "host/fixhost" else ("--keyfile", fixtures_323 / "keys" / "none.json")
    site.succeed("restore", f"{group}/{TIME}", "tree.pxar", tmp_path / "tree", *keys)
    stream = site.succeed("restore", f"{group}/{TIME}", "tree.pxar", "-", *keys)
    plain = lzma.decompress((fixtures_323 / "pxar" / "default.pxar.xz").read_bytes())
    assert hashlib.sha256(stream.raw_stdout).hexdigest() == hashlib.sha256(plain).hexdigest()
    assert (tmp_path / "tree").is_dir()


def test_another_backup_builds_upon_it(site: BackupSite, fixtures_323: Path, tmp_path: Path) -> None:
    site.server.grant("/datastore/main", "archiver@pbs", "DatastoreAdmin")
    (site.store / "host" / "fixhost" / "owner").write_text("archiver@pbs\n")
    image = tmp_path / "disk.img"
    image.write_bytes(source(fixtures_323, "disk-v2.img"))
    log = site.succeed("backup", f"disk.img:{image}", "--backup-id", "fixhost").stderr
    assert "disk.img: had to backup 0 B of" in log
