"""The two programs, ready to be called."""

import pytest
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT

from cli.command_runner import Runner


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--installed", action="store_true", help="run command lines as the installed programs")


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Runner:
    """`proxmox-backup-client`."""
    return Runner(CLIENT, installed=bool(request.config.getoption("--installed")))
