"""The programs, ready to be called."""

from pathlib import Path

import pytest

from command_runner import Runner
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.cli.proxmox_backup_debug.main import PROGRAM as DEBUG
from pbstore.cli.proxmox_backup_manager.main import PROGRAM as MANAGER
from pbstore.cli.pxar.main import PROGRAM as PXAR


@pytest.fixture
def client(pytestconfig: pytest.Config) -> Runner:
    """`proxmox-backup-client`."""
    return Runner(CLIENT, installed=pytestconfig.getoption("--installed"))


@pytest.fixture
def manager(pytestconfig: pytest.Config) -> Runner:
    """`proxmox-backup-manager`."""
    return Runner(MANAGER, installed=pytestconfig.getoption("--installed"))


@pytest.fixture
def debug(pytestconfig: pytest.Config) -> Runner:
    """`proxmox-backup-debug`."""
    return Runner(DEBUG, installed=pytestconfig.getoption("--installed"))


@pytest.fixture
def pxar(pytestconfig: pytest.Config) -> Runner:
    """`pxar`."""
    return Runner(PXAR, installed=pytestconfig.getoption("--installed"))


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Environment with configuration folders of the test's own."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
