"""One machine for all requirements; each test has storages of its own names."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from seed.seed_host import SeedHost


def can_unshare() -> bool:
    """Whether this user may make namespaces."""
    if os.geteuid() != 0:
        return False
    words = ["unshare", "--mount", "--net", "--propagation", "private", "true"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeedHost]:
    """The machine, with a running backup server."""
    if not can_unshare():
        pytest.skip("needs root, and a kernel that lets it make namespaces of mounts and networks: run as root")
    made = SeedHost(tmp_path_factory.mktemp("seed"))
    try:
        made.start_server()
        yield made
    finally:
        made.stop()
