"""Downloads from the store of the original 4.2.3 by a real server of ours: the same bytes."""

import hashlib
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbstore.config.roots import Roots
from running_server import RunningServer

PASSWORD = "Test12345"
DOWNLOADS = ("dl_didx", "dl_index", "dld_img", "dld_index", "dld_mpxar")
REFUSALS = ("dl_missing", "dld_enc")


@pytest.fixture(scope="module")
def server(
    datastore_423: Path, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[RunningServer]:
    root = tmp_path_factory.mktemp("downloads")
    shutil.copytree(datastore_423, root / "fix42")
    made = RunningServer(root / "server")
    for path in ("certificate", "certificate_key"):
        shutil.copy2(getattr(server_certificate, path), getattr(made.roots, path))
    made.create_user("test@pbs", PASSWORD)
    made.grant("/", "test@pbs", "Admin")
    made.add_datastore("fix42", root / "fix42")
    made.start()
    yield made
    made.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def headers(server: RunningServer) -> dict[str, str]:
    return server.login("test@pbs", PASSWORD)


def recorded_download(fixtures: Path, name: str) -> tuple[str, int, str]:
    """Target, length and SHA-256 of the body."""
    index = (fixtures / "api" / "INDEX.txt").read_text()
    match = re.search(rf"^{name}: GET (\S+) .*body (\d+) bytes sha256 ([0-9a-f]{{64}})", index, re.M)
    assert match is not None
    return f"/api2/json{match[1]}", int(match[2]), match[3]


@pytest.mark.parametrize("name", [*DOWNLOADS, *REFUSALS])
def test_same_bytes(fixtures_423: Path, server: RunningServer, headers: dict[str, str], name: str) -> None:
    target, size, digest = recorded_download(fixtures_423, name)
    answer = server.request("GET", target, headers=headers)
    assert answer.status == (400 if name in REFUSALS else 200)
    assert (len(answer.body), hashlib.sha256(answer.body).hexdigest()) == (size, digest)
    kind = "application/json;charset=UTF-8" if name in REFUSALS else "application/octet-stream"
    assert answer.headers["content-type"] == kind


@pytest.mark.parametrize("file_name", ["client.log.blob", "vm.conf.blob", "tree.ppxar.didx", "nope.didx", "owner"])
def test_other_files(server: RunningServer, headers: dict[str, str], file_name: str) -> None:
    parameters = {"backup-type": "host", "backup-id": "split", "backup-time": 1780387200, "file-name": file_name}
    answer = server.request("GET", "/api2/json/admin/datastore/fix42/download-decoded", parameters, headers=headers)
    assert answer.status == (200 if file_name in ("vm.conf.blob", "tree.ppxar.didx") else 400)


def test_nothing_runs_on_the_store_afterwards(server: RunningServer, headers: dict[str, str]) -> None:
    answer = server.request("GET", "/api2/json/admin/datastore/fix42/active-operations", headers=headers)
    assert answer.data == {"read": 0, "write": 0}
