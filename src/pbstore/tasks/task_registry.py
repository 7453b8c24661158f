"""All tasks of this process: starting, finding, stopping them (tasks-and-jobs.md 3)."""

import logging
import os
import threading
import time
from collections.abc import Callable

from pbstore.access.clock import Clock
from pbstore.config.process_start import process_start
from pbstore.config.roots import Roots
from pbstore.errors import LockedError, NotFoundError, PbstoreError, system_error_text
from pbstore.model.auth_id import AuthId
from pbstore.model.upid import Upid
from pbstore.tasks.task_index import TaskIndex
from pbstore.tasks.task_log import TaskEnd, TaskLog, log_path
from pbstore.tasks.worker_task import WorkerTask

MAX_NAME_BYTES = 255
SHUTDOWN_PATIENCE_SECONDS = 30.0
_log = logging.getLogger(__name__)


class Tasks:
    """Starts tasks on threads of their own; `index` has also those of earlier and other processes."""

    def __init__(self, roots: Roots, node: str, clock: Clock = time.time):
        """Take over the lists on disk; tasks that a dead process left are finished.

        Raises:
            LockedError: another program holds the lists for too long.
        """
        self.index = TaskIndex(roots.tasks_dir)
        self._node = node
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[Upid, WorkerTask] = {}
        self._listing = threading.Lock()
        self._unlisted: dict[Upid, TaskEnd] = {}
        self._count = 0
        self._pid = os.getpid()
        self._process_start = process_start() or 0
        try:
            self.index.recover()
        except OSError as error:
            _log.warning("cannot note the end of tasks of an earlier server: %s", error)

    def open(self, worker_type: str, worker_id: str, auth_id: AuthId) -> WorkerTask:
        """Start a task whose work is done elsewhere: the caller must call its `finish`.

        Raises:
            PbstoreError: the id is too long for the name of a log, or log and lists cannot be written: a task that
                nobody could find or stop is not started.
            LockedError: another program holds the lists for too long.
        """
        with self._lock:
            task_id = self._count
            self._count += 1
        now = int(self._clock())
        upid = Upid(self._node, self._pid, self._process_start, task_id, now, worker_type, worker_id, auth_id)
        if len(str(upid)) > MAX_NAME_BYTES:
            raise PbstoreError(f"cannot start task '{worker_type}': its id {worker_id!r} is too long")
        try:
            return self._open(upid)
        except OSError as error:
            raise PbstoreError(f"cannot start task '{worker_type}': {system_error_text(error)}") from error

    def start(
        self, worker_type: str, worker_id: str, auth_id: AuthId, function: Callable[[WorkerTask], None]
    ) -> WorkerTask:
        """Run `function` as a task on a thread; an exception ends the task with its text.

        Raises:
            PbstoreError, LockedError: as `open`.
        """
        task = self.open(worker_type, worker_id, auth_id)
        threading.Thread(target=_run, args=(task, function), name=f"task {worker_type}", daemon=True).start()
        return task

    def run(self, worker_type: str, worker_id: str, auth_id: AuthId, function: Callable[[WorkerTask], None]) -> None:
        """Run `function` as a task in the calling thread; what it raises ends the task and is raised again.

        Raises:
            PbstoreError, LockedError: as `open`.
        """
        task = self.open(worker_type, worker_id, auth_id)
        try:
            function(task)
        except BaseException as error:
            task.finish(_message(error))
            raise
        task.finish()

    def running(self) -> list[WorkerTask]:
        """Return the running tasks of this process, in the order of their start."""
        with self._lock:
            return list(self._running.values())

    def get(self, upid: Upid) -> WorkerTask | None:
        """Return a running task of this process."""
        with self._lock:
            return self._running.get(upid)

    def abort(self, upid: Upid) -> None:
        """Ask a task to stop; nothing happens if it has ended.

        Raises:
            NotFoundError: there was never such a task.
        """
        task = self.get(upid)
        if task is not None:
            task.request_abort()
        elif not log_path(self.index.tasks_dir, upid).exists():
            raise NotFoundError(f"no such task '{upid}'")

    def wait_all(self, timeout_seconds: float) -> bool:
        """Wait for all running tasks; return whether they ended in time."""
        deadline = time.monotonic() + timeout_seconds
        return all(task.wait(max(0.0, deadline - time.monotonic())) for task in self.running())

    def shut_down(self, grace_seconds: float, patience_seconds: float = SHUTDOWN_PATIENCE_SECONDS) -> bool:
        """Let the running tasks end by themselves for a while, then ask them to stop; return whether all did."""
        if self.wait_all(grace_seconds):
            return True
        for task in self.running():
            task.request_abort("shutdown")
        return self.wait_all(patience_seconds)

    def _open(self, upid: Upid) -> WorkerTask:
        log = TaskLog(log_path(self.index.tasks_dir, upid), self._clock)
        task = WorkerTask(upid, log, self._clock, self._ended)
        with self._lock:
            self._running[upid] = task
        try:
            self.index.add(upid)
        except BaseException:
            with self._lock:
                del self._running[upid]
            log.remove()
            raise
        self._list_ended()
        return task

    def _ended(self, upid: Upid, end: TaskEnd) -> None:
        with self._lock:
            self._unlisted[upid] = end
        error = self._list_ended()
        if error is not None:
            _log.warning("cannot note the end of task '%s': %s", upid, error)
        with self._lock:
            self._running.pop(upid, None)

    def _list_ended(self) -> Exception | None:
        """Move what has ended to the finished tasks; what the disk refuses is returned, and tried again later."""
        with self._listing:
            with self._lock:
                unlisted = dict(self._unlisted)
            for upid, end in unlisted.items():
                try:
                    self.index.finish(upid, end)
                except (OSError, LockedError) as error:
                    return error
                with self._lock:
                    del self._unlisted[upid]
        return None


def _run(task: WorkerTask, function: Callable[[WorkerTask], None]) -> None:
    try:
        function(task)
    except Exception as error:  # whatever a task fails with belongs into its log: nobody else sees it
        task.finish(_message(error))
    else:
        task.finish()


def _message(error: BaseException) -> str:
    return str(error) or type(error).__name__
