"""Run long work in a thread, while the main thread shows progress and takes Ctrl-C."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from rich.console import Console as RichConsole
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeElapsedColumn, TransferSpeedColumn
from rich.progress import Progress as Bar

from pbstore import _core
from pbstore.cli.console import Console
from pbstore.cli.printable import printable_lines
from pbstore.errors import AbortedError
from pbstore.model.human_size import human_size, human_time_span

Result = TypeVar("Result")
POLL_SECONDS = 0.1
LOG_SECONDS = 60.0
# How long work that was told to stop may take, before its connection is closed, and then before the program ends.
STOP_SECONDS = 3.0


class WorkReporter:
    """What the work reports to: log lines, and the counters of the transfer that runs."""

    def __init__(self, console: Console):
        self._console = console
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._running: tuple[str, _core.Progress] | None = None
        self._sessions: list[_core.Session] = []
        self.bar: Bar | None = None

    def info(self, text: str) -> None:
        """Log a line, above the progress bar if there is one."""
        self._log("info", text)

    def warn(self, text: str) -> None:
        """Log a warning."""
        self._log("warn", text)

    def opened(self, session: _core.Session) -> None:
        """Remember the session."""
        with self._lock:
            if self._is_cancelled:
                raise AbortedError("interrupted")
            self._sessions.append(session)

    def begin(self, title: str) -> _core.Progress:
        """Start counting a transfer."""
        with self._lock:
            if self._is_cancelled:
                raise AbortedError("interrupted")
            progress = _core.Progress()
            self._running = (title, progress)
            return progress

    def end(self) -> None:
        """The transfer is over."""
        with self._lock:
            self._running = None

    def cancel(self) -> None:
        """Stop the running transfer and let no other begin."""
        with self._lock:
            self._is_cancelled = True
            if self._running is not None:
                self._running[1].cancel()

    def disconnect(self) -> None:
        """Close the sessions under work that does not stop: it waits for a server that does not answer."""
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    @property
    def running(self) -> tuple[str, _core.Progress] | None:
        """Title and counters of the transfer that runs."""
        with self._lock:
            return self._running

    def _log(self, level: str, text: str) -> None:
        if self.bar is None:
            self._console.log(level, text)
        elif self._console.logs(level):
            self.bar.console.print(printable_lines(text), markup=False, highlight=False, soft_wrap=True)


class _Worker(threading.Thread, Generic[Result]):
    """Keeps what the work returned or raised. A daemon, so that stuck work cannot keep the program alive."""

    def __init__(self, work: Callable[[], Result]):
        super().__init__(daemon=True)
        self._work = work
        self._result: list[Result] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do the work."""
        try:
            self._result.append(self._work())
        except BaseException as error:
            self._error = error

    def result(self) -> Result:
        """Return or raise what the work did."""
        if self._error is not None:
            raise self._error
        return self._result[0]


def run_work(console: Console, work: Callable[[WorkReporter], Result]) -> Result:
    """Run `work` and return its result; what it raises is raised here.

    Raises:
        KeyboardInterrupt: Ctrl-C; the work was stopped and has cleaned up behind itself.
    """
    reporter = WorkReporter(console)
    worker = _Worker(lambda: work(reporter))
    try:
        if console.shows_progress:
            _watch_with_bar(worker, reporter)
        else:
            _watch_with_lines(worker, reporter)
    except KeyboardInterrupt:
        reporter.cancel()
        worker.join(STOP_SECONDS)
        if worker.is_alive():
            reporter.disconnect()
            worker.join(STOP_SECONDS)
        raise
    return worker.result()


def _watch_with_bar(worker: threading.Thread, reporter: WorkReporter) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn())
    with Bar(*columns, TimeElapsedColumn(), console=RichConsole(stderr=True), transient=True) as bar:
        reporter.bar = bar
        worker.start()
        shown, task = None, None
        while worker.is_alive():
            running = reporter.running
            if running is not shown:
                if task is not None:
                    bar.remove_task(task)
                task = None if running is None else bar.add_task(printable_lines(running[0]), total=None)
                shown = running
            if running is not None and task is not None:
                progress = running[1]
                bar.update(task, completed=progress.processed_bytes, total=progress.total_bytes)
            worker.join(POLL_SECONDS)
        reporter.bar = None


def _watch_with_lines(worker: threading.Thread, reporter: WorkReporter) -> None:
    worker.start()
    started, shown, next_line = time.monotonic(), None, LOG_SECONDS
    while worker.is_alive():
        running = reporter.running
        if running is not shown:
            started, shown, next_line = time.monotonic(), running, LOG_SECONDS
        elapsed = time.monotonic() - started
        if running is not None and elapsed >= next_line:
            reporter.info(_progress_line(running[1], elapsed))
            next_line += LOG_SECONDS
        worker.join(POLL_SECONDS)


def _progress_line(progress: _core.Progress, elapsed_seconds: float) -> str:
    line = f"processed {human_size(progress.processed_bytes)} in {human_time_span(round(elapsed_seconds))}"
    uploaded = progress.uploaded_bytes
    return f"{line}, uploaded {human_size(uploaded)}" if uploaded else line
