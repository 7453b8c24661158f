"""A thousand idle connections and a thousand idle handshakes beside eight clients that back up and restore."""

import os
import resource
import socket
import subprocess
from pathlib import Path

import pytest

from backup_site import newest
from command_runner import Runner
from hostile.hostile_site import MAX_RESIDENT_BYTES, HostileSite
from http1_client import Http1Client
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT

# So that none of them is gone before the others are done.
LIMITS = "handshake=600 head=600"

IDLE = 1000
SESSIONS = 8
IMAGE_BYTES = 24 << 20


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_idle_ones_beside_working_sessions(site: HostileSite, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    handshakes = [
        socket.create_connection(site.address, source_address=(f"127.0.1.{number % 4 + 1}", 0))
        for number in range(IDLE)
    ]
    idle = [Http1Client(site.address, source=f"127.0.2.{number % 4 + 1}") for number in range(IDLE)]
    client = Runner(CLIENT, installed=pytestconfig.getoption("--installed"))
    environment = {
        "PBS_REPOSITORY": f"mallory@pbs@127.0.0.1:{site.server.port}:main",
        "PBS_PASSWORD": "Mallory12345",
        "PBS_FINGERPRINT": site.server.fingerprint,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }

    def finish(*commands: tuple[str | Path, ...]) -> None:
        started = [
            subprocess.Popen(
                client.command(*words),
                env=client.variables(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            for words in commands
        ]
        for process in started:
            _, errors = process.communicate(timeout=200)
            assert process.returncode == 0, errors.decode()

    images = []
    for number in range(SESSIONS):
        images.append(tmp_path / f"{number}.img")
        images[-1].write_bytes(os.urandom(IMAGE_BYTES))
    try:
        finish(*(("backup", f"disk.img:{image}", "--backup-id", f"crowd{image.stem}") for image in images))
        snapshots = [newest(list((site.store / "host" / f"crowd{image.stem}").glob("*/"))) for image in images]
        targets = [image.with_suffix(".back") for image in images]
        finish(*(("restore", *pair) for pair in zip(snapshots, ["disk.img"] * SESSIONS, targets, strict=True)))
        for image, target in zip(images, targets, strict=True):
            assert target.read_bytes() == image.read_bytes()
        assert site.descriptors() > 2 * IDLE, "the idle ones are still there"
        assert site.status("VmHWM") < MAX_RESIDENT_BYTES
        assert idle[0].request("GET", "/nothing").status == 404
    finally:
        for connection in (*handshakes, *(one.socket for one in idle)):
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
