"""Kill the client or the server in the middle of a backup: no snapshot is visible, and the next backup works."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backup_site import BackupSite

pytestmark = pytest.mark.slow

PIPE_BYTES = 24 << 20


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """A pipe as image: it gives some chunks at a call and never ends, so that the backup is in its middle."""
    path = tmp_path / "pipe.img"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)

    def give() -> None:
        noise = memoryview(random.Random(5).randbytes(PIPE_BYTES))  # noqa: S311
        while noise:
            noise = noise[os.write(descriptor, noise) :]

    yield give
    os.close(descriptor)


def wait_until(condition: Callable[[], object]) -> None:
    """Look every moment until it holds."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def finished(site: BackupSite, group: str) -> list[Path]:
    return [path for path in site.snapshots(group) if (path / "index.json.blob").exists()]


def test_kill_the_client(site: BackupSite, feed: Callable[[], None], image: Path, tmp_path: Path) -> None:
    client = site.start("backup", f"disk.img:{tmp_path / 'pipe.img'}", "--backup-id", "killed")
    feed()
    wait_until(lambda: site.snapshots("host/killed"))
    client.kill()
    client.communicate(timeout=20)
    wait_until(lambda: not site.snapshots("host/killed"))
    site.succeed("backup", f"disk.img:{image}", "--backup-id", "killed")
    assert len(finished(site, "host/killed")) == 1


def test_kill_the_server(site: BackupSite, feed: Callable[[], None], image: Path, tmp_path: Path) -> None:
    client = site.start("backup", f"disk.img:{tmp_path / 'pipe.img'}", "--backup-id", "crashed")
    feed()
    wait_until(lambda: site.snapshots("host/crashed"))
    site.server.stop(signal.SIGKILL)
    _, stderr = client.communicate(timeout=40)
    assert client.returncode == 255
    assert stderr.decode().splitlines()[-1].startswith("Error: ")
    assert finished(site, "host/crashed") == []
    site.server.start()
    assert "crashed" not in site.succeed("snapshot", "list").stdout
    site.succeed("backup", f"disk.img:{image}", "--backup-id", "crashed")
    assert len(finished(site, "host/crashed")) == 1
