"""A running server for every test that wants one."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from running_server import RunningServer


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Make servers that are not started yet; all of them are ended after the test."""
    made: list[RunningServer] = []

    def make(name: str = "server") -> RunningServer:
        made.append(RunningServer(tmp_path / name))
        return made[-1]

    yield make
    for server in made:
        server.stop(signal.SIGKILL)


@pytest.fixture
def server(make_server: Callable[..., RunningServer]) -> RunningServer:
    """A server that is running and has nothing configured."""
    made = make_server()
    made.start()
    return made
