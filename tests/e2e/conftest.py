"""One store and one server for all end-to-end tests of backups."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_site import BackupSite
from command_runner import Runner
from memory_directory import memory_directory
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.config.roots import Roots
from pbstore.datastore.creation import create_datastore


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
