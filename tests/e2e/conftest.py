"""One store and one server for all end-to-end tests of backups."""

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from backup_site import BackupSite, newest
from command_runner import Runner
from e2e.split_backups import TIMES, Backup, Check, Snapshots
from memory_directory import memory_directory
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.config.roots import Roots
from pbstore.datastore.creation import create_datastore
from tree_snapshot import tree_snapshot


@pytest.fixture(scope="module")
def store() -> Iterator[Path]:
    """A store with all its directories."""
    with memory_directory() as directory:
        create_datastore(directory / "main", [])
        yield directory / "main"


@pytest.fixture(scope="module")
def site(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots, store: Path
) -> Iterator[BackupSite]:
    """A server and a client host."""
    client = Runner(CLIENT, installed=pytestconfig.getoption("--installed"))
    made = BackupSite(tmp_path_factory.mktemp("site"), store, server_certificate, client)
    yield made
    made.server.stop(signal.SIGKILL)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree with a file of each ordinary kind."""
    root = tmp_path / "tree"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n" * 100)
    (root / "etc" / "name with \n line end").write_bytes(b"x")
    (root / "etc" / "link").symlink_to("hosts")
    (root / "etc" / "hard").hardlink_to(root / "etc" / "hosts")
    (root / "empty").mkdir(mode=0o700)
    (root / "noise").write_bytes(bytes(range(256)) * 9000)
    return root


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Text, a hole and a short end: three and a bit chunks."""
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.write(b"some text " * 420_000)
        file.seek(9 << 20)
        file.write(b"the end")
    return path


@pytest.fixture
def key(site: BackupSite, tmp_path: Path) -> Path:
    """A new encryption key without password."""
    path = tmp_path / "key.json"
    site.succeed("key", "create", path, "--kdf", "none")
    return path


@pytest.fixture
def backup(site: BackupSite, tree: Path, tmp_path: Path) -> Backup:
    """Back up the tree in a group of the test's own; the log."""
    group = tmp_path.name

    def run(mode: str, *options: str | Path, **environment: str) -> str:
        fixed = ("--backup-id", group, "--backup-time", str(next(TIMES)), "--change-detection-mode", mode)
        return site.succeed("backup", f"root.pxar:{tree}", *fixed, *options, **environment).stderr

    return run


@pytest.fixture
def snapshots(site: BackupSite, tmp_path: Path) -> Snapshots:
    """The directories of that group's snapshots, oldest first."""
    return lambda: site.snapshots(f"host/{tmp_path.name}")


@pytest.fixture
def comes_back(site: BackupSite, tree: Path, tmp_path: Path, snapshots: Snapshots) -> Check:
    """Restore the newest snapshot and compare it with the tree."""
    numbers = count()

    def check(*options: str | Path) -> None:
        target = tmp_path / f"back-{next(numbers)}"
        site.succeed("restore", newest(snapshots()), "root.pxar", target, *options)
        assert tree_snapshot(target) == tree_snapshot(tree)

    return check
