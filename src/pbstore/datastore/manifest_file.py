"""The manifest of a snapshot on disk: reading, and changing its unprotected part (manifest.md 3)."""

from collections.abc import Callable
from pathlib import Path

from pbstore import _core
from pbstore.config.atomic_file import replace_file
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import FILE_MODE
from pbstore.datastore.locks import lock_manifest
from pbstore.datastore.snapshots import MANIFEST_NAME, require_snapshot
from pbstore.errors import DatastoreError, EncryptionKeyError, FormatError
from pbstore.format.damaged_file import in_file
from pbstore.format.manifest import MAX_MANIFEST_BYTES, Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace

MAX_BLOB_BYTES = MAX_MANIFEST_BYTES + 44


def read_manifest(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> tuple[Manifest, int]:
    """Return the manifest and the bytes of its blob. Nobody signs for it here: the server has no key.

    Raises:
        DatastoreError: there is no such snapshot, or it is unfinished.
        FormatError, IntegrityError: the file is damaged.
    """
    directory = require_snapshot(datastore, namespace, snapshot)
    blob = read_manifest_blob(directory)
    with in_file(directory / MANIFEST_NAME):
        try:
            data = _core.open_blob(blob, max_bytes=MAX_MANIFEST_BYTES)
        except EncryptionKeyError:
            raise FormatError(f"manifest of '{snapshot}' is encrypted, which no manifest may be") from None
        return Manifest.parse(data), len(blob)


def read_manifest_blob(directory: Path) -> bytes:
    """Return the manifest of the snapshot in `directory` as it is stored.

    Raises:
        DatastoreError: there is none.
        FormatError: it is too large.
    """
    path = directory / MANIFEST_NAME
    try:
        with path.open("rb") as file:
            blob = file.read(MAX_BLOB_BYTES + 1)
    except OSError as error:
        raise DatastoreError(f"unable to load manifest {path}: {error.strerror}") from error
    if len(blob) > MAX_BLOB_BYTES:
        raise FormatError(f"manifest {path} is too large")
    return blob


def update_manifest(
    datastore: Datastore, namespace: Namespace, snapshot: Snapshot, change: Callable[[Manifest], None]
) -> Manifest:
    """Let `change` edit the unprotected part of the manifest, under its lock, and replace the file at once.

    Raises:
        DatastoreError: there is no such snapshot, it is unfinished, or the file cannot be written.
        LockedError: the manifest is in use for more than five seconds.
        FormatError, IntegrityError: the file is damaged; it is left alone.
    """
    path = require_snapshot(datastore, namespace, snapshot) / MANIFEST_NAME
    with lock_manifest(datastore, namespace, snapshot):
        manifest, _ = read_manifest(datastore, namespace, snapshot)
        change(manifest)
        blob = _core.seal_blob(manifest.encode(), compress=True)
        if len(blob) > MAX_BLOB_BYTES:
            raise DatastoreError(f"manifest of '{snapshot}' would be too large")
        try:
            replace_file(path, blob, mode=FILE_MODE, owner=datastore.owner)
        except OSError as error:
            raise DatastoreError(f"cannot write {path}: {error.strerror}") from error
    return manifest
