"""The life of a task: log, warnings, abort, end, and what a crash leaves (tasks-and-jobs.md 3)."""

import re
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pbstore.config.process_start import process_start
from pbstore.config.roots import Roots
from pbstore.errors import NotFoundError, PbstoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.upid import Upid
from pbstore.tasks.task_log import TaskEnd, log_path, read_end, read_log
from pbstore.tasks.task_registry import Tasks
from pbstore.tasks.worker_task import WorkerTask

JOHN = AuthId.parse("john@pbs")
NOW = 1_700_000_000
TIME = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}: "


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    return Roots.below(tmp_path)


@pytest.fixture
def tasks(roots: Roots) -> Tasks:
    return Tasks(roots, "pbs1", lambda: NOW)


def texts(tasks: Tasks, upid: Upid) -> list[str]:
    _, lines = read_log(log_path(tasks.index.tasks_dir, upid), 0, None)
    assert all(re.match(TIME, line) for line in lines)
    return [line[27:] for line in lines]


def test_a_task_from_start_to_end(tasks: Tasks, roots: Roots) -> None:
    task = tasks.open("backup", "store1:vm/100", JOHN)
    task.log("hello")
    assert tasks.index.running() == [task.upid]
    assert tasks.get(task.upid) is task
    assert (roots.tasks_dir / "active").read_text() == f"{task.upid}\n"
    task.finish()
    task.finish("too late")
    task.log("too late")
    assert texts(tasks, task.upid) == ["hello", "TASK OK"]
    assert tasks.index.running() == []
    assert tasks.running() == []
    assert (roots.tasks_dir / "active").read_text() == ""
    assert (roots.tasks_dir / "archive").read_text() == f"{task.upid} 6553F100 OK\n"
    assert tasks.index.end(task.upid) == task.end == TaskEnd(NOW, "OK")


def test_where_the_log_lies(tasks: Tasks, roots: Roots) -> None:
    task = tasks.open("gc", "", JOHN)
    task.finish()
    start = process_start()
    assert start is not None
    path = roots.tasks_dir / f"{start & 255:02X}" / str(task.upid)
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.parent.stat().st_mode & 0o777 == 0o755


def test_warnings(tasks: Tasks) -> None:
    task = tasks.open("gc", "store1", JOHN)
    task.warn("odd")
    task.warn("odder")
    task.finish()
    assert texts(tasks, task.upid) == ["odd", "odder", "TASK WARNINGS: 2"]
    assert tasks.index.end(task.upid) == TaskEnd(NOW, "WARNINGS: 2")
    assert task.end
    assert task.end.is_success


def test_failure_of_a_function(tasks: Tasks) -> None:
    def fail(task: WorkerTask) -> None:
        task.warn("odd")
        raise PbstoreError("no\nspace")

    task = tasks.start("gc", "store1", JOHN, fail)
    assert task.wait(10)
    assert texts_with_newlines(tasks, task.upid).endswith(": TASK ERROR: no\nspace\n")
    assert [end.end.status for end in tasks.index.finished()] == ["no space"]
    assert task.end
    assert not task.end.is_success


def texts_with_newlines(tasks: Tasks, upid: Upid) -> str:
    return log_path(tasks.index.tasks_dir, upid).read_text()


def test_abort(tasks: Tasks) -> None:
    started = threading.Event()
    woken = threading.Event()

    def work(task: WorkerTask) -> None:
        task.on_abort(woken.set)
        started.set()
        assert woken.wait(10)
        task.check_abort()

    task = tasks.start("verify", "store1", JOHN, work)
    assert started.wait(10)
    tasks.abort(task.upid)
    assert task.wait(10)
    assert texts(tasks, task.upid) == ["received abort request ...", "TASK ERROR: abort requested - aborting task"]
    tasks.abort(task.upid)
    late = threading.Event()
    task.on_abort(late.set)
    assert late.is_set()


def test_a_task_in_the_calling_thread(tasks: Tasks) -> None:
    tasks.run("prune", "store1:", JOHN, lambda task: task.log("here"))

    def fail(task: WorkerTask) -> None:
        raise PbstoreError("no")

    with pytest.raises(PbstoreError, match="no"):
        tasks.run("prune", "store1:", JOHN, fail)
    assert [task.end.status for task in tasks.index.finished()] == ["no", "OK"]


def test_the_end_of_the_server_stops_tasks_that_do_not_end_by_themselves(tasks: Tasks) -> None:
    stop = threading.Event()

    def work(task: WorkerTask) -> None:
        task.on_abort(stop.set)
        assert stop.wait(20)
        task.check_abort()

    task = tasks.start("verify", "store1", JOHN, work)
    assert tasks.shut_down(0.05)
    assert texts(tasks, task.upid)[-2:] == [
        "received shutdown request ...",
        "TASK ERROR: shutdown requested - aborting task",
    ]
    deaf = tasks.open("verify", "store2", JOHN)
    assert not tasks.shut_down(0, 0.05)
    deaf.finish()
    assert tasks.shut_down(0)


def test_abort_of_what_never_was(tasks: Tasks) -> None:
    with pytest.raises(NotFoundError):
        tasks.abort(Upid("pbs1", 1, 2, 3, 4, "x", "", JOHN))


