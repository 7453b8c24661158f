"""The files of one snapshot as a reader session gives them, each checked before it is used (reader-protocol.md 3)."""

import hashlib
from urllib.parse import urlencode

from pbstore import _core
from pbstore.client.keys import Keys
from pbstore.client.manifest_check import check_key, parse_manifest
from pbstore.client.report import Reporter
from pbstore.errors import EncryptionKeyError, IntegrityError
from pbstore.format.damaged_file import in_file
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest, ManifestFile
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode

SEALED_KEY_FILE_NAME = "rsa-encrypted.key.blob"


class SnapshotReader:
    """Downloads and checks; trusts nothing that the server sends."""

    def __init__(self, session: _core.Session, snapshot: Snapshot, keys: Keys, reporter: Reporter):
        self.session = session
        self.keys = keys
        self._snapshot = snapshot
        self._reporter = reporter

    def manifest(self, *, for_file: str | None = None, must_be_signed: bool = False) -> Manifest:
        """The manifest, after a line that names the key if there is one.

        Args:
            for_file: the file that is wanted; the key sealed for the master key can be had without any other.
            must_be_signed: whether to refuse what the key at hand does not vouch for.

        Raises:
            EncryptionKeyError: the key is missing, another one, or vouches for nothing.
            IntegrityError: it is not what it should be.
        """
        manifest = parse_manifest(self._download(MANIFEST_FILE_NAME), self.keys)
        if manifest.snapshot != self._snapshot:
            raise IntegrityError(f"the server sent the manifest of {manifest.snapshot} for {self._snapshot}")
        if for_file == SEALED_KEY_FILE_NAME and self.keys.key is None:
            self._reporter.warn(
                "Restoring encrypted key blob without original key - skipping manifest fingerprint check!"
            )
            return manifest
        check_key(manifest, self.keys)
        if self.keys.key is not None and manifest.signature is None and must_be_signed:
            raise EncryptionKeyError(
                f"the manifest of {self._snapshot} is not signed, so the key cannot vouch for it: "
                "leave --crypt-mode out to restore it all the same"
            )
        if self.keys.fingerprint is not None:
            self._reporter.info(f"Fingerprint: {self.keys.fingerprint.short_id}")
        return manifest

    def blob(self, entry: ManifestFile) -> bytes:
        """The content of a blob."""
        blob = self._download(entry.filename)
        _check(entry, len(blob), hashlib.sha256(blob).digest())
        with in_file(entry.filename):
            is_encrypted = _core.blob_kind(blob).startswith("encrypted")
        # The key that is sealed for the master key is the one blob that an encrypted backup holds in plain.
        if is_encrypted != (entry.crypt_mode is CryptMode.ENCRYPT) and entry.filename != SEALED_KEY_FILE_NAME:
            raise IntegrityError(f"'{entry.filename}' is not stored as the manifest says ({entry.crypt_mode})")
        with in_file(entry.filename):
            return _core.open_blob(blob, key=self.keys.key)

    def index(self, entry: ManifestFile) -> bytes:
        """The index of an archive, fixed or dynamic by its name."""
        index = self._download(entry.filename)
        parse = _core.FixedIndex.parse if entry.filename.endswith(".fidx") else _core.DynamicIndex.parse
        with in_file(entry.filename):
            parsed = parse(index)
        _check(entry, parsed.size, parsed.csum)
        return index

    def _download(self, file_name: str) -> bytes:
        return self.session.request("GET", "download", urlencode({"file-name": file_name}))


def _check(entry: ManifestFile, size: int, csum: bytes) -> None:
    if size != entry.size:
        raise IntegrityError(f"wrong size for file '{entry.filename}': {size} bytes, the manifest says {entry.size}")
    if csum != entry.csum:
        raise IntegrityError(f"wrong checksum for file '{entry.filename}'")
