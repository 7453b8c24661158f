"""Prove that a snapshot could be restored: read, decrypt and check all of it, and write nothing."""

import time
from dataclasses import dataclass, field

from pbstore import _core
from pbstore.client.keys import Keys
from pbstore.client.report import Reporter
from pbstore.client.server import Server
from pbstore.client.snapshot_archives import SnapshotArchive, archive_names, find_archive
from pbstore.client.snapshot_reader import SnapshotReader
from pbstore.errors import AbortedError, ConnectionFailedError, IntegrityError, PbstoreError
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest
from pbstore.model.archive_name import archive_name
from pbstore.model.backup import Snapshot
from pbstore.model.human_size import human_size, human_time_span
from pbstore.model.namespace import Namespace


@dataclass(frozen=True, kw_only=True)
class RestoreCheck:
    """What to check; `file_name` is the server's, None means all that the manifest lists."""

    snapshot: Snapshot
    namespace: Namespace = field(default_factory=Namespace)
    file_name: str | None = None
    keys: Keys
    must_be_signed: bool = False


def run_restore_check(server: Server, check: RestoreCheck, reporter: Reporter) -> None:
    """Check every archive, whatever became of those before, and report each.

    Raises:
        IntegrityError: not all of them could be restored.
        EncryptionKeyError: the key is missing or another one.
        NotFoundError: there is no such archive.
        PbstoreError: the check did not come to its end.
    """
    session = server.open_reader(check.namespace, check.snapshot)
    try:
        reporter.opened(session)
        _Check(session, check, reporter).run()
    finally:
        session.close()


class _Check:
    def __init__(self, session: _core.Session, check: RestoreCheck, reporter: Reporter):
        self.session = session
        self.check = check
        self.reporter = reporter
        self.reader = SnapshotReader(session, check.snapshot, check.keys, reporter)
        self.checked_bytes = 0

    def run(self) -> None:
        started = time.monotonic()
        wanted = self.check.file_name
        manifest = self.reader.manifest(for_file=wanted, must_be_signed=self.check.must_be_signed)
        if wanted is None:
            names = list(archive_names(manifest))
        elif wanted == MANIFEST_FILE_NAME:
            names = []
        else:
            find_archive(manifest, wanted)
            names = [wanted]
        failed = sum(not self.passes(manifest, name) for name in names)
        self.reporter.info(
            f"checked {len(names)} archives of {self.check.snapshot}, {human_size(self.checked_bytes)} "
            f"in {human_time_span(time.monotonic() - started)}"
        )
        if failed:
            raise IntegrityError(f"{failed} of {len(names)} archives of {self.check.snapshot} cannot be restored")

    def passes(self, manifest: Manifest, file_name: str) -> bool:
        """Whether the archive is whole, which is also told."""
        try:
            archive = find_archive(manifest, file_name)
            found = self.examine(archive)
        except (AbortedError, ConnectionFailedError):
            raise
        except PbstoreError as error:
            self.reporter.warn(f"{archive_name(file_name)}: DAMAGED - {error}")
            return False
        self.reporter.info(f"{archive.name}: ok ({found})")
        return True

    def examine(self, archive: SnapshotArchive) -> str:
        """Read all of it; what there was."""
        entry = archive.entry
        if entry.filename.endswith(".blob"):
            size = len(self.reader.blob(entry))
            self.checked_bytes += size
            return human_size(size)
        index = self.reader.index(entry)
        payload_index = None if archive.payload is None else self.reader.index(archive.payload)
        progress = self.reporter.begin(archive.name)
        try:
            if not archive.is_tree:
                size = self.session.verify_chunks(
                    index,
                    key=self.check.keys.key,
                    crypt_mode=entry.crypt_mode.value,
                    archive_name=archive_name(entry.filename),
                    progress=progress,
                )
                self.checked_bytes += size
                return human_size(size)
            stats = self.session.verify_tree(
                index,
                payload_index=payload_index,
                key=self.check.keys.key,
                crypt_mode=entry.crypt_mode.value,
                archive_name=archive_name(entry.filename),
                payload_name=archive_name((archive.payload or entry).filename),
                progress=progress,
            )
        finally:
            self.reporter.end()
        self.checked_bytes += stats.size
        return f"{human_size(stats.size)}, {stats.entry_count} entries"
