"""Where the indexes of moved snapshots went, for a garbage collection that runs meanwhile (version-4.md 9).

A collection walks the store once. A snapshot that is moved from where it has not been yet to where it was already would
be missed, and its chunks removed. So each move writes the future paths of its indexes down before it renames anything.

The collection drains the journal when its walk is over, marks those files too, and repeats that until the journal stays
empty: a snapshot may be moved again after its first entry was read. A path that is gone by then was moved on.
"""

from collections.abc import Iterable
from pathlib import Path

from pbstore.config.file_kind import FileKind, service_owner
from pbstore.config.file_lock import FileLock, lock_file
from pbstore.config.make_directory import make_directory
from pbstore.datastore.datastore import Datastore

TIMEOUT_SECONDS = 10.0
_NAME = "move-journal"


def append_moves(datastore: Datastore, index_paths: Iterable[Path]) -> None:
    """Write down where indexes will be, before they are renamed.

    Raises:
        LockedError: somebody else holds the journal for more than ten seconds.
        OSError: it cannot be written.
    """
    lines = "".join(f"{path}\n" for path in index_paths)
    with _locked(datastore), _path(datastore).open("a") as file:
        file.write(lines)


def drain_moves(datastore: Datastore) -> list[Path]:
    """Return the paths of all moves since the last call, and forget them.

    Raises:
        LockedError: somebody else holds the journal for more than ten seconds.
        OSError: it cannot be read or emptied.
    """
    with _locked(datastore), _path(datastore).open("r+") as file:
        paths = [Path(line.rstrip("\n")) for line in file]
        file.truncate(0)
    return paths


def _path(datastore: Datastore) -> Path:
    return datastore.locks_dir / datastore.name / _NAME


def _locked(datastore: Datastore) -> FileLock:
    path, kind = _path(datastore), FileKind.LOCK
    make_directory(path.parent, owner=service_owner())
    return lock_file(path, timeout_seconds=TIMEOUT_SECONDS, mode=kind.mode, owner=kind.owner())
