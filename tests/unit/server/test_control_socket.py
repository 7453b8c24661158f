"""The control socket: who may use it, what it serves, and the client of it (docs/design/process.md)."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbstore.client.local_server import LocalServer
from pbstore.config.user_cfg import UserConfig, UserFile
from pbstore.errors import ConnectionFailedError, ServerError
from pbstore.model.auth_id import AuthId
from pbstore.server.control_socket import control_socket
from unit.server.application_site import Site


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Longer than the address of a socket may be."""
    directory = tmp_path / ("d" * 120)
    directory.mkdir()
    return directory / "control.sock"


@pytest.fixture
def local(site: Site, path: Path) -> Iterator[LocalServer]:
    with control_socket(site.application, path):
        yield LocalServer(path)


def test_the_caller_is_root(site: Site, local: LocalServer) -> None:
    assert local.get("version")["version"] == "4.2"
    assert [item["store"] for item in local.get("admin/datastore")] == ["main"]
    upid = local.post("admin/datastore/main/prune-datastore", {"keep-last": 1, "dry-run": True})
    assert upid.endswith(":root@pam:")
    assert site.registry.tasks.wait_all(20)
    listed = local.get_envelope("nodes/localhost/tasks", {"typefilter": "prune"})
    assert (listed["total"], listed["data"][0]["upid"]) == (1, upid)
    assert local.delete(f"nodes/localhost/tasks/{upid}") is None
    assert site.access_log[0].startswith("local - root@pam [")


def test_it_needs_no_account_in_the_configuration(site: Site, local: LocalServer) -> None:
    with UserFile(site.roots).edit() as edit:
        edit.put_user(UserConfig(user=AuthId.parse("root@pam").user, enable=False))
    assert local.get("version")


def test_errors_are_those_of_the_api(local: LocalServer) -> None:
    with pytest.raises(ServerError, match="no such datastore 'none'") as caught:
        local.get("admin/datastore/none/status")
    assert caught.value.status == 400
    with pytest.raises(ServerError, match="not found") as caught:
        local.get("nope")
    assert caught.value.status == 404


def test_files_are_not_sent(site: Site, local: LocalServer) -> None:
    task = site.registry.tasks.open("gc", "main", AuthId.parse("root@pam"))
    task.finish()
    with pytest.raises(ServerError, match="ask for files over HTTPS"):
        local.get(f"nodes/localhost/tasks/{task.upid}/log", {"download": 1})


def test_large_bodies_are_refused(local: LocalServer) -> None:
    with pytest.raises((ServerError, ConnectionFailedError)):
        local.post("admin/datastore/main/prune-datastore", {"ns": "x" * (1 << 20)})
    assert local.get("version")


def test_only_the_owner_may_connect(local: LocalServer, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


STRANGER = """
import os, socket, sys
os.chdir(sys.argv[1])
os.setgid(65534)
os.setuid(65534)
client = socket.socket(socket.AF_UNIX)
client.connect("control.sock")
client.sendall(b"GET /api2/json/version HTTP/1.0\\r\\n\\r\\n")
print(client.recv(100))
"""


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_strangers_get_no_answer_even_if_they_can_connect(local: LocalServer, path: Path) -> None:
    path.chmod(0o666)
    for directory in (path.parent, path.parent.parent, path.parent.parent.parent):
        directory.chmod(0o755)
    command = [sys.executable, "-c", STRANGER, str(path.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout in ("", "b''\n"), done
    assert done.stdout or "BrokenPipeError" in done.stderr or "ConnectionResetError" in done.stderr, done


def test_a_dead_servers_socket_is_replaced_and_ours_is_removed(
    site: Site, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(path.name)
    dead.close()
    with pytest.raises(ConnectionFailedError, match="no server is running on .*: start it with 'pbstore serve'"):
        LocalServer(path).get("version")
    with control_socket(site.application, path):
        assert LocalServer(path).get("version")
    assert not path.exists()
    with pytest.raises(ConnectionFailedError, match="no server is running on"):
        LocalServer(path).get("version")
    with pytest.raises(ConnectionFailedError, match="no server is running on"):
        LocalServer(path.parent / "none" / "control.sock").get("version")


def test_an_answer_that_never_comes_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    monkeypatch.setattr("pbstore.client.local_server.TIMEOUT_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(path.name)
        silent.listen()
        with pytest.raises(ConnectionFailedError, match="does not answer"):
            LocalServer(path).get("version")
