"""A backup session: what was promised at the upgrade, what came so far, and how it ends (backup-protocol.md).

Chunks never pass through here; the compiled front checks and stores them. Everything else does: indexes are opened and
closed, blobs arrive, and `finish` makes the snapshot visible. Until then nothing of it is a backup: when the connection
ends first, the snapshot directory goes, with its locks held.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from pbstore._core import BackupChunks, FileBody
from pbstore.errors import FormatError, NotFoundError, PbstoreError, ProtocolError
from pbstore.format.damaged_file import in_file
from pbstore.model.auth_id import AuthId
from pbstore.session import backup_calls
from pbstore.session.backup_place import BackupPlace
from pbstore.session.session_control import SessionControl
from pbstore.session.session_task import SessionTask, end_message
from pbstore.session.upload_statistics import UploadSums, index_lines

INDEX_SUFFIXES = (".fidx", ".didx")


class State(Enum):
    """How far a session is; the value is how messages name it."""

    ACTIVE = "active"
    FINISHING = "finishing"
    FINISHED = "finished"
    FAILED = "failed"
    CLOSED = "closed"


class BackupSession(SessionControl):
    """The control side of one connection with the backup protocol; all methods may be called from any thread.

    Takes over `place` (with its locks), `chunks` and `task`, and ends them in `closed`. `on_finished` is called once
    the snapshot is there and its locks are free; what goes wrong in it is logged and no failure of the backup.
    """

    def __init__(
        self,
        place: BackupPlace,
        chunks: BackupChunks,
        task: SessionTask,
        *,
        caller: AuthId,
        is_benchmark: bool = False,
        debug: bool = False,
        on_finished: Callable[[], None] | None = None,
    ):
        super().__init__(backup_calls.ROUTES, task, caller, debug=debug)
        self._place = place
        self._chunks = chunks
        self._is_benchmark = is_benchmark
        self._on_finished = on_finished
        self._lock = threading.Lock()
        self._finish_lock = threading.Lock()
        self._state = State.ACTIVE
        self._archive_names: dict[int, str] = {}
        self._file_count = 0
        self._sums = UploadSums()

    def closed(self, reason: str | None) -> None:
        """End with the connection: a finished backup stays, anything else is removed. No `reason` = cleanly closed."""
        with self._finish_lock, self._lock:
            is_finished = self._state is State.FINISHED
            self._state = State.CLOSED
        self._chunks.shut()
        if is_finished:
            self._task.log("backup finished successfully")
            self._task.finish(None)
        elif self._is_benchmark:
            self._task.finish(self._discard("benchmark data"))
        else:
            message = end_message(self._task, reason) or "backup ended but finished state is not set."
            self._task.log(f"backup ended and finish failed: {message}")
            self._task.finish(self._discard("unfinished backup") or message)

    # What the calls do (backup_calls.py)

    def previous_backup_time(self) -> int | None:
        """Return the time of the last backup that may be built upon."""
        previous = self._place.previous
        return None if previous is None else previous.snapshot.backup_time

    def previous_file(self, archive_name: str) -> FileBody:
        """Open a file of the last backup; the chunks of an index become known (backup-protocol.md 2.1)."""
        previous = self._place.previous
        if previous is None:
            raise ProtocolError("no valid previous backup")
        if not archive_name.endswith((*INDEX_SUFFIXES, ".blob")):
            raise FormatError(f"unable to send archive '{archive_name}': not an index or blob")
        path = previous.directory / archive_name
        if archive_name.endswith(INDEX_SUFFIXES):
            self._task.log(f"register chunks in '{archive_name}' from previous backup '{previous.snapshot}'.")
            with in_file(path):
                self._chunks.register_index(path)
        elif not path.is_file():
            raise NotFoundError(f"no file '{archive_name}' in previous backup '{previous.snapshot}'")
        self._task.log(f"download '{archive_name}' from previous backup '{previous.snapshot}'.")
        return FileBody(path)

    def create_dynamic(self, archive_name: str) -> int:
        """Start a dynamic index and return its writer id."""
        with self._changing():
            wid = self._chunks.create_dynamic(self._index_path(archive_name, ".didx"))
            self._created("dynamic", wid, archive_name)
            return wid

    def create_fixed(self, archive_name: str, size: int | None, reuse_csum: str | None) -> int:
        """Start a fixed index and return its writer id; `reuse_csum` starts it as the last backup's."""
        with self._changing():
            path = self._index_path(archive_name, ".fidx")
            if reuse_csum is None:
                wid = self._chunks.create_fixed(path, size)
            else:
                wid = self._create_incremental(archive_name, size, reuse_csum)
            self._created("fixed", wid, archive_name)
            return wid

    def append(self, kind: str, wid: int, digests: list[str], offsets: list[int]) -> None:
        """Append known chunks to an index; a failing entry stops, earlier ones stay (backup-protocol.md 2.5)."""
        if len(digests) != len(offsets):
            raise FormatError(f"offset list has wrong length ({len(offsets)} != {len(digests)})")
        with self._lock:
            self._require_active()
        self._chunks.append(kind, wid, digests, offsets)

    def close_index(self, kind: str, wid: int, chunk_count: int, size: int, csum: bytes) -> None:
        """Check and close an index; when a check fails the writer stays open (version-4.md 3.3)."""
        with self._changing():
            stats = self._chunks.close_writer(kind, wid, chunk_count, size, csum)
            self._file_count += 1
            self._sums.add_index(stats)
            archive_name = self._archive_names.pop(wid, "")
        for line in index_lines(archive_name, stats):
            self._task.log(line)
        self._task.log(f"successfully closed {kind} index {wid}")

    def add_blob(self, file_name: str, encoded_size: int, blob: bytes) -> None:
        """Check and store a blob; an older one of the same name is replaced."""
        if not file_name.endswith(".blob"):
            raise FormatError(f"wrong blob file extension: '{file_name}'")
        if len(blob) != encoded_size:
            raise FormatError(f"wrong blob length ({len(blob)} != {encoded_size})")
        with self._changing():
            path = self._place.write_blob(file_name, blob)
            self._file_count += 1
            self._sums.add_blob(len(blob))
        self._task.log(f'add blob "{path}" ({len(blob)} bytes, comp: {len(blob)})')

    def finish(self) -> None:
        """Make the snapshot visible; its locks are free when this returns (version-4.md 3.1)."""
        with self._finish_lock:
            with self._changing():
                self._check_complete()
                manifest = self._place.uploaded_manifest()
                self._state = State.FINISHING
            self._chunks.shut()  # no upload may come in any more, and the front asks nobody but the chunks
            try:
                self._place.publish(manifest, self._sums.as_json())
            except BaseException:
                self._state = State.FAILED
                raise
            with self._lock:
                self._state = State.FINISHED
            self._place.release()
        self._task.log("successfully finished backup")
        if self._on_finished is not None:
            self._follow_up(self._on_finished)

    # Inner parts

    def _follow_up(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (PbstoreError, OSError) as error:
            self._task.log(f"cannot start what follows the backup: {error}")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Serialise changes of the session's state, and refuse them once it is over."""
        with self._lock:
            self._require_active()
            yield

    def _require_active(self) -> None:
        if self._state is not State.ACTIVE:
            raise ProtocolError(f"backup already in '{self._state.value}' state.")

    def _check_complete(self) -> None:
        if self._chunks.open_writer_count:
            raise ProtocolError("found open index writer - unable to finish backup")
        if self._file_count == 0:
            raise ProtocolError("backup does not contain valid files (file count == 0)")
        previous = self._place.previous
        if previous is not None and not previous.directory.is_dir():
            raise ProtocolError(f"last backup '{previous.snapshot}' was removed meanwhile")

    def _index_path(self, archive_name: str, suffix: str) -> str:
        if not archive_name.endswith(suffix):
            raise FormatError(f"wrong archive extension: '{archive_name}', expected {suffix}")
        return str(self._place.directory / archive_name)

    def _create_incremental(self, archive_name: str, size: int | None, reuse_csum: str) -> int:
        previous = self._place.previous
        if size is None:
            raise FormatError("reuse-csum needs the size of the archive")
        if previous is None:
            raise ProtocolError("reuse-csum without a valid previous backup")
        csum = _digest(reuse_csum)
        base = previous.directory / archive_name
        with in_file(base):
            return self._chunks.create_fixed_reusing(self._place.directory / archive_name, size, base, csum)

    def _created(self, kind: str, wid: int, archive_name: str) -> None:
        self._archive_names[wid] = archive_name
        self._task.log(f'created new {kind} index {wid} ("{self._place.relative_path}/{archive_name}")')

    def _discard(self, what: str) -> str | None:
        """Remove the snapshot and give the locks back; return why that failed, if it did."""
        self._task.log(f"removing {what}")
        try:
            self._place.discard()
        except Exception as error:  # the session is over: whatever went wrong belongs into its task log
            return f"removing {what} failed: {error}"
        return None


def _digest(text: str) -> bytes:
    """Read a checksum of 64 hex digits."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise FormatError("reuse-csum is not a checksum of 64 hex digits")
    return digest
