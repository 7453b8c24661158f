"""Run long work in a thread, while the main thread shows progress and takes Ctrl-C."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from pbstore import _core
from pbstore.cli.console import Console
from pbstore.cli.progress_display import UPLOAD_LINES, Display, LineDisplay, ProgressLines, bar_display
from pbstore.errors import AbortedError

Result = TypeVar("Result")
POLL_SECONDS = 0.1
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
        self._passing = threading.Lock()
        self.display: Display | None = None

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
        self.pass_lines()
        with self._lock:
            self._running = None

    def pass_lines(self) -> None:
        """Log what the running transfer has to say."""
        running = self.running
        if running is None:
            return
        # One at a time, so that no line comes behind the summary that the work logs next.
        with self._passing:
            for level, text in running[1].take_lines():
                self._log(level, text)

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
        display = self.display
        if display is None or not self._console.shows_progress:
            self._console.log(level, text)
        elif self._console.logs(level):
            display.log(text)


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


def run_work(console: Console, work: Callable[[WorkReporter], Result], lines: ProgressLines = UPLOAD_LINES) -> Result:
    """Run `work` and return its result; what it raises is raised here. `lines` are for where there is no terminal.

    Raises:
        KeyboardInterrupt: Ctrl-C; the work was stopped and has cleaned up behind itself.
    """
    reporter = WorkReporter(console)
    worker = _Worker(lambda: work(reporter))
    try:
        if console.shows_progress:
            with bar_display() as display:
                _watch(worker, reporter, display)
        else:
            _watch(worker, reporter, LineDisplay(lines, console.info))
    except KeyboardInterrupt:
        reporter.cancel()
        worker.join(STOP_SECONDS)
        if worker.is_alive():
            reporter.disconnect()
            worker.join(STOP_SECONDS)
        raise
    return worker.result()


def _watch(worker: threading.Thread, reporter: WorkReporter, display: Display) -> None:
    reporter.display = display
    worker.start()
    while worker.is_alive():
        reporter.pass_lines()
        display.show(reporter.running)
        worker.join(POLL_SECONDS)
    reporter.display = None
