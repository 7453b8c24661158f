"""Backups, readers, removal and verification of one group at the same time, on a real server."""

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from e2e.backup_script import CHUNK_BYTES, PROTOCOLS, back_up, call, open_session, upload_image, upload_manifest
from e2e.task_site import GROUP, STORE, TaskSite
from http1_client import Answer as SessionAnswer
from http1_client import Http1Client
from pbstore._core import chunk_digest, seal_blob
from pbstore.model.backup import Snapshot
from running_server import Answer, RunningServer

pytestmark = pytest.mark.slow

CHUNKS = [b"first ".ljust(CHUNK_BYTES, b"."), b"the end"]
FIRST, SECOND, THIRD = (Snapshot(GROUP, 1_780_300_800 + number * 60) for number in range(3))


@pytest.fixture
def site(make_server: Callable[..., RunningServer], tmp_path: Path) -> TaskSite:
    """A server with one snapshot; its store has the directories that the chunks need."""
    made = TaskSite(make_server(), tmp_path / "main")
    for data in CHUNKS:
        chunk_path(made, data).parent.mkdir(exist_ok=True)
    made.server.start()
    session = open_session(made.server, "backup", FIRST, made.login())
    back_up(session, FIRST, CHUNKS)
    session.close()
    return made


def chunk_path(site: TaskSite, data: bytes) -> Path:
    digest = chunk_digest(data).hex()
    return site.store / ".chunks" / digest[:4] / digest


def ask(site: TaskSite, method: str, path: str, snapshot: Snapshot | None = None, **more: object) -> Answer:
    """Make a request about the group, or a snapshot of it."""
    parameters: dict[str, object] = {"backup-type": "vm", "backup-id": "100", **more}
    if snapshot is not None:
        parameters["backup-time"] = snapshot.backup_time
    return site.server.request(method, f"{STORE}/{path}", parameters, headers=site.login())


def refused_session(site: TaskSite, kind: str, snapshot: Snapshot) -> SessionAnswer:
    """Try to open a session, which the server refuses."""
    query = {"store": "main", "backup-type": "vm", "backup-id": "100", "backup-time": snapshot.backup_time}
    headers = {**site.login(), "connection": "upgrade", "upgrade": PROTOCOLS[kind]}
    with Http1Client(("127.0.0.1", site.server.port)) as client:
        return client.request("GET", f"/api2/json/{kind}?{urlencode(query)}", headers)


def verified(site: TaskSite) -> list[str]:
    """Verify everything, and return the log."""
    upid = site.start_task("verify", {"ignore-verified": 0})
    deadline = time.monotonic() + 30
    while not any(line.startswith("TASK ") for line in site.log(upid)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return site.log(upid)


def times(site: TaskSite) -> list[int]:
    return [item["backup-time"] for item in site.listed()]


def test_a_second_backup_is_refused_and_the_first_goes_on(site: TaskSite) -> None:
    session = open_session(site.server, "backup", SECOND, site.login())
    answer = refused_session(site, "backup", THIRD)
    assert answer.status == 400
    assert answer.body.decode() == "unable to acquire lock on backup group 'vm/100': it is in use by another task"
    back_up(session, SECOND, CHUNKS)
    session.close()
    assert times(site) == [FIRST.backup_time, SECOND.backup_time]


def test_a_running_backup_keeps_itself_and_what_it_builds_upon(site: TaskSite) -> None:
    """Prune, forget, removal of the group: none of them takes the running backup or its base away."""
    session = open_session(site.server, "backup", SECOND, site.login())
    csum = upload_image(session, CHUNKS)
    for method, path, snapshot in (
        ("DELETE", "groups", None),
        ("DELETE", "snapshots", FIRST),
        ("DELETE", "snapshots", SECOND),
    ):
        refused = ask(site, method, path, snapshot)
        assert (refused.status, "it is in use by another task" in refused.text) == (400, True), refused
    assert site.manager("prune", "main", "--keep-last", "1").exit_code == 0
    assert [item["keep"] for item in ask(site, "POST", "prune", None, **{"keep-last": 1}).data] == [True, True]
    upload_manifest(session, SECOND, sum(map(len, CHUNKS)), csum)
    assert call(session, "POST", "finish") is None
    session.close()
    assert times(site) == [FIRST.backup_time, SECOND.backup_time]
    assert verified(site)[-1] == "TASK OK"


def test_a_snapshot_that_is_read_is_not_forgotten(site: TaskSite) -> None:
    reader = open_session(site.server, "reader", FIRST, site.login())
    assert ask(site, "DELETE", "snapshots", FIRST).status == 400
    assert ask(site, "DELETE", "groups").status == 400
    assert reader.call("GET", "/download?file-name=disk.img.fidx").status == 200
    assert bytes(reader.call("GET", f"/chunk?digest={chunk_digest(CHUNKS[0]).hex()}").body) == seal_blob(CHUNKS[0])
    reader.close()
    deadline = time.monotonic() + 20
    while ask(site, "DELETE", "snapshots", FIRST).status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    answer = refused_session(site, "reader", FIRST)
    assert (answer.status, b"ENOENT: No such file or directory" in answer.body) == (400, True)
    assert not (site.store / "vm/100").exists()


def test_a_verification_during_an_upload_skips_what_is_not_finished(site: TaskSite) -> None:
    session = open_session(site.server, "backup", SECOND, site.login())
    csum = upload_image(session, CHUNKS)
    log = verified(site)
    assert log[-1] == "TASK OK"
    assert any(line.startswith(f"SKIPPED: verify main:{SECOND} - could not acquire snapshot lock: ") for line in log)
    upload_manifest(session, SECOND, sum(map(len, CHUNKS)), csum)
    assert call(session, "POST", "finish") is None
    session.close()
    assert verified(site)[-1] == "TASK OK"
    assert site.verified_count() == 2


def test_a_bad_chunk_is_healed_by_the_next_upload(site: TaskSite) -> None:
    """It is set aside, counts as missing from then on, and the upload of the same data makes both snapshots good."""
    path = chunk_path(site, CHUNKS[0])
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert verified(site)[-1] == "TASK ERROR: verification failed - please check the log for details"
    assert not path.exists()
    assert path.with_name(f"{path.name}.0.bad").exists()
    session = open_session(site.server, "backup", SECOND, site.login())
    assert call(session, "GET", "previous_backup_time") is None, "a failed snapshot is no base"
    back_up(session, SECOND, CHUNKS)
    session.close()
    assert path.read_bytes() == good
    assert verified(site)[-1] == "TASK OK"
    assert site.verified_count() == 2


def test_a_chunk_that_went_bad_during_an_upload_is_healed_by_it(site: TaskSite) -> None:
    """Set aside after the session has uploaded it, and uploaded again in the same session."""
    path = chunk_path(site, CHUNKS[0])
    session = open_session(site.server, "backup", SECOND, site.login())
    csum = upload_image(session, CHUNKS)
    path.write_bytes(b"damaged")
    assert verified(site)[-1].startswith("TASK ERROR: ")
    assert not path.exists()
    assert upload_image(session, CHUNKS) == csum
    upload_manifest(session, SECOND, sum(map(len, CHUNKS)), csum)
    assert call(session, "POST", "finish") is None
    session.close()
    assert verified(site)[-1] == "TASK OK"
