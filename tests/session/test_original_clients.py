"""What clients of release 4.2 need of our server, one test a requirement: C1 to C14 (version-4.md 0.1)."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import h2.settings
import pytest

from e2e.backup_script import PROTOCOLS, call, open_session
from http1_client import Http1Client
from http2_client import Http2Client
from pbstore._core import chunk_digest, seal_blob
from pbstore.datastore.locks import lock_snapshot
from pbstore.datastore.snapshots import is_finished
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from running_server import Answer, RunningServer
from session.session_script import (
    CHUNK_BYTES,
    ROOT,
    Calls,
    Made,
    Store,
    append,
    dynamic_csum,
    finish,
    first,
    known,
    then,
)

USER, PASSWORD = "archiver@pbs", "Archiver12345"
STORE = "/api2/json/admin/datastore/main"
SNAPSHOT = Snapshot.parse("host/elsa/2026-06-01T08:00:00Z")
GROUP: dict[str, object] = {"backup-type": "host", "backup-id": "elsa"}
TREE = b"a tree " * 100


@pytest.fixture
def served(make_server: Callable[..., RunningServer], tmp_path: Path) -> RunningServer:
    """A server with a small store, where a user may back up and nothing else."""
    server = make_server()
    store = tmp_path / "store"
    (store / ".chunks" / chunk_digest(TREE).hex()[:4]).mkdir(parents=True)
    (store / ".lock").touch()
    server.add_datastore("main", store)
    server.create_user(USER, PASSWORD)
    server.grant("/datastore/main", USER, "DatastoreBackup")
    server.start()
    return server


def ask(server: RunningServer, method: str, path: str, parameters: dict[str, object] | None = None) -> Answer:
    """Make a request as the user."""
    return server.request(method, f"{STORE}/{path}", parameters, headers=server.login(USER, PASSWORD))


def ask_json(server: RunningServer, path: str, body: dict[str, object], headers: dict[str, str]) -> Answer:
    """POST a JSON body."""
    sent = {**headers, "Content-Type": "application/json"}
    return server.request("POST", f"/api2/json/{path}", headers=sent, body=json.dumps(body).encode())


def upgrade(server: RunningServer, kind: str, snapshot: Snapshot, **more: str) -> Http2Client:
    """Open a session with more parameters than usual."""
    query = urlencode(
        {"store": "main", "backup-type": "host", "backup-id": snapshot.group.backup_id}
        | {"backup-time": snapshot.backup_time}
        | {name.replace("_", "-"): value for name, value in more.items()}
    )
    client = Http1Client(("127.0.0.1", server.port))
    headers = {**server.login(USER, PASSWORD), "connection": "upgrade", "upgrade": PROTOCOLS[kind]}
    answer = client.request("GET", f"/api2/json/{kind}?{query}", headers)
    assert answer.status == 101, answer
    return Http2Client(client.socket, early=client.rest())


def upload_blob(session: Http2Client, name: str, payload: bytes) -> None:
    blob = seal_blob(payload)
    answer = session.call("POST", f"/blob?file-name={name}&encoded-size={len(blob)}", blob)
    assert answer.status == 200, answer


def back_up_tree(session: Http2Client, snapshot: Snapshot) -> None:
    """A backup of `root.mpxar.didx` with one chunk."""
    wid = call(session, "POST", "dynamic_index", archive_name="root.mpxar.didx")
    digest, blob = chunk_digest(TREE).hex(), seal_blob(TREE)
    target = f"/dynamic_chunk?wid={wid}&digest={digest}&size={len(TREE)}&encoded-size={len(blob)}"
    assert session.call("POST", target, blob).status == 200
    call(session, "PUT", "dynamic_index", wid=wid, digest_list=[digest], offset_list=[0])
    csum = dynamic_csum([(len(TREE), bytes.fromhex(digest))])
    call(session, "POST", "dynamic_close", wid=wid, chunk_count=1, size=len(TREE), csum=csum)
    upload_blob(session, "index.json.blob", Manifest(snapshot).encode())
    call(session, "POST", "finish")


def then_on(snapshot: Snapshot) -> Snapshot:
    return Snapshot(snapshot.group, snapshot.backup_time + 60)


def test_c1_login_with_a_json_body(served: RunningServer) -> None:
    """The ticket is in the body, and no cookie is set."""
    answer = ask_json(served, "access/ticket", {"username": USER, "password": PASSWORD}, {})
    assert answer.status == 200
    assert answer.data["ticket"].startswith(f"PBS:{USER}:")
    assert "set-cookie" not in answer.headers


def test_c2_both_cookie_names_and_the_host_one_wins(served: RunningServer) -> None:
    ticket = served.login(USER, PASSWORD)["Cookie"].partition("=")[2]
    for cookie, status in (
        (f"PBSAuthCookie={ticket}", 200),
        (f"__Host-PBSAuthCookie={ticket}", 200),
        (f"PBSAuthCookie=garbage; __Host-PBSAuthCookie={ticket}", 200),
        (f"PBSAuthCookie={ticket}; __Host-PBSAuthCookie=garbage", 401),
    ):
        assert served.request("GET", "/api2/json/version", headers={"Cookie": cookie}).status == status, cookie


def test_c3_no_cache_is_accepted(served: RunningServer) -> None:
    session = upgrade(served, "backup", SNAPSHOT, no_cache="true", debug="true")
    assert call(session, "GET", "previous_backup_time") is None
    session.close()


def test_c4_a_fixed_index_may_come_without_size(calls: Calls, base: Made) -> None:
    """An image read from a pipe."""
    known(calls, "disk.img.fidx")
    wid = calls.call("POST", "fixed_index", {"archive-name": "pipe.img.fidx"}).data
    append(calls, "fixed", wid, [(0, base.image[0]), (CHUNK_BYTES, base.image[1])])
    closing = {"wid": wid, "chunk-count": 2, "size": 2 * CHUNK_BYTES, "csum": base.image_csum}
    assert calls.call("POST", "fixed_close", closing).data is None


def test_c5_a_reader_session_on_the_base_while_the_backup_runs(served: RunningServer) -> None:
    """Metadata mode reads the previous snapshot over a second connection, with the right to back up alone."""
    login = served.login(USER, PASSWORD)
    session = open_session(served, "backup", SNAPSHOT, login)
    back_up_tree(session, SNAPSHOT)
    session.close()
    running = open_session(served, "backup", then_on(SNAPSHOT), login)
    reader = open_session(served, "reader", SNAPSHOT, login)
    assert reader.call("GET", "/download?file-name=root.mpxar.didx").status == 200
    assert bytes(reader.call("GET", f"/chunk?digest={chunk_digest(TREE).hex()}").body) == seal_blob(TREE)
    reader.close()
    back_up_tree(running, then_on(SNAPSHOT))
    running.close()


def test_c6_lists_may_be_longer_than_64(calls: Calls, base: Made) -> None:
    """An injection adds up to 128 known chunks at once to 63 pending ones."""
    known(calls, "root.pxar.didx")
    wid = calls.call("POST", "dynamic_index", {"archive-name": "a.ppxar.didx"}).data
    length = base.tree_lengths[0]
    append(calls, "dynamic", wid, [(number * length, base.tree[0]) for number in range(191)])
    csum = dynamic_csum((length, base.tree[0]) for _ in range(191))
    closing = {"wid": wid, "chunk-count": 191, "size": 191 * length, "csum": csum}
    assert calls.call("POST", "dynamic_close", closing).data is None


@pytest.fixture
def split_base(store: Store) -> Made:
    """A finished snapshot with a split archive."""
    base = store.finished(first(store))
    directory = store.directory(base.snapshot)
    for name in ("root.ppxar.didx", "root.mpxar.didx"):
        (directory / name).write_bytes((directory / "root.pxar.didx").read_bytes())
    return base


def test_c7_injected_chunks_are_known_by_the_previous_payload_index(store: Store, split_base: Made) -> None:
    """Digests and lengths come from the previous `.ppxar.didx` alone."""
    calls = store.backup(then(split_base.snapshot))
    known(calls, "root.ppxar.didx")
    wid = calls.call("POST", "dynamic_index", {"archive-name": "root.ppxar.didx"}).data
    append(calls, "dynamic", wid, [(0, split_base.tree[1])])
    csum = dynamic_csum([(split_base.tree_lengths[1], split_base.tree[1])])
    closing = {"wid": wid, "chunk-count": 1, "size": split_base.tree_lengths[1], "csum": csum}
    assert calls.call("POST", "dynamic_close", closing).data is None


@pytest.mark.parametrize("name", ["root.mpxar.didx", "root.ppxar.didx"])
def test_c8_both_halves_of_a_split_archive_can_be_fetched(store: Store, split_base: Made, name: str) -> None:
    size = (store.directory(split_base.snapshot) / name).stat().st_size
    calls, reader = store.backup(then(split_base.snapshot)), store.reader(split_base.snapshot)
    assert calls.call("GET", "previous", {"archive-name": name}).file_size == size
    assert reader.call("GET", "download", {"file-name": name}).file_size == size


def test_c9_a_finished_snapshot_lists_its_manifest(served: RunningServer) -> None:
    login = served.login(USER, PASSWORD)
    session = open_session(served, "backup", SNAPSHOT, login)
    back_up_tree(session, SNAPSHOT)
    session.close()
    running = open_session(served, "backup", then_on(SNAPSHOT), login)
    files = {
        item["backup-time"]: {file["filename"] for file in item["files"]}
        for item in ask(served, "GET", "snapshots", GROUP).data
    }
    assert "index.json.blob" in files[SNAPSHOT.backup_time]
    assert "index.json.blob" not in files[then_on(SNAPSHOT).backup_time]
    running.close()


def test_c10_the_empty_namespace_is_the_root(served: RunningServer) -> None:
    served.grant("/datastore/main", USER, "DatastoreAdmin")
    login = served.login(USER, PASSWORD)
    assert ask_json(served, "admin/datastore/main/namespace", {"parent": "", "name": "x"}, login).data == "x"
    for path in ("groups", "snapshots"):
        assert ask(served, "GET", path, {"ns": ""}).data == []
    assert {item["ns"] for item in ask(served, "GET", "namespace", {"parent": ""}).data} == {"", "x"}


def test_c11_groups_and_namespaces_can_be_moved(served: RunningServer) -> None:
    """The identity of the server is told too."""
    served.grant("/datastore/main", USER, "DatastoreAdmin")
    login = served.login(USER, PASSWORD)
    session = open_session(served, "backup", SNAPSHOT, login)
    back_up_tree(session, SNAPSHOT)
    session.close()
    for name in ("one", "two"):
        assert ask(served, "POST", "namespace", {"name": name}).status == 200
    assert ask(served, "POST", "move-group", {**GROUP, "target-ns": "one"}).status == 200
    wait_for_groups(served, "one", 1)
    assert ask(served, "POST", "move-namespace", {"ns": "one", "target-ns": "two/one"}).status == 200
    wait_for_groups(served, "two/one", 1)
    identity = served.request("GET", "/api2/json/nodes/localhost/identity", headers=login)
    assert len(bytes.fromhex(identity.data["pbs-instance-id"])) == 16


def wait_for_groups(server: RunningServer, namespace: str, count: int) -> None:
    """Wait for a task to have moved groups."""
    deadline = time.monotonic() + 20
    while True:
        answer = ask(server, "GET", "groups", {"ns": namespace})
        if answer.status == 200 and len(answer.data) == count:
            return
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)


def test_c12_a_missing_group_is_an_enoent(served: RunningServer) -> None:
    """Clients look for this text to print a short message."""
    served.grant("/datastore/main", USER, "DatastoreAdmin")
    for method, path in (("GET", "snapshots"), ("DELETE", "groups")):
        answer = ask(served, method, path, {"backup-type": "host", "backup-id": "nobody"})
        assert (answer.status, "ENOENT: No such file or directory" in answer.text) == (400, True), path


def test_c13_the_next_session_starts_when_finish_is_answered(served: RunningServer) -> None:
    """As push sync does: the connection of the first session is still open."""
    login = served.login(USER, PASSWORD)
    session = open_session(served, "backup", SNAPSHOT, login)
    back_up_tree(session, SNAPSHOT)
    following = open_session(served, "backup", then_on(SNAPSHOT), login)
    assert call(following, "GET", "previous_backup_time") == SNAPSHOT.backup_time
    for opened in (session, following):
        opened.close()


def test_c13_group_snapshot_and_base_are_free(store: Store, base: Made, calls: Calls) -> None:
    snapshot = then(base.snapshot)
    calls.blob("vm.conf.blob")
    finish(calls, snapshot)
    following = store.backup(then(snapshot))
    assert following.call("GET", "previous_backup_time").data == snapshot.backup_time
    lock_snapshot(store.datastore, ROOT, base.snapshot).release()
    following.session.closed(None)
    calls.session.closed(None)
    assert is_finished(store.datastore, ROOT, snapshot)


def test_c14_answers_and_settings_are_those_of_before(served: RunningServer) -> None:
    session = open_session(served, "backup", SNAPSHOT, served.login(USER, PASSWORD))
    answer = session.call("POST", "/finish", b"{}", content_type="application/json")
    assert answer.status == 400
    assert bytes(answer.body) == b"backup does not contain valid files (file count == 0)"
    codes = h2.settings.SettingCodes
    assert session.remote_settings[codes.INITIAL_WINDOW_SIZE] == 32 << 20
    assert session.remote_settings[codes.MAX_FRAME_SIZE] == 4 << 20
    assert session.remote_settings[codes.MAX_CONCURRENT_STREAMS] == 200
    upload_blob(session, "a.conf.blob", b"2xx with null")
    session.close()
