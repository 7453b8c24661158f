"""One server for each file of tests; after each test it must be as if nothing had happened."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostile.hostile_site import MAX_RESIDENT_BYTES, HostileSite, wait_until
from memory_directory import memory_directory
from pbstore.config.roots import Roots
from pbstore.datastore.creation import create_datastore


@pytest.fixture(scope="session")
def hostile_store() -> Iterator[Path]:
    """A store with all its directories."""
    with memory_directory() as directory:
        create_datastore(directory / "main", [])
        yield directory / "main"


@pytest.fixture(scope="module")
def shared_site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    hostile_store: Path,
    server_certificate: Roots,
) -> Iterator[HostileSite]:
    """The server; a file sets LIMITS if it wants other limits than usual."""
    limits = getattr(request.module, "LIMITS", "")
    site = HostileSite(tmp_path_factory.mktemp("hostile"), hostile_store, server_certificate, limits=limits)
    yield site
    site.close()
    resident_bytes = site.status("VmHWM")
    site.server.stop(signal.SIGKILL)
    assert resident_bytes < MAX_RESIDENT_BYTES


@pytest.fixture
def site(shared_site: HostileSite) -> Iterator[HostileSite]:
    """The server, and behind the test: a bystander is served, nothing is left behind, no bug was logged."""
    pid, descriptors = shared_site.server.pid, shared_site.descriptors()
    bystander = shared_site.backup()
    yield shared_site
    try:
        assert bystander.call("GET", "/previous_backup_time").body == b'{"data":null}'
        with shared_site.client() as client:
            assert client.request("GET", "/api2/json/version", shared_site.headers).status == 200
    finally:
        shared_site.close()
    wait_until(lambda: not shared_site.unfinished(), f"left behind: {shared_site.unfinished()}")
    wait_until(lambda: shared_site.descriptors() <= descriptors, "files are left open")
    assert shared_site.server.pid == pid
    log = shared_site.server.log.read_text()
    for word in ("Traceback", "panicked", "raised an exception"):
        assert word not in log, log
