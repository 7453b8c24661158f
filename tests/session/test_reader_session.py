"""Reader sessions call by call (reader-protocol.md)."""

import pytest

from pbstore.datastore.locks import lock_snapshot
from pbstore.datastore.removal import remove_snapshot
from pbstore.errors import DatastoreError, LockedError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace
from session.session_script import ALICE, NOW, Calls, Made, Store


@pytest.fixture
def base(store: Store) -> Made:
    return store.finished(Snapshot(store.new_group(), NOW))


@pytest.fixture
def calls(store: Store, base: Made) -> Calls:
    return store.reader(base.snapshot)


def test_root_lists_the_calls(calls: Calls) -> None:
    assert [item["subdir"] for item in calls.call("GET", "").data] == ["chunk", "download", "speedtest"]


@pytest.mark.parametrize("name", ["index.json.blob", "vm.conf.blob", "disk.img.fidx", "root.pxar.didx"])
def test_download_streams_the_file_as_it_is(store: Store, base: Made, calls: Calls, name: str) -> None:
    answer = calls.call("GET", "download", {"file-name": name})
    assert answer.headers == [("content-type", "application/octet-stream")]
    path = store.directory(base.snapshot) / name
    assert answer.file_size == path.stat().st_size
    assert f'download "{path}"' in calls.log


def test_files_outside_of_the_manifest_are_served_too(store: Store, base: Made, calls: Calls) -> None:
    (store.directory(base.snapshot) / "client.log.blob").write_bytes(b"x" * 20)
    assert calls.call("GET", "download", {"file-name": "client.log.blob"}).file_size == 20


def test_an_index_is_registered(calls: Calls) -> None:
    calls.call("GET", "download", {"file-name": "disk.img.fidx"})
    assert "register chunks in 'disk.img.fidx' as downloadable." in calls.log


@pytest.mark.parametrize(
    ("name", "status"),
    [("no.conf.blob", 404), ("no.img.fidx", 400), ("no.pxar.didx", 400), ("owner", 400), ("x.tmp_didx", 400)],
)
def test_what_is_not_there(calls: Calls, name: str, status: int) -> None:
    assert calls.call("GET", "download", {"file-name": name}).status == status


@pytest.mark.parametrize("name", ["../owner.blob", "a/b.blob", "%2e%2e", "", "x\0.blob"])
def test_names_are_no_paths(calls: Calls, name: str) -> None:
    assert calls.call("GET", "download", {"file-name": name}).status == 400


def test_errors_are_logged_and_do_not_end_the_session(calls: Calls) -> None:
    answer = calls.call("GET", "download", {"file-name": "no.conf.blob"})
    assert calls.log[-1] == f"GET /download: 404 Not Found: {answer.text}"
    assert calls.call("GET", "download", {"file-name": "vm.conf.blob"}).status == 200


def test_a_damaged_index_is_refused(store: Store, base: Made, calls: Calls) -> None:
    (store.directory(base.snapshot) / "disk.img.fidx").write_bytes(b"damaged")
    assert calls.call("GET", "download", {"file-name": "disk.img.fidx"}).status == 400


def test_the_snapshot_cannot_be_removed_meanwhile(store: Store, base: Made, calls: Calls) -> None:
    with pytest.raises(LockedError):
        remove_snapshot(store.datastore, Namespace(), base.snapshot)
    calls.session.closed(None)
    remove_snapshot(store.datastore, Namespace(), base.snapshot)


def test_readers_share_a_snapshot(store: Store, base: Made, calls: Calls) -> None:
    store.reader(base.snapshot).session.closed(None)
    calls.session.closed(None)
    lock_snapshot(store.datastore, Namespace(), base.snapshot).release()


def test_a_snapshot_that_is_not_there(store: Store, base: Made) -> None:
    with pytest.raises(DatastoreError, match="does not exist"):
        store.reader(Snapshot(base.snapshot.group, 99))


def test_a_running_backup_cannot_be_read(store: Store) -> None:
    snapshot = Snapshot(store.new_group(), NOW)
    backup = store.backup(snapshot)
    with pytest.raises(LockedError):
        store.reader(snapshot)
    backup.session.closed(None)


def test_the_owner_rule_for_callers_without_read(store: Store, base: Made) -> None:
    store.reader(base.snapshot, only_of=ALICE).session.closed(None)
    with pytest.raises(DatastoreError, match="owner check failed"):
        store.reader(base.snapshot, only_of=AuthId.parse("bob@pbs"))


@pytest.mark.parametrize(
    ("reason", "last"),
    [
        (None, ["reader finished successfully", "TASK OK"]),
        ("broken pipe", ["TASK ERROR: connection error: broken pipe"]),
    ],
)
def test_the_end(calls: Calls, reason: str | None, last: list[str]) -> None:
    calls.session.closed(reason)
    assert calls.log[-len(last) :] == last
