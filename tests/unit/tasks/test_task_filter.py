"""Which tasks a list shows (rest-api.md 8)."""

import pytest

from pbstore.model.auth_id import AuthId
from pbstore.model.upid import Upid
from pbstore.tasks.task_filter import TaskFilter, status_kind, store_of
from pbstore.tasks.task_log import TaskEnd

START = 1_700_000_000
OK = TaskEnd(START + 100, "OK")
WARNING = TaskEnd(START + 100, "WARNINGS: 2")
FAILED = TaskEnd(START + 100, "no space left")
DIED = TaskEnd(START + 100, "unknown")


def upid(worker_type: str = "backup", worker_id: str = "store1:vm/100", user: str = "john@pbs!tok") -> Upid:
    return Upid("pbs1", 1, 2, 3, START, worker_type, worker_id, AuthId.parse(user))


@pytest.mark.parametrize(
    ("filter", "shown"),
    [
        (TaskFilter(), [None, OK, WARNING, FAILED, DIED]),
        (TaskFilter(only_running=True), [None]),
        (TaskFilter(only_errors=True), [FAILED, DIED]),
        (TaskFilter(only_errors=True, only_running=True), []),
        (TaskFilter(status_kinds=frozenset({"ok"})), [OK]),
        (TaskFilter(status_kinds=frozenset({"warning", "error"})), [WARNING, FAILED]),
        (TaskFilter(status_kinds=frozenset({"unknown"})), [DIED]),
        (TaskFilter(since=START, until=START), [None, OK, WARNING, FAILED, DIED]),
        (TaskFilter(since=START + 1), []),
        (TaskFilter(until=START - 1), []),
        (TaskFilter(user="john"), [None, OK, WARNING, FAILED, DIED]),
        (TaskFilter(user="!tok"), [None, OK, WARNING, FAILED, DIED]),
        (TaskFilter(user="jane"), []),
        (TaskFilter(worker_type="ack"), [None, OK, WARNING, FAILED, DIED]),
        (TaskFilter(worker_type="verify"), []),
        (TaskFilter(store="store1"), [None, OK, WARNING, FAILED, DIED]),
        (TaskFilter(store="store"), []),
    ],
)
def test_filter(filter: TaskFilter, shown: list[TaskEnd | None]) -> None:
    assert [end for end in (None, OK, WARNING, FAILED, DIED) if filter.matches(upid(), end)] == shown


def test_older_ends_need_not_be_looked_at() -> None:
    assert TaskFilter(since=START + 101).ends_before(OK)
    assert not TaskFilter(since=START + 100).ends_before(OK)
    assert not TaskFilter().ends_before(OK)


@pytest.mark.parametrize(
    ("worker_type", "worker_id", "store"),
    [
        ("backup", "s:vm/100", "s"),
        ("verify", "s", "s"),
        ("verify_snapshot", "s:ns/a/vm/100/6553F100", "s"),
        ("verificationjob", "s:job", "s"),
        ("prune", "s:a/b:vm/100", "s"),
        ("syncjob", "remote:theirs:s:a:job", "s"),
        ("syncjob", "odd", None),
        ("sync", "s", None),
        ("reader", "s:vm/100/6553F100", None),
        ("create-datastore", "s", None),
        ("logrotate", "", None),
    ],
)
def test_store(worker_type: str, worker_id: str, store: str | None) -> None:
    assert store_of(upid(worker_type, worker_id)) == store


def test_kinds() -> None:
    assert [status_kind(end) for end in (OK, WARNING, FAILED, DIED)] == ["ok", "warning", "error", "unknown"]
