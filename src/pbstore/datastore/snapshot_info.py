"""What lists say of a snapshot (rest-api.md, GET snapshots and files)."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pbstore.datastore.datastore import Datastore
from pbstore.datastore.manifest_file import read_manifest
from pbstore.datastore.snapshots import MANIFEST_NAME, is_protected, require_snapshot
from pbstore.datastore.verify_state import VerifyState
from pbstore.errors import DatastoreError, FormatError, IntegrityError
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.fingerprint import Fingerprint
from pbstore.model.namespace import Namespace

MAX_FILES = 10_000
_FILE_NAME = re.compile(r".*\.(?:[fd]idx|blob)")


@dataclass(frozen=True)
class SnapshotFile:
    """A file of a snapshot; mode and size in bytes are known of what the manifest lists, and of itself."""

    filename: str
    crypt_mode: CryptMode | None = None
    size: int | None = None


@dataclass(frozen=True)
class SnapshotInfo:
    """A snapshot; what comes from the manifest is None without a readable one. `size` is the sum of its files."""

    snapshot: Snapshot
    files: tuple[SnapshotFile, ...]
    is_protected: bool
    is_finished: bool
    size: int | None = None
    notes: str | None = None
    verification: VerifyState | None = None
    fingerprint: Fingerprint | None = None

    @property
    def comment(self) -> str | None:
        """The first line of the notes."""
        return self.notes.partition("\n")[0] if self.notes else None


def describe_snapshot(datastore: Datastore, namespace: Namespace, snapshot: Snapshot) -> SnapshotInfo:
    """Return what lists say; a snapshot with a damaged or without a manifest has file names only.

    Raises:
        DatastoreError: there is no such snapshot.
    """
    directory = require_snapshot(datastore, namespace, snapshot)
    protected = is_protected(datastore, namespace, snapshot)
    names = _names(directory)
    is_finished = MANIFEST_NAME in names
    try:
        manifest, manifest_bytes = read_manifest(datastore, namespace, snapshot)
        files = _listed_files(manifest, manifest_bytes)
    except (DatastoreError, FormatError, IntegrityError):
        return SnapshotInfo(snapshot, tuple(map(SnapshotFile, names)), protected, is_finished)
    listed = {file.filename for file in files}
    others = [SnapshotFile(name) for name in names if name not in listed]
    return SnapshotInfo(
        snapshot,
        (*files, *others),
        protected,
        is_finished,
        size=sum(file.size or 0 for file in files),
        notes=_text(manifest.unprotected.get("notes")),
        verification=VerifyState.of(manifest),
        fingerprint=manifest.key_fingerprint,
    )


def _names(directory: Path) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for _, entry in zip(range(MAX_FILES), entries, strict=False)]
    except OSError as error:
        raise DatastoreError(f'read dir "{directory}" - {error.strerror}') from error
    return sorted(name for name in names if _FILE_NAME.fullmatch(name))


def _listed_files(manifest: Manifest, manifest_bytes: int) -> list[SnapshotFile]:
    files = [SnapshotFile(file.filename, file.crypt_mode, file.size) for file in manifest.files]
    mode = CryptMode.SIGN_ONLY if manifest.signature else CryptMode.NONE
    return [*files, SnapshotFile(MANIFEST_NAME, mode, manifest_bytes)]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
