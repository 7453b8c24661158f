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
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest
from pbstore.model.local_time import local_time_text

Index = TypeVar("Index", _core.FixedIndex, _core.DynamicIndex)


class PreviousBackup:
    """What a new backup may take over. Without a usable manifest everything is uploaded."""

    def __init__(self, session: _core.Session, keys: Keys, reporter: Reporter):
        self._session = session
        self._reporter = reporter
        self._manifest = self._load_manifest(keys)

    def fixed_index(self, file_name: str) -> _core.FixedIndex | None:
        """The index of the image of that name, checked against the manifest; None if it cannot be used."""
        return self._index(file_name, _core.FixedIndex.parse)

    def dynamic_index(self, file_name: str) -> _core.DynamicIndex | None:
        """The index of the archive of that name, checked against the manifest; None if it cannot be used."""
        return self._index(file_name, _core.DynamicIndex.parse)

    def _load_manifest(self, keys: Keys) -> Manifest | None:
        previous_time = data_of(200, self._session.request("GET", "previous_backup_time"))
        if previous_time is None:
            self._reporter.info("No previous manifest available.")
            return None
        if not isinstance(previous_time, int):
            raise ProtocolError("the server's previous backup time is no number")
        self._reporter.info(f"Downloading previous manifest ({local_time_text(previous_time)})")
        try:
            blob = self._download(MANIFEST_FILE_NAME)
        except (AbortedError, ConnectionFailedError):
            raise
        except PbstoreError as error:
            self._reporter.warn(f"Couldn't download previous manifest - {error}")
            return None
        try:
            manifest = parse_manifest(blob, keys)
            check_key(manifest, keys)
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
            index = parse(self._download(file_name))
            if (index.size, index.csum) != (entry.size, entry.csum):
                raise IntegrityError("its content is not what the manifest says")
        except (AbortedError, ConnectionFailedError):
            raise
        except PbstoreError as error:
            self._reporter.warn(f"Error downloading {file_name} from previous manifest: {error}")
            return None
        return index

    def _download(self, file_name: str) -> bytes:
        return self._session.request("GET", "previous", urlencode({"archive-name": file_name}))
