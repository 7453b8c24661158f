"""A server behind a gate that decides what its disk does, for all tests of a file."""

import signal
from collections.abc import Iterator

import pytest

from faults.fault_site import FaultSite
from memory_directory import memory_directory
from pbstore.config.roots import Roots
from pbstore.datastore.creation import create_datastore


@pytest.fixture(scope="module")
def running_site(tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots) -> Iterator[FaultSite]:
    """The server, running, with an empty store."""
    with memory_directory() as directory:
        create_datastore(directory / "main", [])
        made = FaultSite(tmp_path_factory.mktemp("site"), directory / "main", server_certificate)
        yield made
        made.server.stop(signal.SIGKILL)


@pytest.fixture
def site(running_site: FaultSite) -> Iterator[FaultSite]:
    """The server, with a disk that works at the beginning and at the end of each test."""
    yield running_site
    running_site.gate.open()
