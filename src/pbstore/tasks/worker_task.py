"""A running task: its log, its warnings, its abort, its end (tasks-and-jobs.md 3)."""

import threading
from collections.abc import Callable
from typing import Literal

from pbstore.access.clock import Clock
from pbstore.errors import AbortedError
from pbstore.model.upid import Upid
from pbstore.tasks.task_log import TaskEnd, TaskLog, final_line

AbortCause = Literal["abort", "shutdown"]
"""Somebody wants this task to stop, or the server itself stops."""


class WorkerTask:
    """Used by the work itself and by those who watch it; all methods may be called from any thread."""

    def __init__(self, upid: Upid, log: TaskLog, clock: Clock, on_end: Callable[[Upid, TaskEnd], None]):
        self.upid = upid
        self._log = log
        self._clock = clock
        self._on_end = on_end
        self._lock = threading.Lock()
        self._abort = threading.Event()
        self._abort_cause: AbortCause = "abort"
        self._ended = threading.Event()
        self._abort_actions: list[Callable[[], None]] = []
        self._has_end = False
        self._warning_count = 0
        self.end: TaskEnd | None = None

    def log(self, text: str) -> None:
        """Add a line to the task log."""
        self._log.line(text)

    def warn(self, text: str) -> None:
        """Add a line and count it as warning."""
        with self._lock:
            self._warning_count += 1
        self._log.line(text)

    @property
    def warning_count(self) -> int:
        """How many warnings there were."""
        with self._lock:
            return self._warning_count

    @property
    def abort_requested(self) -> bool:
        """Whether somebody wants the task to stop."""
        return self._abort.is_set()

    def request_abort(self, cause: AbortCause = "abort") -> None:
        """Ask the task to stop; long loops look at `check_abort`, sessions are woken by their `on_abort`."""
        with self._lock:
            if self._abort.is_set() or self._has_end:
                return
            self._abort_cause = cause
            self._abort.set()
            actions = list(self._abort_actions)
        self._log.line(f"received {cause} request ...")
        for action in actions:
            action()

    def on_abort(self, action: Callable[[], None]) -> None:
        """Have `action` called when an abort is requested, at once if it was already."""
        with self._lock:
            self._abort_actions.append(action)
            is_late = self._abort.is_set()
        if is_late:
            action()

    def check_abort(self) -> None:
        """Return unless the task shall stop.

        Raises:
            AbortedError: it shall.
        """
        if self._abort.is_set():
            raise AbortedError(f"{self._abort_cause} requested - aborting task")

    def finish(self, error: str | None = None) -> None:
        """End the task: as failed with the message `error`, else as done. A second call does nothing."""
        with self._lock:
            if self._has_end:
                return
            self._has_end = True
            warnings = self._warning_count
        status = error if error is not None else f"WARNINGS: {warnings}" if warnings else "OK"
        end = TaskEnd(int(self._clock()), status)
        try:
            self._log.line(final_line(status))
            self._log.close()
            self._on_end(self.upid, end)
        finally:
            self.end = end
            self._ended.set()

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait for the end; return whether it came in time."""
        return self._ended.wait(timeout_seconds)
