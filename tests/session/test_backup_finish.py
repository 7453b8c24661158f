"""How a backup session ends: `finish`, and everything else (backup-protocol.md 2.8, protocol-transport.md 4.4)."""

import threading
from pathlib import Path

import pytest

from pbstore._core import open_blob, seal_blob
from pbstore.datastore.locks import lock_group, lock_snapshot
from pbstore.datastore.snapshots import is_finished
from pbstore.errors import DatastoreError
from pbstore.format.manifest import Manifest
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.namespace import Namespace
from session.session_script import (
    BOB,
    NOW,
    Calls,
    Made,
    Store,
    finish,
    first,
    then,
    upload_tree,
)

# finish (2.8)


def test_finish_needs_files(calls: Calls) -> None:
    assert calls.call("POST", "finish").text == "backup does not contain valid files (file count == 0)"


def test_finish_needs_a_manifest_and_can_be_repeated_with_one(store: Store, base: Made, calls: Calls) -> None:
    calls.blob("vm.conf.blob")
    assert "manifest" in calls.call("POST", "finish").text
    finish(calls, then(base.snapshot))
    assert is_finished(store.datastore, Namespace(), then(base.snapshot))


def test_finish_refuses_what_is_no_manifest(calls: Calls) -> None:
    calls.blob("index.json.blob", b"[]")
    assert calls.call("POST", "finish").status == 400


def test_finish_needs_the_base_to_be_there_still(store: Store, base: Made, calls: Calls) -> None:
    calls.blob("vm.conf.blob")
    calls.manifest(then(base.snapshot))
    directory = store.directory(base.snapshot)
    directory.rename(directory.with_name("gone"))
    assert "was removed meanwhile" in calls.call("POST", "finish").text


def test_the_manifest_appears_with_finish_and_not_before(store: Store, base: Made, calls: Calls) -> None:
    snapshot = then(base.snapshot)
    calls.manifest(snapshot, "vm.conf.blob")
    assert not is_finished(store.datastore, Namespace(), snapshot)
    assert calls.call("POST", "finish").data is None
    assert is_finished(store.datastore, Namespace(), snapshot)
    assert [path.name for path in store.directory(snapshot).iterdir()] == ["index.json.blob"]


def test_finish_adds_the_statistics_and_keeps_the_rest(store: Store, base: Made, calls: Calls) -> None:
    snapshot = then(base.snapshot)
    upload_tree(calls, base)
    manifest = Manifest(snapshot)
    manifest.unprotected["notes"] = "from another server"
    sealed = seal_blob(manifest.encode())
    calls.blob("index.json.blob", manifest.encode())
    calls.call("POST", "finish")
    stored = Manifest.parse(open_blob((store.directory(snapshot) / "index.json.blob").read_bytes()))
    assert stored.unprotected == {
        "notes": "from another server",
        "chunk_upload_stats": {"count": 0, "size": len(sealed), "compressed_size": 0, "duplicates": 0},
    }


@pytest.mark.parametrize(
    ("method", "path", "parameters"),
    [
        ("POST", "finish", {}),
        ("POST", "dynamic_index", {"archive-name": "a.pxar.didx"}),
        ("POST", "fixed_index", {"archive-name": "a.img.fidx", "size": 1}),
        ("PUT", "dynamic_index", {"wid": 1, "digest-list": [], "offset-list": []}),
        ("POST", "fixed_close", {"wid": 1, "chunk-count": 0, "size": 0, "csum": "00" * 32}),
    ],
)
def test_nothing_changes_after_finish(
    calls: Calls, base: Made, method: str, path: str, parameters: dict[str, object]
) -> None:
    finish(calls, then(base.snapshot))
    assert calls.call(method, path, parameters).text == "backup already in 'finished' state."
    assert calls.blob("late.blob").text == "backup already in 'finished' state."


# The end (protocol-transport.md 4.4)


def test_closing_after_finish_is_a_success_however_it_happens(base: Made, calls: Calls) -> None:
    calls.blob("vm.conf.blob")
    finish(calls, then(base.snapshot))
    calls.session.closed("connection reset")
    assert calls.log[-2:] == ["backup finished successfully", "TASK OK"]


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (None, "backup ended but finished state is not set."),
        ("broken pipe", "connection error: broken pipe"),
    ],
)
def test_closing_before_finish_removes_the_snapshot(
    store: Store, base: Made, calls: Calls, reason: str | None, error: str
) -> None:
    calls.call("POST", "dynamic_index", {"archive-name": "a.pxar.didx"})
    calls.manifest(then(base.snapshot))
    calls.session.closed(reason)
    assert not store.directory(then(base.snapshot)).exists()
    assert store.directory(base.snapshot).exists()
    assert calls.log[-3:] == [
        f"backup ended and finish failed: {error}",
        "removing unfinished backup",
        f"TASK ERROR: {error}",
    ]


def test_a_failed_first_backup_takes_the_empty_group_along(store: Store) -> None:
    snapshot = first(store)
    store.backup(snapshot).session.closed(None)
    assert not store.directory(snapshot).parent.exists()
    store.backup(snapshot, caller=BOB).session.closed(None)


def test_locks_are_free_after_a_failed_session(store: Store, base: Made, calls: Calls) -> None:
    calls.session.closed("reset")
    lock_snapshot(store.datastore, Namespace(), base.snapshot).release()
    store.backup(then(base.snapshot)).session.closed(None)


def test_an_aborted_session_says_so(calls: Calls) -> None:
    calls.task.request_abort()
    calls.session.closed("connection was broken")
    assert calls.log[-1] == "TASK ERROR: task aborted"


def test_nothing_works_after_the_end(calls: Calls) -> None:
    calls.session.closed(None)
    assert calls.blob("late.blob").text == "backup already in 'closed' state."


def test_a_benchmark_leaves_nothing_and_is_a_success(store: Store) -> None:
    snapshot = Snapshot(BackupGroup(BackupType.HOST, "benchmark"), NOW)
    calls = store.backup(snapshot, is_benchmark=True)
    calls.session.closed(None)
    assert not store.directory(snapshot).exists()
    assert calls.log[-1] == "TASK OK"


def test_a_failing_removal_is_the_tasks_error_and_frees_the_locks(
    store: Store, base: Made, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise DatastoreError(f"removing {path} failed: Input/output error")

    monkeypatch.setattr("pbstore.datastore.removal._remove_directory", refuse)
    calls.session.closed(None)
    monkeypatch.undo()
    assert calls.log[-1].startswith("TASK ERROR: removing unfinished backup failed: removing ")
    lock_group(store.datastore, Namespace(), base.snapshot.group).release()


def test_closing_waits_for_a_finish_that_runs(store: Store, base: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client drops the connection while its finish is still being written: the backup stays."""
    snapshot = then(base.snapshot)
    calls = store.backup(snapshot)
    calls.manifest(snapshot)
    started, go_on = threading.Event(), threading.Event()
    original = type(calls.session._place).publish  # type: ignore[union-attr]

    def slow_publish(*arguments: object) -> None:
        started.set()
        assert go_on.wait(10)
        original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(type(calls.session._place), "publish", slow_publish)  # type: ignore[union-attr]
    finishing = threading.Thread(target=lambda: calls.call("POST", "finish"))
    finishing.start()
    assert started.wait(10)
    assert calls.blob("late.blob").text == "backup already in 'finishing' state."
    closing = threading.Thread(target=lambda: calls.session.closed("reset"))
    closing.start()
    go_on.set()
    finishing.join(10)
    closing.join(10)
    assert is_finished(store.datastore, Namespace(), snapshot)
    assert calls.log[-1] == "TASK OK"
