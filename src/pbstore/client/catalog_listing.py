"""Names, sizes and times of all files of a snapshot: from its catalog, and from the metadata of its split archives."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlencode

from pbstore import _core
from pbstore.client.keys import Keys
from pbstore.client.manifest_check import check_key, parse_manifest
from pbstore.client.previous_backup import checked_index
from pbstore.client.server import Server
from pbstore.errors import IntegrityError, NotFoundError
from pbstore.format.damaged_file import in_file
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest, ManifestFile
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace

CATALOG_FILE_NAME = "catalog.pcat1.didx"
_METADATA_SUFFIX = ".mpxar.didx"


@dataclass(frozen=True)
class ListedEntry:
    """One name. `path` starts with the archive's file name; size and time are those of regular files."""

    path: bytes
    kind: str
    size: int
    mtime_seconds: int


class CatalogListing:
    """The entries of one snapshot, over a connection that `close` ends."""

    def __init__(self, server: Server, namespace: Namespace, snapshot: Snapshot, keys: Keys):
        """Connect.

        Raises:
            ServerError: there is no such snapshot, or the user may not read it.
        """
        self._snapshot = snapshot
        self._keys = keys
        self._session = server.open_reader(namespace, snapshot)

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    def entries(self) -> Iterator[ListedEntry]:
        """All entries, archive by archive, parents first.

        Raises:
            NotFoundError: the snapshot has no directory trees.
            EncryptionKeyError: the key is missing or another one.
            IntegrityError, FormatError: something is not what the manifest says.
        """
        manifest = self._manifest()
        split = sorted(file.filename for file in manifest.files if file.filename.endswith(_METADATA_SUFFIX))
        for name in split:
            yield from self._metadata_entries(_entry(manifest, name))
        if not split or manifest.find(CATALOG_FILE_NAME) is not None:
            yield from self._catalog_entries(_entry(manifest, CATALOG_FILE_NAME))

    def _manifest(self) -> Manifest:
        manifest = parse_manifest(self._download(MANIFEST_FILE_NAME), self._keys)
        if manifest.snapshot != self._snapshot:
            raise IntegrityError(f"the server sent the manifest of {manifest.snapshot} for {self._snapshot}")
        check_key(manifest, self._keys)
        return manifest

    def _metadata_entries(self, entry: ManifestFile) -> Iterator[ListedEntry]:
        with self._fetched(entry) as file, in_file(entry.filename):
            for item in _core.list_pxar(_path_of(file)):
                if item.path != b"/":
                    path = entry.filename.encode() + item.path
                    yield ListedEntry(path, item.kind, item.size, item.mtime_seconds)

    def _catalog_entries(self, entry: ManifestFile) -> Iterator[ListedEntry]:
        with self._fetched(entry) as file, in_file(entry.filename):
            for item in _core.Catalog(_path_of(file)).entries():
                yield ListedEntry(item.path.removeprefix(b"/"), item.kind, item.size, item.mtime_seconds)

    def _fetched(self, entry: ManifestFile) -> BinaryIO:
        """The content of an archive in a file without a name."""
        index = self._download(entry.filename)
        with in_file(entry.filename):
            checked_index(_core.DynamicIndex.parse(index), entry)
        file = tempfile.TemporaryFile(prefix="pbstore-catalog-")  # noqa: SIM115 - handed out
        try:
            self._session.restore_stream(
                index,
                file.fileno(),
                key=self._keys.key,
                crypt_mode=entry.crypt_mode.value,
                archive_name=entry.filename,
            )
        except BaseException:
            file.close()
            raise
        return file

    def _download(self, file_name: str) -> bytes:
        return self._session.request("GET", "download", urlencode({"file-name": file_name}))


def _entry(manifest: Manifest, name: str) -> ManifestFile:
    entry = manifest.find(name)
    if entry is None:
        raise NotFoundError(f"manifest does not contain file '{name}'")
    return entry


def _path_of(file: BinaryIO) -> str:
    return f"/proc/self/fd/{file.fileno()}"
