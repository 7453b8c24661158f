"""Making a new datastore directory (version-4.md 5.3)."""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from pbstore._core import ChunkStore
from pbstore.config.file_kind import service_owner
from pbstore.config.make_directory import make_directory
from pbstore.datastore.adoption import CHUNKS_NAME
from pbstore.datastore.process_lock import LOCK_NAME
from pbstore.errors import DatastoreError, ProtocolError

_HARMLESS = "lost+found"


def create_datastore(path: Path, other_paths: Iterable[Path], *, log: Callable[[str], None] | None = None) -> None:
    """Lay out an empty store in `path`, which is made if missing; `other_paths` are those of the existing stores.

    Takes a while: 65536 directories; `log` gets a line for each percent. What a failure leaves half-made is removed
    again.

    Raises:
        DatastoreError: not an absolute path, not empty, `/`, or above or below another store.
    """
    check_path(path, other_paths)
    check_empty(path)
    owner = service_owner()
    existed = path.is_dir()
    try:
        make_directory(path, owner=owner)
        if owner is not None:
            os.chown(path, *owner)
        ChunkStore.create(path, progress=log and (lambda percent: log(f"Chunkstore create: {percent}%")))
        # Its configuration will point at it.
        ChunkStore(path).sync()
    except ProtocolError:
        # Somebody else made a store there just now: it is not ours to remove.
        raise DatastoreError(f"{path} holds a datastore already: {CHUNKS_NAME} exists") from None
    except BaseException as error:
        undo_creation(path, existed=existed)
        if isinstance(error, PermissionError):
            raise DatastoreError(
                f"cannot create datastore {path}: {error.strerror}; root can, with proxmox-backup-manager"
            ) from error
        if isinstance(error, OSError):
            raise DatastoreError(f"cannot create datastore {path}: {error.strerror}") from error
        raise


def check_path(path: Path, other_paths: Iterable[Path]) -> None:
    """Return if a store may lie there.

    Raises:
        DatastoreError: it may not.
    """
    if not path.is_absolute() or ".." in path.parts:
        raise DatastoreError(f"datastore path {path} is not absolute")
    real = path.resolve()
    if real == Path("/"):
        raise DatastoreError("a datastore cannot be created in the root directory")
    for other in other_paths:
        real_other = other.resolve()
        if real.is_relative_to(real_other) or real_other.is_relative_to(real):
            raise DatastoreError(f"datastore path {path} and the existing store {other} lie within each other")
    if path.exists() and not path.is_dir():
        raise DatastoreError(f"datastore path {path} is no directory")


def check_empty(path: Path) -> None:
    """Return if a new store may be made there: hidden files and `lost+found` do not count.

    Raises:
        DatastoreError: it may not.
    """
    if not path.is_dir():
        return
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name == CHUNKS_NAME:
                raise DatastoreError(
                    f"{path} holds a datastore already: {CHUNKS_NAME} exists; take it over with reuse-datastore"
                )
            if not entry.name.startswith(".") and entry.name != _HARMLESS:
                raise DatastoreError(f"datastore path not empty: {path}")


def undo_creation(path: Path, *, existed: bool) -> None:
    """Remove the parts of a store that has no content yet, and its directory unless it `existed` before."""
    shutil.rmtree(path / CHUNKS_NAME, ignore_errors=True)
    (path / LOCK_NAME).unlink(missing_ok=True)
    if not existed and path.is_dir() and not any(path.iterdir()):
        path.rmdir()
