"""The previous metadata archive, by which a backup recognises files that have not changed (version-4.md 2.2)."""

from urllib.parse import urlencode

from pbstore import _core
from pbstore.client.keys import Keys
from pbstore.client.previous_backup import PreviousBackup, checked_index
from pbstore.client.report import Reporter
from pbstore.client.server import Server
from pbstore.errors import AbortedError, PbstoreError
from pbstore.format.manifest import ManifestFile
from pbstore.model.archive_name import SplitNames
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace


class MetadataReference:
    """Reads from the previous snapshot over a connection of its own, while the backup session keeps it from removal.

    Whatever is missing or broken there costs only time: the files are read then.
    """

    def __init__(self, server: Server, namespace: Namespace, previous: PreviousBackup, keys: Keys, reporter: Reporter):
        self._server = server
        self._namespace = namespace
        self._previous = previous
        self._keys = keys
        self._reporter = reporter
        self._session: _core.Session | None = None

    def open(
        self, names: SplitNames, payload_index: _core.DynamicIndex | None, progress: _core.Progress
    ) -> _core.RemoteArchive | None:
        """The previous metadata archive; None if it, or the index of its payload, cannot be used.

        Cancelling `progress` ends it, and what is read from the archive later.
        """
        snapshot = self._previous.snapshot
        metadata, payload = self._previous.entry(names.metadata), self._previous.entry(names.payload)
        if snapshot is None or metadata is None:
            return None
        if payload is None:
            reason = "No previous payload index found in manifest"
        elif payload_index is None:
            reason = "No previous payload index"
        elif {metadata.crypt_mode, payload.crypt_mode} != {self._keys.crypt_mode}:
            reason = "Crypt mode mismatch"
        elif not self._previous.is_vouched_for:
            # Whoever could make it up could have us vouch for contents that we have not seen.
            reason = "Previous manifest is not signed"
        else:
            try:
                archive = self._open(snapshot, metadata, progress)
            except AbortedError:
                raise
            except PbstoreError as error:
                self._reporter.warn(f"Error downloading {names.metadata} from previous snapshot: {error}")
                reason = "No previous metadata index"
            else:
                self._reporter.info(f"Using previous index as metadata reference for '{names.metadata}'")
                return archive
        self._reporter.info(f"{reason}, continue without reference")
        return None

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._session is not None:
            self._session.close()

    def _open(self, snapshot: Snapshot, entry: ManifestFile, progress: _core.Progress) -> _core.RemoteArchive:
        if self._session is None:
            self._session = self._server.open_reader(self._namespace, snapshot)
            self._reporter.opened(self._session)
        index = self._session.request("GET", "download", urlencode({"file-name": entry.filename}))
        checked_index(_core.DynamicIndex.parse(index), entry)
        return self._session.open_archive(
            index,
            key=self._keys.sealing_key,
            crypt_mode=entry.crypt_mode.value,
            archive_name=entry.filename,
            progress=progress,
        )