def test_many_threads_write_whole_lines_in_one_log_and_one_index(tasks: Tasks) -> None:
    def work(task: WorkerTask) -> None:
        for _ in range(20):
            task.log("x" * 1000)

    started = [tasks.start("gc", f"s{number}", JOHN, work) for number in range(20)]
    assert tasks.wait_all(60)
    assert sorted(str(end.upid) for end in tasks.index.finished()) == sorted(str(task.upid) for task in started)
    assert all(texts(tasks, task.upid) == ["x" * 1000] * 20 + ["TASK OK"] for task in started)


CRASH = """
import os, sys, pathlib
from pbstore.config.roots import Roots
from pbstore.model.auth_id import AuthId
from pbstore.tasks.task_registry import Tasks
tasks = Tasks(Roots.below(pathlib.Path(sys.argv[1])), "pbs1", lambda: 1600000000)
task = tasks.open("backup", "a", AuthId.parse("john@pbs"))
task.log("hello")
ended = tasks.open("backup", "b", AuthId.parse("john@pbs"))
ended._log.line("TASK ERROR: its own end")
print(task.upid, ended.upid)
sys.stdout.flush()
os._exit(1)
"""


def test_tasks_of_a_dead_program_are_finished_at_the_next_start(roots: Roots) -> None:
    result = subprocess.run(
        [sys.executable, "-c", CRASH, str(roots.base)], stdout=subprocess.PIPE, text=True, check=False
    )
    died, ended = map(Upid.parse, result.stdout.split())
    tasks = Tasks(roots, "pbs1", lambda: NOW)
    assert (roots.tasks_dir / "active").read_text() == ""
    assert {task.upid: task.end for task in tasks.index.finished()} == {
        died: TaskEnd(1600000000, "unknown"),
        ended: TaskEnd(1600000000, "its own end"),
    }
    assert tasks.index.end(died) == TaskEnd(1600000000, "unknown")
    Tasks(roots, "pbs1", lambda: NOW)
    assert (roots.tasks_dir / "archive").read_text().count("\n") == 2


def test_an_archive_with_rubbish_can_be_read(tasks: Tasks, roots: Roots) -> None:
    archive = roots.tasks_dir / "archive"
    good = "UPID:pbs1:00000C3F:00002A1B:{:08X}:6553F100:gc:s:root@pam: 6553F1FF WARNINGS: 3"
    lines = [good.format(number) for number in range(2000)]
    archive.write_text("\n".join([*lines[:1000], "rubbish", "", "x" * 200000, "UPID:x y z", *lines[1000:]]) + "\n")
    finished = list(tasks.index.finished())
    assert [task.upid.task_id for task in finished] == list(range(1999, -1, -1))
    assert finished[0].end == TaskEnd(0x6553F1FF, "WARNINGS: 3")


def test_reading_parts_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("".join(f"line {number}\n" for number in range(10)))
    assert read_log(path, 0, 2) == (10, ["line 0", "line 1"])
    assert read_log(path, 8, 50) == (10, ["line 8", "line 9"])
    assert read_log(path, 20, 50) == (10, [])
    assert read_log(path, 3, 0) == (10, [])
    with pytest.raises(NotFoundError):
        read_log(tmp_path / "none", 0, 1)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("2023-11-14T22:13:20+00:00: TASK OK\n", "OK"),
        ("2023-11-14T22:13:20+00:00: TASK WARNINGS: 2\n", "WARNINGS: 2"),
        ("x" * 20000 + "\n2023-11-14T22:13:20+00:00: TASK ERROR: a: b\nsecond line\n", "a: b"),
        ("2023-11-14T22:13:20+00:00: TASK OK\n2023-11-14T22:13:20+00:00: more\n", "unknown"),
        ("2023-11-14T22:13:20+00:00: hello\n", "unknown"),
    ],
)
def test_the_end_of_a_log(tmp_path: Path, content: str, status: str) -> None:
    (tmp_path / "log").write_text(content)
    assert read_end(tmp_path / "log") == TaskEnd(NOW, status)
    assert read_end(tmp_path / "none") is None


def test_ids_that_make_no_file_name(tasks: Tasks) -> None:
    with pytest.raises(PbstoreError, match="too long"):
        tasks.open("backup", "x" * 300, JOHN)
    assert tasks.running() == []


@contextmanager
def files_limited(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: the rest of a write is cut off, later ones are refused."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_log_without_room_loses_lines_and_no_work(tasks: Tasks, caplog: pytest.LogCaptureFixture) -> None:
    task = tasks.open("verify", "store1", JOHN)
    task.log("first")
    path = log_path(tasks.index.tasks_dir, task.upid)
    with files_limited(path.stat().st_size + 41):
        task.log("a line that is cut off")
        task.log("lost")
        task.log("lost, too")
    task.log("last")
    task.finish()
    lines = path.read_text().splitlines()
    assert [line[27:] for line in lines] == ["first", "a line that is", "last", "TASK OK"]
    assert caplog.messages == [f"cannot write to the task log {path}: File too large"]
    assert tasks.index.end(task.upid) == TaskEnd(NOW, "OK")
