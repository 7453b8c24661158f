"""Make a backup: archives in the given order, catalog, sealed key, manifest, finish (backup-protocol.md 3)."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlencode

from pbstore import _core
from pbstore.client.backup_source import BackupSource, SourceKind
from pbstore.client.backup_summary import BackupSummary
from pbstore.client.change_detection import ChangeDetection
from pbstore.client.keys import Keys
from pbstore.client.metadata_reference import MetadataReference
from pbstore.client.previous_backup import PreviousBackup
from pbstore.client.report import Reporter
from pbstore.client.server import Server
from pbstore.client.upload_summary import change_lines, split_upload_lines, upload_lines
from pbstore.errors import PbstoreError
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest
from pbstore.model.archive_name import SplitNames, archive_name, split_names
from pbstore.model.backup import Snapshot
from pbstore.model.human_size import human_size
from pbstore.model.namespace import Namespace

CATALOG_FILE_NAME = "catalog.pcat1.didx"
SEALED_KEY_FILE_NAME = "rsa-encrypted.key.blob"
MAX_BLOB_BYTES = 16 * 1024 * 1024
CHUNK_SIZE = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class TreeOptions:
    """How directories are walked and cut; devices are `st_dev` numbers, `chunk_size` is the average in bytes."""

    exclude: Sequence[str] = ()
    include_devices: Sequence[int] = ()
    all_file_systems: bool = False
    skip_lost_and_found: bool = False
    skip_e2big_xattr: bool = False
    entries_max: int = 1024 * 1024
    chunk_size: int = CHUNK_SIZE


@dataclass(frozen=True, kw_only=True)
class BackupJob:
    """What to back up as what."""

    snapshot: Snapshot
    namespace: Namespace = field(default_factory=Namespace)
    sources: Sequence[BackupSource]
    keys: Keys
    tree: TreeOptions = field(default_factory=TreeOptions)
    change_detection: ChangeDetection = ChangeDetection.LEGACY
    dry_run: bool = False
    no_cache: bool = False


def run_backup(server: Server, job: BackupJob, reporter: Reporter) -> BackupSummary:
    """Make the backup and return what it came to.

    Raises:
        PbstoreError: it failed or was stopped; nothing of it is visible on the server then.
    """
    session = server.open_backup(job.namespace, job.snapshot, no_cache=job.no_cache)
    try:
        reporter.opened(session)
        backup = _Backup(session, server, job, reporter)
        if job.dry_run:
            backup.announce_only()
        else:
            with closing(backup.reference):
                backup.run()
        return backup.summary
    finally:
        # Without `finish` before it, this makes the server remove the snapshot.
        session.close()


class _Backup:
    def __init__(self, session: _core.Session, server: Server, job: BackupJob, reporter: Reporter):
        self.session = session
        self.job = job
        self.keys = job.keys
        self.reporter = reporter
        self.repository = str(server.repository)
        self.previous = PreviousBackup(session, job.snapshot.group, job.keys, reporter)
        self.reference = MetadataReference(server, job.namespace, self.previous, job.keys, reporter)
        self.manifest = Manifest(job.snapshot)
        self.catalog: _core.CatalogUpload | None = None
        self.summary = BackupSummary()

    def announce_only(self) -> None:
        for source in self.job.sources:
            self.announce("Would upload", source, source.file_name)
        self.reporter.info("dry-run: no upload happened")

    def run(self) -> None:
        for source in self.job.sources:
            if source.kind is SourceKind.TREE:
                self.upload_tree(source)
            elif source.kind is SourceKind.IMAGE:
                self.upload_image(source)
            else:
                self.upload_file(source)
        self.finish_catalog()
        self.upload_sealed_key()
        manifest = self.manifest.encode(self.keys.key)
        self.post_blob(MANIFEST_FILE_NAME, _core.seal_blob(manifest, compress=True))
        self.session.request("POST", "finish")

    def announce(self, verb: str, source: BackupSource, file_name: str) -> None:
        what = source.kind.value
        self.reporter.info(f"{verb} {what} '{source.path}' to '{self.repository}' as {file_name}")

    def upload_tree(self, source: BackupSource) -> None:
        names = split_names(source.archive_name)
        if names is not None and self.job.change_detection.makes_split_archives:
            self.upload_split_tree(source, names)
        else:
            self.upload_whole_tree(source)

    def upload_whole_tree(self, source: BackupSource) -> None:
        self.announce("Upload", source, source.file_name)
        if self.catalog is None:
            self.catalog = self.session.start_catalog(key=self.keys.sealing_key)
        previous = self.previous.dynamic_index(source.file_name)
        progress = self.reporter.begin(source.archive_name)
        try:
            stats = self.session.upload_tree(
                source.path,
                source.file_name,
                key=self.keys.sealing_key,
                previous=previous,
                catalog=self.catalog,
                options=_core.TreeOptions(**vars(self.job.tree)),
                progress=progress,
            )
        finally:
            self.reporter.end()
        self.add_archive(source.file_name, stats, progress.entry_count)

    def upload_split_tree(self, source: BackupSource, names: SplitNames) -> None:
        self.announce("Upload", source, names.metadata)
        previous_metadata = self.previous.dynamic_index(names.metadata)
        previous_payload = self.previous.dynamic_index(names.payload)
        progress = self.reporter.begin(source.archive_name)
        try:
            reference = None
            if self.job.change_detection is ChangeDetection.METADATA:
                reference = self.reference.open(names, previous_payload, progress)
            stats = self.session.upload_split_tree(
                source.path,
                names.metadata,
                names.payload,
                key=self.keys.sealing_key,
                previous_metadata=previous_metadata,
                previous_payload=previous_payload,
                reference=reference,
                options=_core.TreeOptions(**vars(self.job.tree)),
                progress=progress,
            )
        finally:
            self.reporter.end()
        self.summary.add_archive(
            stats.metadata, stats.payload, entry_count=progress.entry_count, warning_count=stats.warning_count
        )
        self.manifest.add(names.payload, self.keys.crypt_mode, stats.payload.size, stats.payload.csum)
        self.manifest.add(names.metadata, self.keys.crypt_mode, stats.metadata.size, stats.metadata.csum)
        if reference is not None:
            self.inform(change_lines(stats))
        self.inform(split_upload_lines(archive_name(names.metadata), archive_name(names.payload), stats))

    def upload_image(self, source: BackupSource) -> None:
        self.announce("Upload", source, source.file_name)
        previous = self.previous.fixed_index(source.file_name)
        progress = self.reporter.begin(source.archive_name)
        try:
            stats = self.session.upload_image(
                source.path, source.file_name, key=self.keys.sealing_key, previous=previous, progress=progress
            )
        finally:
            self.reporter.end()
        self.add_archive(source.file_name, stats)

    def upload_file(self, source: BackupSource) -> None:
        self.announce("Upload", source, source.file_name)
        with source.path.open("rb") as file:
            data = file.read(MAX_BLOB_BYTES + 1)
        if len(data) > MAX_BLOB_BYTES:
            limit = human_size(MAX_BLOB_BYTES)
            raise PbstoreError(f"'{source.path}' is larger than {limit}: back it up as part of a directory")
        blob = _core.seal_blob(data, key=self.keys.sealing_key, compress=True)
        self.add_blob(source.file_name, blob)
        self.summary.add_file(len(data), len(blob))

    def finish_catalog(self) -> None:
        if self.catalog is None:
            return
        stats = self.catalog.finish()
        self.manifest.add(CATALOG_FILE_NAME, self.keys.crypt_mode, stats.size, stats.csum)
        self.reporter.info(f"Uploaded backup catalog ({human_size(stats.size)})")

    def upload_sealed_key(self) -> None:
        sealed = self.keys.sealed_for_master
        if sealed is None:
            return
        self.reporter.info(f"Upload RSA encoded key to '{self.repository}' as {SEALED_KEY_FILE_NAME}")
        self.add_blob(SEALED_KEY_FILE_NAME, _core.seal_blob(sealed, compress=False))

    def add_archive(self, file_name: str, stats: _core.UploadStats, entry_count: int = 0) -> None:
        self.summary.add_archive(stats, entry_count=entry_count, warning_count=stats.warning_count)
        self.manifest.add(file_name, self.keys.crypt_mode, stats.size, stats.csum)
        self.inform(upload_lines(archive_name(file_name), stats))

    def inform(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.reporter.info(line)

    def add_blob(self, file_name: str, blob: bytes) -> None:
        self.post_blob(file_name, blob)
        self.manifest.add(file_name, self.keys.crypt_mode, len(blob), hashlib.sha256(blob).digest())

    def post_blob(self, file_name: str, blob: bytes) -> None:
        query = urlencode({"file-name": file_name, "encoded-size": len(blob)})
        self.session.request("POST", "blob", query, blob, "application/octet-stream")
