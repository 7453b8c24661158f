"""Opening a backup session and how its calls are routed (protocol-transport.md 4.2, backup-protocol.md 2)."""

import pytest

from pbstore.datastore.groups import read_owner
from pbstore.datastore.locks import lock_group, lock_snapshot
from pbstore.errors import DatastoreError, LockedError, NotFoundError, PbstoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.namespace import Namespace
from session.session_script import ALICE, BOB, NOW, TOKEN, Calls, Made, Store, first, then

# Opening (protocol-transport.md 4.2)


def test_a_new_group_belongs_to_the_caller_and_both_are_locked(store: Store) -> None:
    snapshot = first(store)
    calls = store.backup(snapshot)
    assert read_owner(store.datastore, Namespace(), snapshot.group) == ALICE
    assert store.directory(snapshot).is_dir()
    with pytest.raises(LockedError):
        lock_group(store.datastore, Namespace(), snapshot.group)
    with pytest.raises(LockedError):
        lock_snapshot(store.datastore, Namespace(), snapshot, shared=True)
    calls.session.closed(None)


def test_an_unknown_namespace_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError, match=r"^namespace not found$"):
        store.backup(first(store), namespace=Namespace.parse("no/such"))


def test_a_second_backup_of_the_group_is_refused(store: Store) -> None:
    snapshot = first(store)
    calls = store.backup(snapshot)
    with pytest.raises(LockedError, match=str(snapshot.group)):
        store.backup(then(snapshot))
    calls.session.closed(None)


@pytest.mark.parametrize(
    ("owner", "caller", "allowed"),
    [(ALICE, ALICE, True), (TOKEN, ALICE, True), (ALICE, TOKEN, False), (ALICE, BOB, False), (TOKEN, TOKEN, True)],
)
def test_owner_rule(store: Store, owner: AuthId, caller: AuthId, allowed: bool) -> None:
    base = store.finished(first(store), owner=owner)
    if allowed:
        store.backup(then(base.snapshot), caller=caller).session.closed(None)
        assert read_owner(store.datastore, Namespace(), base.snapshot.group) == owner
    else:
        with pytest.raises(DatastoreError, match=rf"^backup owner check failed \({caller} != {owner}\)$"):
            store.backup(then(base.snapshot), caller=caller)


@pytest.mark.parametrize("seconds", [0, -60])
def test_the_backup_must_be_newer_than_the_last(store: Store, base: Made, seconds: int) -> None:
    with pytest.raises(DatastoreError, match=r"^backup timestamp is older than last backup\.$"):
        store.backup(then(base.snapshot, seconds))


def test_a_refused_session_leaves_no_lock(store: Store, base: Made) -> None:
    with pytest.raises(DatastoreError):
        store.backup(then(base.snapshot, -60))
    store.backup(then(base.snapshot)).session.closed(None)


def test_a_last_backup_that_failed_verification_counts_as_none(store: Store) -> None:
    base = store.finished(first(store), verify_state={"state": "failed", "upid": "UPID:x"})
    calls = store.backup(then(base.snapshot, -60))
    assert calls.call("GET", "previous_backup_time").data is None
    calls.session.closed(None)


def test_an_unreadable_last_manifest_refuses_the_backup(store: Store, base: Made) -> None:
    (store.directory(base.snapshot) / "index.json.blob").write_bytes(b"damaged")
    with pytest.raises(PbstoreError):
        store.backup(then(base.snapshot))


def test_the_last_backup_is_share_locked(store: Store, base: Made, calls: Calls) -> None:
    with pytest.raises(LockedError):
        lock_snapshot(store.datastore, Namespace(), base.snapshot)
    lock_snapshot(store.datastore, Namespace(), base.snapshot, shared=True).release()
    calls.session.closed(None)
    lock_snapshot(store.datastore, Namespace(), base.snapshot).release()


def test_a_session_counts_as_writer_of_the_store(store: Store) -> None:
    calls = store.backup(first(store), now=NOW - 5)
    assert store.datastore.process_lock.oldest_writer is not None
    assert store.datastore.process_lock.oldest_writer <= NOW - 5
    calls.session.closed(None)


@pytest.mark.parametrize(
    ("group", "is_benchmark"),
    [(BackupGroup(BackupType.HOST, "benchmark"), False), (BackupGroup(BackupType.HOST, "other"), True)],
)
def test_benchmarks_have_a_group_of_their_own(store: Store, group: BackupGroup, is_benchmark: bool) -> None:
    with pytest.raises(PbstoreError, match="host/benchmark"):
        store.backup(Snapshot(group, NOW), is_benchmark=is_benchmark)


def test_a_backup_time_far_in_the_future_is_refused(store: Store) -> None:
    group = store.new_group()
    with pytest.raises(PbstoreError, match="601 seconds ahead of the server's clock"):
        store.backup(Snapshot(group, NOW + 601))
    store.backup(Snapshot(group, NOW + 600)).session.closed(None)


# GET / and routing


def test_root_lists_the_calls(calls: Calls) -> None:
    assert [item["subdir"] for item in calls.call("GET", "").data] == [
        "blob",
        "dynamic_chunk",
        "dynamic_close",
        "dynamic_index",
        "finish",
        "fixed_chunk",
        "fixed_close",
        "fixed_index",
        "previous",
        "previous_backup_time",
        "speedtest",
    ]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "nope"), ("GET", "finish"), ("POST", "previous"), ("PUT", "blob")]
)
def test_unknown_paths_and_wrong_methods_are_404(calls: Calls, method: str, path: str) -> None:
    answer = calls.call(method, path)
    assert (answer.status, answer.text) == (404, f"Path '/{path}' not found.")


def test_errors_have_plain_text_and_no_content_type_and_are_logged(calls: Calls) -> None:
    answer = calls.call("POST", "dynamic_index", {"archive-name": "x.didx", "bogus": 1})
    assert (answer.status, answer.headers) == (400, [])
    assert answer.text == "parameter verification failed - 'bogus': schema does not allow additional properties."
    assert calls.log[-1] == f"POST /dynamic_index: 400 Bad Request: {answer.text}"


def test_a_client_cannot_make_up_log_lines(calls: Calls) -> None:
    calls.call("POST", "dynamic_index", {"archive-name": "x.didx", "a\nTASK OK": 1})
    assert "TASK OK" not in calls.log


def test_debug_logs_every_call(store: Store) -> None:
    calls = store.backup(first(store), debug=True)
    calls.call("GET", "previous_backup_time")
    assert "GET /previous_backup_time" in calls.log
    calls.session.closed(None)
