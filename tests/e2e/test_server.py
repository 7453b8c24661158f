"""`pbstore serve` as a process: start, logins, sessions, ends of every kind."""

import ctypes
import hashlib
import os
import shutil
import signal
import ssl
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.backup_script import CHUNK_BYTES, back_up, call, open_session, upload_image, upload_manifest
from pbstore._core import FixedIndex, open_blob
from pbstore.datastore.creation import create_datastore
from pbstore.model.backup import Snapshot
from pbstore.tasks.task_index import TaskIndex
from running_server import RunningServer, token_header

pytestmark = pytest.mark.slow

PASSWORD = "Archiver12345"
NOW = int(time.time())
SNAPSHOT = Snapshot.parse("host/elsa/2026-06-01T08:00:00Z")
CHUNKS = [bytes([7]) * CHUNK_BYTES, os.urandom(1 << 20)]
MakeServer = Callable[..., RunningServer]


@pytest.fixture(scope="module")
def store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all tests, as making it takes seconds."""
    path = tmp_path_factory.mktemp("store") / "main"
    create_datastore(path, [])
    return path


@pytest.fixture
def archive(server: RunningServer, store_path: Path) -> Iterator[RunningServer]:
    """A running server that learns of its user and store only now; the store has no backups."""
    server.add_datastore("main", store_path)
    server.create_user("archiver@pbs", PASSWORD)
    server.grant("/datastore/main", "archiver@pbs", "DatastoreBackup")
    yield server
    server.stop(signal.SIGKILL)
    shutil.rmtree(store_path / "host", ignore_errors=True)


def login(server: RunningServer) -> dict[str, str]:
    return server.login("archiver@pbs", PASSWORD)


def directory(store_path: Path, snapshot: Snapshot = SNAPSHOT) -> Path:
    return store_path / str(snapshot)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


# Start and end


def test_the_first_start_makes_everything_and_the_next_keeps_it(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "fresh")
    server.start()
    fingerprint = server.fingerprint
    pem = ssl.get_server_certificate(("127.0.0.1", server.port))
    assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() == fingerprint.replace(":", "")
    config_dir = server.roots.config_dir
    assert stat.S_IMODE(config_dir.stat().st_mode) == 0o700
    assert {path.name for path in config_dir.iterdir()} >= {
        "authkey.key",
        "authkey.pub",
        "csrf.key",
        "proxy.key",
        "proxy.pem",
    }
    assert server.request("GET", "/api2/json/ping").data == {"pong": True}
    assert server.stop(signal.SIGTERM) == 0
    server.start()
    assert server.fingerprint == fingerprint
    assert server.stop(signal.SIGINT) == 0
    assert server.log.read_text() == ""


def test_a_signal_ends_the_server_whichever_thread_takes_it(server: RunningServer) -> None:
    threads = sorted(int(path.name) for path in Path(f"/proc/{server.pid}/task").iterdir())
    other = next(thread for thread in threads if thread != server.pid)
    assert ctypes.CDLL(None, use_errno=True).tgkill(server.pid, other, signal.SIGTERM) == 0
    assert server.wait() == 0


def run_to_the_end(server: RunningServer, *options: str) -> tuple[int, str]:
    """Start a server that cannot run; its exit code and what it said."""
    process = server.spawn(*options)
    output, _ = process.communicate(timeout=20)
    assert output == ""
    return process.returncode, server.log.read_text()


def test_a_second_server_on_the_same_directories(server: RunningServer) -> None:
    code, said = run_to_the_end(server, "--listen", "127.0.0.1:0")
    assert code == 255
    assert said == f"Error: a server is already running on {server.roots.run_dir} (process {server.pid})\n"


def test_a_port_that_is_taken(server: RunningServer, make_server: MakeServer) -> None:
    code, said = run_to_the_end(make_server("other"), "--listen", f"127.0.0.1:{server.port}")
    assert code == 255
    assert said.startswith(f"Error: cannot listen on 127.0.0.1 port {server.port}: ")
    assert said.endswith("; choose another with --listen ADDR:PORT\n")
    assert said.count("\n") == 1


def test_a_bad_address(make_server: MakeServer) -> None:
    code, said = run_to_the_end(make_server(), "--listen", "nowhere:x")
    assert (code, said.count("\n")) == (255, 1)
    assert said.startswith("Error: invalid listen address 'nowhere:x'")


def test_a_broken_key_is_named(make_server: MakeServer) -> None:
    server = make_server()
    (server.roots.config_dir / "authkey.key").write_text("no key")
    code, said = run_to_the_end(server, "--listen", "127.0.0.1:0")
    assert (code, said.count("\n")) == (255, 1)
    assert "authkey.key" in said


def test_a_store_that_another_server_has_is_refused_with_its_pid(
    archive: RunningServer, make_server: MakeServer
) -> None:
    archive.request("GET", "/api2/json/admin/datastore/main/groups", headers=login(archive))
    other = make_server("other")
    (other.roots.config_dir / "datastore.cfg").write_bytes((archive.roots.config_dir / "datastore.cfg").read_bytes())
    other.create_user("archiver@pbs", PASSWORD)
    other.grant("/datastore/main", "archiver@pbs", "DatastoreBackup")
    other.start()
    answer = other.request("GET", "/api2/json/admin/datastore/main/groups", headers=login(other))
    assert answer.status == 400
    assert f"in use by process {archive.pid}" in answer.text


# Requests


def test_logins_over_the_wire(archive: RunningServer) -> None:
    assert archive.request("GET", "//api2/json/version?", headers=login(archive)).status == 200
    parameters = {"username": "archiver@pbs", "password": PASSWORD}
    assert archive.request("POST", "//api2/json/access/ticket", parameters).data["username"] == "archiver@pbs"
    secret = archive.create_token("archiver@pbs!tok")
    headers = token_header("archiver@pbs!tok", secret)
    assert archive.request("GET", "/api2/json/admin/datastore", headers=headers).data == []
    archive.grant("/datastore/main", "archiver@pbs!tok", "DatastoreBackup")
    (item,) = archive.request("GET", "/api2/json/admin/datastore", headers=headers).data
    assert item["store"] == "main"
    assert " - archiver@pbs!tok [" in archive.roots.access_log.read_text()


def test_refusals_wait(archive: RunningServer) -> None:
    start = time.monotonic()
    answer = archive.request("POST", "/api2/json/access/ticket", {"username": "archiver@pbs", "password": "wrong"})
    assert (answer.status, answer.text) == (401, "permission check failed.")
    assert time.monotonic() - start >= 3
    start = time.monotonic()
    archive.create_user("nobody@pbs", "Nobody12345")
    headers = archive.login("nobody@pbs", "Nobody12345")
    answer = archive.request("GET", "/api2/json/admin/datastore/main/groups", headers=headers)
    assert answer.status == 403
    assert time.monotonic() - start >= 0.5


@pytest.mark.parametrize("facts", [{"enable": False}, {"expire": 1}])
def test_users_who_are_disabled_or_expired(server: RunningServer, facts: dict[str, object]) -> None:
    server.create_user("off@pbs", PASSWORD, **facts)  # type: ignore[arg-type]
    answer = server.request("POST", "/api2/json/access/ticket", {"username": "off@pbs", "password": PASSWORD})
    assert answer.status == 401


def test_secrets_reach_no_log(archive: RunningServer) -> None:
    secret = archive.create_token("archiver@pbs!tok")
    archive.request("GET", "/api2/json/version", headers=token_header("archiver@pbs!tok", secret))
    ticket = login(archive)["Cookie"].partition("::")[2]
    archive.request("GET", f"/api2/json/access/ticket?password={PASSWORD}", headers=login(archive))
    logs = "".join(path.read_text() for path in (archive.log, archive.roots.access_log, archive.roots.auth_log))
    for hidden in (secret, ticket, PASSWORD):
        assert hidden not in logs


# Sessions


def test_a_backup_is_listed_and_read_back(archive: RunningServer, store_path: Path) -> None:
    headers = login(archive)
    session = open_session(archive, "backup", SNAPSHOT, headers)
    back_up(session, SNAPSHOT, CHUNKS)
    session.close()
    (item,) = archive.request("GET", "/api2/json/admin/datastore/main/snapshots", headers=headers).data
    assert (item["backup-id"], item["owner"]) == ("elsa", "archiver@pbs")
    assert {file["filename"] for file in item["files"]} == {"disk.img.fidx", "index.json.blob"}
    reader = open_session(archive, "reader", SNAPSHOT, headers)
    index = FixedIndex.parse(bytes(reader.call("GET", "/download?file-name=disk.img.fidx").body))
    for number, data in enumerate(CHUNKS):
        blob = reader.call("GET", f"/chunk?digest={index.digest(number).hex()}").body
        assert open_blob(bytes(blob)) == data
    reader.close()
    wait_until(lambda: "TASK OK" in archive.task_logs("reader")[-1])
    wait_until(lambda: "TASK OK" in archive.task_logs("backup")[-1])
    log = archive.task_logs("backup")[-1]
    assert "starting new backup on datastore 'main' from 127.0.0.1: \"host/elsa/2026-06-01T08:00:00Z\"" in log
    assert "Upload size: 5242880 (100%)" in log
    download = archive.request(
        "GET",
        "/api2/json/admin/datastore/main/download",
        {
            "backup-type": "host",
            "backup-id": "elsa",
            "backup-time": SNAPSHOT.backup_time,
            "file-name": "disk.img.fidx",
        },
        headers=headers,
    )
    assert download.body == (directory(store_path) / "disk.img.fidx").read_bytes()


def test_a_dropped_connection_leaves_nothing(archive: RunningServer, store_path: Path) -> None:
    session = open_session(archive, "backup", SNAPSHOT, login(archive))
    upload_image(session, CHUNKS)
    session.close()
    wait_until(lambda: not directory(store_path).parent.exists())
    wait_until(lambda: "TASK ERROR: " in archive.task_logs("backup")[-1])


def no_running_task(server: RunningServer) -> bool:
    return not TaskIndex(server.roots.tasks_dir).running()


@pytest.mark.parametrize("with_manifest", [False, True])
def test_kill_in_the_middle_of_a_backup(archive: RunningServer, store_path: Path, with_manifest: bool) -> None:
    """After the restart there is no such snapshot, no lock, no running task, and the next backup goes through."""
    headers = login(archive)
    earlier = Snapshot(SNAPSHOT.group, SNAPSHOT.backup_time - 60)
    session = open_session(archive, "backup", earlier, headers)
    back_up(session, earlier, CHUNKS)
    session.close()
    session = open_session(archive, "backup", SNAPSHOT, headers)
    csum = upload_image(session, CHUNKS)
    if with_manifest:
        upload_manifest(session, SNAPSHOT, sum(map(len, CHUNKS)), csum)
    call(session, "POST", "fixed_index", archive_name="open.img.fidx", size=1)
    archive.stop(signal.SIGKILL)
    session.close()
    assert directory(store_path).is_dir()
    archive.start()
    assert not directory(store_path).exists()
    assert no_running_task(archive)
    listed = archive.request("GET", "/api2/json/admin/datastore/main/snapshots", headers=headers).data
    assert [item["backup-time"] for item in listed] == [earlier.backup_time]
    again = open_session(archive, "backup", SNAPSHOT, headers)
    assert call(again, "GET", "previous_backup_time") == earlier.backup_time
    back_up(again, SNAPSHOT, CHUNKS)
    again.close()
    assert (directory(store_path) / "index.json.blob").is_file()


def test_kill_after_finish_keeps_the_backup(archive: RunningServer) -> None:
    headers = login(archive)
    session = open_session(archive, "backup", SNAPSHOT, headers)
    back_up(session, SNAPSHOT, CHUNKS)
    archive.stop(signal.SIGKILL)
    session.close()
    archive.start()
    (item,) = archive.request("GET", "/api2/json/admin/datastore/main/snapshots", headers=headers).data
    assert item["backup-time"] == SNAPSHOT.backup_time
    assert no_running_task(archive)


def test_an_orderly_end_breaks_sessions_after_the_grace(archive: RunningServer, store_path: Path) -> None:
    archive.stop()
    archive.start("--grace", "0.2")
    session = open_session(archive, "backup", SNAPSHOT, login(archive))
    upload_image(session, CHUNKS)
    assert archive.stop(signal.SIGTERM) == 0
    session.close()
    assert not directory(store_path).exists()
    assert "TASK ERROR: " in archive.task_logs("backup")[-1]
    assert no_running_task(archive)


def test_options_of_the_command(make_server: MakeServer) -> None:
    code, said = run_to_the_end(make_server(), "--bogus")
    assert code == 255
    assert "No such option" in said
    process = make_server("help").spawn("--help")
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "--listen ADDR:PORT" in output
