"""How many reads and writes run on each store, for whoever must know when none does (datastore-layout.md 3.3).

The counts of all processes are in one small file a store, so that the manager program sees what a server does.
"""

import json
import logging
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pbstore.config.atomic_file import remove_temporary_files, replace_file
from pbstore.config.file_kind import FileKind, service_owner
from pbstore.config.file_lock import FileLock, lock_file
from pbstore.config.maintenance_mode import Operation
from pbstore.config.make_directory import make_directory
from pbstore.config.process_start import process_start
from pbstore.errors import LockedError

_DIRECTORY_MODE = 0o750
_MAX_BYTES = 1 << 20
Entry = dict[str, object]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OperationCounts:
    """What runs on a store."""

    read: int = 0
    write: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs."""
        return self.read == self.write == 0


class ActiveOperations:
    """Counts of this process, kept in step with the files in `directory`."""

    def __init__(self, directory: Path):
        self._directory = directory
        self._lock = threading.Lock()
        self._mine: Counter[tuple[str, Operation]] = Counter()
        self._cleaned: set[str] = set()

    @contextmanager
    def running(self, store: str, operation: Operation) -> Iterator[None]:
        """Count an operation within a `with` block.

        Raises:
            LockedError: the file is in use for more than ten seconds.
            OSError: the file cannot be written. At the end of the block that is only logged: what was done is done,
                and the next change writes the file.
        """
        self._change(store, operation, 1)
        try:
            yield
        finally:
            try:
                self._change(store, operation, -1)
            except (OSError, LockedError) as error:
                _log.warning("cannot note the end of an operation on datastore '%s': %s", store, error)

    def counts(self, store: str) -> OperationCounts:
        """Return what runs in all living processes."""
        counts = OperationCounts()
        for entry in _living(self._read(store)):
            counts = _sum(counts, entry)
        return counts

    def is_used_here(self, store: str) -> bool:
        """Whether something runs on the store in this process."""
        with self._lock:
            return any(count and name == store for (name, _), count in self._mine.items())

    def forget(self, store: str) -> None:
        """Remove the files of a store that is gone."""
        for path in (self._directory / store, self._directory / f"{store}.lock"):
            path.unlink(missing_ok=True)

    def _change(self, store: str, operation: Operation, by: int) -> None:
        with self._lock:
            self._mine[store, operation] += by
            counts = {kind.value: self._mine[store, kind] for kind in (Operation.READ, Operation.WRITE)}
            try:
                self._write(store, counts)
            except BaseException:
                if by > 0:
                    self._mine[store, operation] -= by
                raise

    def _write(self, store: str, counts: dict[str, int]) -> None:
        make_directory(self._directory, mode=_DIRECTORY_MODE, owner=service_owner())
        kind = FileKind.LOCK
        with self._locked(store):
            if store not in self._cleaned:
                remove_temporary_files(self._directory / store)
                self._cleaned.add(store)
            entries = [entry for entry in _living(self._read(store)) if entry.get("pid") != os.getpid()]
            entries.append({"pid": os.getpid(), "starttime": process_start() or 0, "active_operations": counts})
            content = json.dumps(entries, separators=(",", ":")).encode()
            replace_file(self._directory / store, content, mode=kind.mode, owner=kind.owner(), durable=False)

    def _locked(self, store: str) -> FileLock:
        kind = FileKind.LOCK
        return lock_file(self._directory / f"{store}.lock", mode=kind.mode, owner=kind.owner())

    def _read(self, store: str) -> list[Entry]:
        """Return the entries; a file that cannot be read counts as empty, as after a reboot."""
        try:
            with (self._directory / store).open("rb") as file:
                entries = json.loads(file.read(_MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            return []
        return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _living(entries: list[Entry]) -> Iterator[Entry]:
    for entry in entries:
        pid = entry.get("pid")
        if isinstance(pid, int) and pid > 0 and process_start(pid) == entry.get("starttime"):
            yield entry


def _sum(counts: OperationCounts, entry: Entry) -> OperationCounts:
    active = entry.get("active_operations")
    values = active if isinstance(active, dict) else {}
    read, write = (value if isinstance(value, int) else 0 for value in (values.get("read"), values.get("write")))
    return OperationCounts(counts.read + read, counts.write + write)
