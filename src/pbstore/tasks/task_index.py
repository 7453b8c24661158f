"""The lists of running and of finished tasks (config-files.md 7).

`active` has an id a line; `archive` has `UPID endtime status`, in the order in which the tasks ended. The files are
those of the original and the truth: a task that is in `active` while its program is gone is finished by its log.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pbstore.config.atomic_file import remove_temporary_files, replace_file
from pbstore.config.file_kind import FileKind, service_owner
from pbstore.config.file_lock import FileLock, lock_file
from pbstore.config.make_directory import make_directory
from pbstore.config.process_start import process_start
from pbstore.errors import FormatError
from pbstore.model.upid import Upid
from pbstore.tasks.task_log import UNKNOWN, TaskEnd, log_path, read_end

LOCK_TIMEOUT_SECONDS = 15.0
MAX_LINE_BYTES = 8192
_BLOCK_BYTES = 64 << 10


@dataclass(frozen=True)
class FinishedTask:
    """A task with how it ended."""

    upid: Upid
    end: TaskEnd


class TaskIndex:
    """The lists below the tasks directory."""

    def __init__(self, tasks_dir: Path):
        self.tasks_dir = tasks_dir
        self._active = tasks_dir / "active"
        self._archive = tasks_dir / "archive"

    def add(self, upid: Upid) -> None:
        """Note that a task started.

        Raises:
            LockedError: another program holds the lists for too long.
        """
        with self._locked():
            self._write_active([*self._read_active(), upid])

    def finish(self, upid: Upid, end: TaskEnd) -> None:
        """Move a task from the running to the finished ones.

        Raises:
            LockedError: another program holds the lists for too long.
            OSError: the lists cannot be written; they are as before.
        """
        with self._locked():
            self._move([FinishedTask(upid, end)], [other for other in self._read_active() if other != upid])

    def recover(self) -> list[FinishedTask]:
        """Finish tasks whose program is gone, and return them.

        Raises:
            LockedError: another program holds the lists for too long.
            OSError: the lists cannot be written; they are as before.
        """
        with self._locked():
            remove_temporary_files(self._active)
            active = self._read_active()
            gone = [upid for upid in active if not is_alive(upid)]
            if not gone:
                return []
            found = [FinishedTask(upid, self._end_of(upid)) for upid in gone]
            archived = {task.upid for task in self._newest(len(gone) * 4 + 1000)}
            new = sorted((task for task in found if task.upid not in archived), key=lambda task: task.end.end_time)
            self._move(new, [upid for upid in active if upid not in gone])
            return new

    def running(self) -> list[Upid]:
        """Return the tasks whose program is alive and whose log has no end yet, in the order of their start."""
        return [upid for upid in self._read_active() if self.is_running(upid)]

    def is_running(self, upid: Upid) -> bool:
        """Whether the program of a task is alive and its log has no end yet."""
        if not is_alive(upid):
            return False
        end = read_end(log_path(self.tasks_dir, upid))
        return end is not None and end.status == UNKNOWN

    def finished(self) -> Iterator[FinishedTask]:
        """Yield the finished tasks, newest end first; lines that are none are skipped."""
        for line in _lines_backwards(self._archive):
            task = _parse_archive_line(line)
            if task is not None:
                yield task

    def newest(self) -> Iterator[tuple[Upid, TaskEnd | None]]:
        """Yield all tasks: the active ones by start, then the finished ones by end, newest first. No end: it runs."""
        active = self._read_active()[::-1]
        for upid in active:
            yield upid, self.end(upid)
        listed = set(active)
        for task in self.finished():
            if task.upid not in listed:
                yield task.upid, task.end

    def end(self, upid: Upid) -> TaskEnd | None:
        """Return how a task ended by its log: None while it runs, or if there is no such task."""
        return None if self.is_running(upid) else read_end(log_path(self.tasks_dir, upid))

    def _newest(self, count: int) -> list[FinishedTask]:
        return [task for _, task in zip(range(count), self.finished(), strict=False)]

    def _end_of(self, upid: Upid) -> TaskEnd:
        return read_end(log_path(self.tasks_dir, upid)) or TaskEnd(upid.start_time, UNKNOWN)

    def _locked(self) -> FileLock:
        kind = FileKind.LOCK
        make_directory(self.tasks_dir, owner=service_owner())
        path = self.tasks_dir / ".active.lock"
        return lock_file(path, timeout_seconds=LOCK_TIMEOUT_SECONDS, mode=kind.mode, owner=kind.owner())

    def _read_active(self) -> list[Upid]:
        try:
            lines = self._active.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []
        upids = []
        for line in lines:
            with contextlib.suppress(FormatError):
                upids.append(Upid.parse(line.strip()))
        return upids

    def _write_active(self, upids: list[Upid]) -> None:
        kind = FileKind.LOCK
        content = "".join(f"{upid}\n" for upid in upids).encode()
        # Not synced: a lost line is found again by nobody, but the log it names is there, and that is what counts.
        replace_file(self._active, content, mode=kind.mode, owner=kind.owner(), durable=False)

    def _move(self, ended: list[FinishedTask], active: list[Upid]) -> None:
        """Write both lists, or none.

        The archive first: a crash in between leaves a task in both lists, which readers expect.
        """
        size = self._archive.stat().st_size if self._archive.exists() else 0
        try:
            self._append(ended)
            self._write_active(active)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.truncate(self._archive, size)
            raise

    def _append(self, tasks: list[FinishedTask]) -> None:
        kind = FileKind.LOCK
        content = "".join(f"{task.upid} {task.end.end_time:08X} {_one_line(task.end.status)}\n" for task in tasks)
        descriptor = os.open(self._archive, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, kind.mode)
        with os.fdopen(descriptor, "ab") as file:
            owner = kind.owner()
            if owner is not None and file.tell() == 0:
                os.fchown(descriptor, *owner)
            file.write(content.encode("utf-8", "backslashreplace"))


def is_alive(upid: Upid) -> bool:
    """Whether the process that started a task is still there."""
    return process_start(upid.pid) == upid.process_start


def _parse_archive_line(line: str) -> FinishedTask | None:
    upid, _, rest = line.partition(" ")
    end_time, _, status = rest.partition(" ")
    try:
        return FinishedTask(Upid.parse(upid), TaskEnd(int(end_time, 16), status or UNKNOWN))
    except ValueError:
        return None
    except FormatError:
        return None


def _lines_backwards(path: Path) -> Iterator[str]:
    """Yield the lines of a file from the last to the first; reads blocks, so that only what is asked for is read."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        position = file.seek(0, os.SEEK_END)
        rest = b""
        while position > 0:
            size = min(_BLOCK_BYTES, position)
            position = file.seek(position - size)
            first, *lines = (file.read(size) + rest).split(b"\n")
            for line in reversed(lines):
                if line:
                    yield line.decode("utf-8", "replace")
            rest = first if len(first) <= MAX_LINE_BYTES else b""
        if rest:
            yield rest.decode("utf-8", "replace")


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))[: MAX_LINE_BYTES // 2]
