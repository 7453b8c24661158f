"""The previous backup of the group, as far as it can be trusted: manifest and indexes (backup-protocol.md 3)."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from pbstore import _core
from pbstore.client.answers import data_of
from pbstore.client.keys import Keys
from pbstore.client.manifest_check import check_key, parse_manifest
from pbstore.client.report import Reporter
from pbstore.errors import AbortedError, ConnectionFailedError, IntegrityError, PbstoreError, ProtocolError
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest, ManifestFile
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.local_time import local_time_text

Index = TypeVar("Index", _core.FixedIndex, _core.DynamicIndex)


class PreviousBackup:
    """What a new backup may take over. Without a usable manifest everything is uploaded.

    `snapshot` is where it is, None if the group has none.
    """

    def __init__(self, session: _core.Session, group: BackupGroup, keys: Keys, reporter: Reporter):
        self._session = session
        self._group = group
        self._keys = keys
        self._reporter = reporter
        self.snapshot: Snapshot | None = None
        self._manifest = self._load_manifest()

    @property
    def is_vouched_for(self) -> bool:
        """Whether the own key has signed the manifest, or there is no key that could have."""
        return self._manifest is not None and (self._keys.key is None or self._manifest.signature is not None)

    def entry(self, file_name: str) -> ManifestFile | None:
        """What the manifest says of a file; None if it does not list it or cannot be used."""
        return None if self._manifest is None else self._manifest.find(file_name)

    def fixed_index(self, file_name: str) -> _core.FixedIndex | None:
        """The index of the image of that name, checked against the manifest; None if it cannot be used."""
        return self._index(file_name, _core.FixedIndex.parse)

    def dynamic_index(self, file_name: str) -> _core.DynamicIndex | None:
        """The index of the archive of that name, checked against the manifest; None if it cannot be used."""
        return self._index(file_name, _core.DynamicIndex.parse)

    def _load_manifest(self) -> Manifest | None:
        previous_time = data_of(200, self._session.request("GET", "previous_backup_time"))
        if previous_time is None:
            self._reporter.info("No previous manifest available.")
            return None
        if not isinstance(previous_time, int):
            raise ProtocolError("the server's previous backup time is no number")
        self.snapshot = Snapshot(self._group, previous_time)
        self._reporter.info(f"Downloading previous manifest ({local_time_text(previous_time)})")
        try:
            blob = self._download(MANIFEST_FILE_NAME)
        except (AbortedError, ConnectionFailedError):
            raise
        except PbstoreError as error:
            self._reporter.warn(f"Couldn't download previous manifest - {error}")
            return None
        try:
            manifest = parse_manifest(blob, self._keys)
            check_key(manifest, self._keys)
        except PbstoreError as error:
            self._reporter.warn(f"Couldn't re-use previous manifest - {error}")
            return None
        return manifest

    def _index(self, file_name: str, parse: Callable[[bytes], Index]) -> Index | None:
        if self._manifest is None:
            return None
        entry = self._manifest.find(file_name)
        if entry is None:
            self._reporter.info(
                f"Previous manifest does not contain an archive called '{file_name}', skipping download.."
            )
            return None
        try:
            return checked_index(parse(self._download(file_name)), entry)
        except (AbortedError, ConnectionFailedError):
            raise
        except PbstoreError as error:
            self._reporter.warn(f"Error downloading {file_name} from previous manifest: {error}")
            return None

    def _download(self, file_name: str) -> bytes:
        return self._session.request("GET", "previous", urlencode({"archive-name": file_name}))


def checked_index(index: Index, entry: ManifestFile) -> Index:
    """Return the index.

    Raises:
        IntegrityError: it is not the one that the manifest means.
    """
    if (index.size, index.csum) != (entry.size, entry.csum):
        raise IntegrityError("its content is not what the manifest says")
    return index
