"""The files of a snapshot as the server itself reads them: as stored, decoded, or single files out of archives."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pbstore._core import Catalog, FileBody, StoredArchive, StoredTree
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.manifest_file import read_manifest
from pbstore.errors import DatastoreError, EncryptionKeyError
from pbstore.format.damaged_file import in_file
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.namespace import Namespace

CATALOG_FILE_NAME = "catalog.pcat1.didx"


@dataclass(frozen=True)
class SnapshotFiles:
    """What is read of one snapshot. The manifest is looked at only where it is needed, and then believed."""

    datastore: Datastore
    namespace: Namespace
    snapshot: Snapshot

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest; raises what `read_manifest` raises."""
        return read_manifest(self.datastore, self.namespace, self.snapshot)[0]

    def stored(self, file_name: str) -> FileBody:
        """Return a file as it is.

        Raises:
            DatastoreError: there is none.
        """
        return FileBody(self._path(file_name))

    def decoded(self, file_name: str) -> FileBody:
        """Return the content of an archive or blob.

        Raises:
            DatastoreError: there is none, it is encrypted, or the manifest does not list the archive.
            FormatError, IntegrityError: the file is damaged, or is not what the manifest says.
        """
        self._check_plain(file_name)
        path, entry = self._path(file_name), self.manifest.find(file_name)
        try:
            with in_file(file_name):
                if file_name.endswith(".blob"):
                    return FileBody.decoded_blob(path, csum=None if entry is None else entry.csum)
                if entry is None:
                    raise DatastoreError(f"manifest does not contain file '{file_name}'")
                return FileBody.decoded_index(self.datastore.chunk_store, path, csum=entry.csum, size=entry.size)
        except EncryptionKeyError:
            raise _encrypted(file_name) from None

    def archive(self, file_name: str) -> StoredArchive:
        """Return an archive with a dynamic index, to be read at any place.

        Raises:
            DatastoreError: there is none, it is encrypted, or the manifest does not list it.
            FormatError, IntegrityError: the index is damaged, or is not what the manifest says.
        """
        self._check_plain(file_name)
        path, entry = (
            self.datastore.snapshot_path(self.namespace, self.snapshot) / file_name,
            self.manifest.find(file_name),
        )
        if not path.is_file():
            reason = f'Unable to open dynamic index "{path}" - No such file or directory (os error 2)'
            raise DatastoreError(f"unable to read dynamic index '\"{path}\"' - {reason}")
        if entry is None:
            raise DatastoreError(f"manifest does not contain file '{file_name}'")
        with in_file(file_name):
            return StoredArchive(self.datastore.chunk_store, path, csum=entry.csum, size=entry.size)

    def tree(self, file_name: str, *, with_content: bool) -> StoredTree:
        """Return the tree in a pxar archive: `NAME.pxar.didx`, or `NAME.mpxar.didx` for a split one.

        Args:
            file_name: the server's name.
            with_content: whether contents of files are wanted, which a split archive has in another file.

        Raises:
            DatastoreError, FormatError, IntegrityError: as `archive`.
        """
        if not file_name.endswith((".pxar.didx", ".mpxar.didx")):
            raise DatastoreError(
                f"'{file_name}' is no archive of files: expected like root.pxar.didx or root.mpxar.didx"
            )
        archive, payload = self.archive(file_name), None
        if with_content and file_name.endswith(".mpxar.didx"):
            payload = self.archive(file_name.removesuffix(".mpxar.didx") + ".ppxar.didx")
        with in_file(file_name):
            return StoredTree(archive, payload)

    def catalog(self) -> Catalog:
        """Return the catalog of the snapshot's version 1 archives.

        Raises:
            DatastoreError, FormatError, IntegrityError: as `archive`.
        """
        archive = self.archive(CATALOG_FILE_NAME)
        with in_file(CATALOG_FILE_NAME):
            return Catalog.stored(archive)

    @property
    def _directory(self) -> Path:
        return self.datastore.snapshot_path(self.namespace, self.snapshot)

    def _check_plain(self, file_name: str) -> None:
        entry = self.manifest.find(file_name)
        if entry is not None and entry.crypt_mode is CryptMode.ENCRYPT:
            raise _encrypted(file_name)

    def _path(self, file_name: str) -> Path:
        path = self._directory / file_name
        if not path.is_file():
            raise DatastoreError("File open failed: No such file or directory (os error 2)")
        return path


def _encrypted(file_name: str) -> DatastoreError:
    return DatastoreError(f"cannot decode '{file_name}' - is encrypted")
