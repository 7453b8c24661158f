"""A store with a plain and an encrypted snapshot of everything, behind a running server."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_site import BackupSite
from command_runner import Runner
from damage.stored import Stored
from memory_directory import memory_directory
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.config.roots import Roots
from pbstore.datastore.creation import create_datastore


@pytest.fixture(scope="module")
def stored(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[Stored]:
    """The snapshots, their sources and the client that restores them."""
    client = Runner(CLIENT, installed=pytestconfig.getoption("--installed"))
    with memory_directory() as directory:
        create_datastore(directory / "main", [])
        site = BackupSite(tmp_path_factory.mktemp("site"), directory / "main", server_certificate, client)
        yield Stored(site, tmp_path_factory.mktemp("sources"))
        site.server.stop(signal.SIGKILL)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where to restore to."""
    return tmp_path / "restored"
