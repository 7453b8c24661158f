"""Destroying a datastore with all that is in it (version-4.md 5.3).

What is removed first is what nobody could use alone; the lock goes last. A crash on the way leaves a store that is
still configured, in maintenance mode `delete`: the removal is simply repeated.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from pbstore.datastore.adoption import CHUNKS_NAME, PREFIX_COUNT
from pbstore.datastore.process_lock import LOCK_NAME
from pbstore.errors import DatastoreError

_CONTENT = ("ns", "ct", "vm", "host")
_STATUS_NAME = ".gc-status"
_PERCENTS_A_LINE = 10


def destroy_content(path: Path, log: Callable[[str], None]) -> None:
    """Remove backups, then chunks. The caller holds the store's process lock and nothing else uses it.

    Raises:
        DatastoreError: something cannot be removed.
    """
    try:
        for name in _CONTENT:
            if (path / name).is_dir():
                log(f"Deleting {name} ...")
                _remove_tree(path / name)
        (path / _STATUS_NAME).unlink(missing_ok=True)
        _remove_chunks(path / CHUNKS_NAME, log)
    except OSError as error:
        raise DatastoreError(f"cannot remove {error.filename}: {error.strerror}") from error


def destroy_root(path: Path, log: Callable[[str], None]) -> None:
    """Remove the lock file, and the directory if nothing else is in it.

    Raises:
        DatastoreError: the system refuses.
    """
    try:
        (path / LOCK_NAME).unlink(missing_ok=True)
        if path.is_dir() and not any(path.iterdir()) and not os.path.ismount(path):
            path.rmdir()
            log(f"Deleted {path}")
        else:
            log(f"Kept {path}: it holds other files or is a mount point")
    except OSError as error:
        raise DatastoreError(f"cannot remove {error.filename}: {error.strerror}") from error


def _remove_chunks(chunks: Path, log: Callable[[str], None]) -> None:
    if not chunks.is_dir():
        return
    log("Deleting chunks ...")
    shown = 0
    for prefix in range(PREFIX_COUNT):
        _remove_tree(chunks / f"{prefix:04x}")
        percent = (prefix + 1) * 100 // PREFIX_COUNT
        if percent >= shown + _PERCENTS_A_LINE:
            shown = percent
            log(f"Deleting chunks: {percent}%")
    _remove_tree(chunks)


def _remove_tree(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
