"""Checking a stored blob against its entry in the manifest (datastore-layout.md 7)."""

import hashlib
from pathlib import Path

from pbstore import _core
from pbstore.errors import FormatError, IntegrityError, PbstoreError
from pbstore.format.manifest import ManifestFile

_MAX_DATA_BYTES = 128 << 20
_MAX_BLOB_BYTES = _MAX_DATA_BYTES + 44


def check_blob(path: Path, entry: ManifestFile) -> None:
    """Return if the file is the blob that the manifest lists; what is not encrypted is decoded, too.

    Raises:
        IntegrityError: it is another file, or damaged.
        FormatError: it is no blob.
    """
    blob = _load(path)
    if len(blob) != entry.size:
        raise IntegrityError(f"wrong size ({entry.size} != {len(blob)})")
    if hashlib.sha256(blob).digest() != entry.csum:
        raise IntegrityError("wrong checksum")
    if not _core.blob_kind(blob).startswith("encrypted"):
        _core.open_blob(blob, max_bytes=_MAX_DATA_BYTES)


def _load(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            blob = file.read(_MAX_BLOB_BYTES + 1)
        if len(blob) > _MAX_BLOB_BYTES:
            raise FormatError("it is larger than any blob")
        _core.check_blob_crc(blob)
    except (PbstoreError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise IntegrityError(f"unable to load blob '\"{path}\"' - {reason}") from error
    return blob
