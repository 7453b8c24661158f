"""A running server for every test that wants one; how many examples Hypothesis tries (`--hypothesis-profile`)."""

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from pbstore.config.certificate import ensure_certificate
from pbstore.config.roots import Roots
from running_server import RunningServer

# On a busy machine no single example has a time that means anything.
settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile("thorough", max_examples=3000, deadline=None)
settings.load_profile("quick")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--installed", action="store_true", help="run command lines as the installed programs")


@pytest.fixture(scope="session")
def server_certificate(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """Where a certificate and its key are; making one takes seconds, so servers in tests share it."""
    roots = Roots.below(tmp_path_factory.mktemp("server-certificate"))
    roots.prepare()
    ensure_certificate(roots, "testnode")
    return roots


@pytest.fixture
def make_server(tmp_path: Path, server_certificate: Roots) -> Iterator[Callable[..., RunningServer]]:
    """Make servers that are not started yet; all of them are ended after the test."""
    made: list[RunningServer] = []

    def make(name: str = "server") -> RunningServer:
        server = RunningServer(tmp_path / name)
        shutil.copy2(server_certificate.certificate, server.roots.certificate)
        shutil.copy2(server_certificate.certificate_key, server.roots.certificate_key)
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop(signal.SIGKILL)


@pytest.fixture
def server(make_server: Callable[..., RunningServer]) -> RunningServer:
    """A server that is running and has nothing configured."""
    made = make_server()
    made.start()
    return made
