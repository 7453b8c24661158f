"""What is shown of a running transfer: a live line on a terminal, log lines elsewhere (version-4.md 4)."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console as RichConsole
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column

from pbstore import _core
from pbstore.cli.printable import printable_lines
from pbstore.model.human_size import human_size, human_speed, human_time_span

# The speed that is shown is that of this time: steady enough to read, new enough to be true.
SPEED_SECONDS = 10.0
BAR_WIDTH = 20


@dataclass(frozen=True, kw_only=True)
class ProgressLines:
    """When log lines about a transfer come, first and at most apart, and what they say after so many seconds."""

    first_seconds: float
    longest_seconds: float
    text: Callable[[_core.Progress, float], str]


def _upload_line(progress: _core.Progress, elapsed_seconds: float) -> str:
    line = f"processed {human_size(progress.processed_bytes)} in {human_time_span(round(elapsed_seconds))}"
    uploaded = progress.uploaded_bytes
    return f"{line}, uploaded {human_size(uploaded)}" if uploaded else line


def _restore_line(progress: _core.Progress, elapsed_seconds: float) -> str:
    done, total = progress.processed_bytes, progress.total_bytes
    speed = f"{human_time_span(round(elapsed_seconds))}, {human_speed(done, elapsed_seconds)}"
    if not total:
        return f"progress ({human_size(done)} in {speed})"
    return f"progress {done * 100 // total}% ({human_size(done)} of {human_size(total)} in {speed})"


UPLOAD_LINES = ProgressLines(first_seconds=60, longest_seconds=60, text=_upload_line)
RESTORE_LINES = ProgressLines(first_seconds=5, longest_seconds=60, text=_restore_line)

Running = tuple[str, _core.Progress]


class Display(Protocol):
    """Told again and again what runs: title and counters, or nothing."""

    def show(self, running: Running | None) -> None:
        """Bring what is shown up to date."""

    def log(self, text: str) -> None:
        """Write a line that stays."""


class LineDisplay:
    """Log lines at growing intervals."""

    def __init__(self, lines: ProgressLines, log: Callable[[str], None], clock: Callable[[], float] = time.monotonic):
        self.log = log
        self._lines = lines
        self._clock = clock
        self._shown: Running | None = None
        self._started = self._next = self._interval = 0.0

    def show(self, running: Running | None) -> None:
        """Log a line if one is due."""
        now = self._clock()
        if running is not self._shown:
            self._shown, self._started = running, now
            self._interval = self._lines.first_seconds
            self._next = now + self._interval
        if running is not None and now >= self._next:
            self.log(self._lines.text(running[1], now - self._started))
            self._interval = min(self._interval * 2, self._lines.longest_seconds)
            self._next += self._interval


class SpeedMeter:
    """How fast a count has grown lately."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, now: float, count: int) -> float:
        """Take a sample and return the growth in a second."""
        self._samples.append((now, count))
        while len(self._samples) > 2 and self._samples[1][0] <= now - SPEED_SECONDS:
            self._samples.popleft()
        since, before = self._samples[0]
        return (count - before) / (now - since) if now > since else 0.0


def state_text(progress: _core.Progress, bytes_per_second: float) -> str:
    """What a terminal shows beside the bar: how far, how fast, how long still, what was reused, how many entries."""
    done, total = progress.processed_bytes, progress.total_bytes
    parts = [human_size(done) if total is None else f"{human_size(done)} of {human_size(total)}"]
    parts.append(human_speed(bytes_per_second, 1.0))
    if total is not None and bytes_per_second > 0 and total > done:
        parts.append(f"{human_time_span(round((total - done) / bytes_per_second))} left")
    if progress.reused_bytes and done:
        parts.append(f"{progress.reused_bytes * 100 // done}% reused")
    if progress.entry_count:
        parts.append(f"{progress.entry_count} entries")
    return ", ".join(parts)


class BarDisplay:
    """A bar with the state of the transfer beside it, below the log."""

    def __init__(self, bar: Bar):
        self._bar = bar
        self._shown: Running | None = None
        self._task = bar.add_task("", visible=False, state="")
        self._meter = SpeedMeter()

    def show(self, running: Running | None) -> None:
        """Redraw the bar."""
        if running is not self._shown:
            self._bar.remove_task(self._task)
            title = "" if running is None else printable_lines(running[0])
            self._task = self._bar.add_task(title, visible=running is not None, total=None, state="")
            self._shown, self._meter = running, SpeedMeter()
        if running is not None:
            progress = running[1]
            speed = self._meter.add(time.monotonic(), progress.processed_bytes)
            state = state_text(progress, speed)
            self._bar.update(self._task, completed=progress.processed_bytes, total=progress.total_bytes, state=state)

    def log(self, text: str) -> None:
        """Print above the bar."""
        self._bar.console.print(printable_lines(text), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def bar_display() -> Iterator[BarDisplay]:
    """A bar on standard error, gone at the end."""
    state = TextColumn("{task.fields[state]}", table_column=Column(no_wrap=True, overflow="ellipsis"))
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=BAR_WIDTH), state)
    with Bar(*columns, console=RichConsole(stderr=True), transient=True) as bar:
        yield BarDisplay(bar)
