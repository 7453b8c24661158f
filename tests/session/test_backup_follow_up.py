"""What follows a finished backup, like its verification: after the locks are free, and never at its cost."""

from pbstore.datastore.locks import lock_group, lock_snapshot
from pbstore.errors import LockedError
from session.session_script import ROOT, Store, finish, first


def test_it_follows_finish_once_the_locks_are_free(store: Store) -> None:
    snapshot = first(store)
    seen: list[str] = []

    def follow_up() -> None:
        with lock_group(store.datastore, ROOT, snapshot.group), lock_snapshot(store.datastore, ROOT, snapshot):
            seen.append("free")

    calls = store.backup(snapshot, on_finished=follow_up)
    calls.blob("vm.conf.blob")
    assert seen == []
    finish(calls, snapshot)
    assert seen == ["free"]
    calls.session.closed(None)
    assert seen == ["free"]


def test_it_does_not_follow_a_backup_that_failed(store: Store) -> None:
    seen: list[str] = []
    calls = store.backup(first(store), on_finished=lambda: seen.append("never"))
    calls.blob("vm.conf.blob")
    calls.session.closed(None)
    assert seen == []


def test_its_failure_is_none_of_the_backup(store: Store) -> None:
    def fail() -> None:
        raise LockedError("all is busy")

    snapshot = first(store)
    calls = store.backup(snapshot, on_finished=fail)
    calls.blob("vm.conf.blob")
    finish(calls, snapshot)
    calls.session.closed(None)
    assert calls.task.end is not None
    assert calls.task.end.status == "OK"
    assert "cannot start what follows the backup: all is busy" in calls.log
