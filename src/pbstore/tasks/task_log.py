"""The log file of a task: time and text a line, the result on the last (config-files.md 7)."""

import logging
import os
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from pbstore.access.clock import Clock
from pbstore.config.file_kind import service_owner
from pbstore.config.make_directory import make_directory
from pbstore.errors import NotFoundError
from pbstore.model.upid import Upid

LOG_MODE = 0o644
TAIL_BYTES = 8192
MAX_LINE_BYTES = 64 << 10
UNKNOWN = "unknown"
_log = logging.getLogger(__name__)
_LINE = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[+-]\d{2}:\d{2}|Z)): (.*)")


def log_path(tasks_dir: Path, upid: Upid) -> Path:
    """Where the log of a task lies."""
    return tasks_dir / f"{upid.process_start & 0xFF:02X}" / str(upid)


def time_text(seconds: float) -> str:
    """Return the local time as task logs have it, always 25 characters."""
    return datetime.fromtimestamp(int(seconds)).astimezone().isoformat()


@dataclass(frozen=True)
class TaskEnd:
    """How a task ended: `status` is `OK`, `WARNINGS: n`, `unknown` or the message of its failure."""

    end_time: int
    status: str

    @property
    def is_success(self) -> bool:
        """Whether it did what it should, if with warnings."""
        return self.status == "OK" or self.status.startswith("WARNINGS: ")


class TaskLog:
    """Writes a new log; lines of several threads do not mix.

    A line that the system refuses is lost, and the first such is told in the server's own log: no work fails for it.
    """

    def __init__(self, path: Path, clock: Clock):
        """Make the file.

        Raises:
            OSError: it cannot be made, or exists.
        """
        owner = service_owner()
        make_directory(path.parent, owner=owner)
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._is_torn = False
        self._has_failed = False
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.fdopen(os.open(path, flags, LOG_MODE), "wb", buffering=0)
        if owner is not None:
            os.fchown(self._file.fileno(), *owner)

    def line(self, text: str) -> None:
        """Add a line; newlines in it stay as they are. After `close` it does nothing."""
        content = f"{time_text(self._clock())}: {text}\n".encode("utf-8", "backslashreplace")
        with self._lock:
            if not self._file.closed:
                self._write(content)

    def close(self) -> None:
        """End the log."""
        with self._lock:
            self._file.close()

    def remove(self) -> None:
        """End the log of a task that has not begun, and remove it."""
        self.close()
        self._path.unlink(missing_ok=True)

    def _write(self, content: bytes) -> None:
        """Write a line; what a full disk cut off is ended first."""
        content = b"\n" * self._is_torn + content
        try:
            written = self._file.write(content) or 0
        except OSError as error:
            if not self._has_failed:
                _log.warning("cannot write to the task log %s: %s", self._path, error.strerror)
            self._has_failed = True
        else:
            self._is_torn = written < len(content) and (written > 0 or self._is_torn)


def read_log(path: Path, start: int, limit: int | None) -> tuple[int, list[str]]:
    """Return the number of lines in a log, and at most `limit` of them from line `start` (0 = first) on.

    Raises:
        NotFoundError: there is no such log.
    """
    try:
        file = path.open(encoding="utf-8", errors="replace", newline="\n")
    except FileNotFoundError:
        raise NotFoundError(f"no such task log: {path.name}") from None
    with file:
        skipped = sum(1 for _ in islice(file, start))
        lines = [line.rstrip("\n") for line in islice(file, limit)]
        rest = sum(1 for _ in file)
    return skipped + len(lines) + rest, lines


def read_end(path: Path) -> TaskEnd | None:
    """Return how a task ended by the end of its log; None without a log.

    A log without a last line of that kind gives `unknown`: the program died.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            lines = file.read(TAIL_BYTES).decode("utf-8", "replace").split("\n")
        modified = int(path.stat().st_mtime)
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        match = _LINE.match(line)
        end_time = None if match is None else _seconds(match[1])
        if match and end_time is not None:
            return TaskEnd(end_time, _status(match[2]) or UNKNOWN)
    return TaskEnd(modified, UNKNOWN)


def final_line(status: str) -> str:
    """Return the last line of a task with this status."""
    is_plain = status == "OK" or status.startswith("WARNINGS: ")
    return f"TASK {status}" if is_plain else f"TASK ERROR: {status}"


def _seconds(text: str) -> int | None:
    """The time of a line; None where a damaged line has no such date."""
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        return None


def _status(text: str) -> str | None:
    if text == "TASK OK" or text.startswith("TASK WARNINGS: "):
        return text.removeprefix("TASK ")
    return text.removeprefix("TASK ERROR: ") if text.startswith("TASK ERROR: ") else None
