"""Make a backup: archives in the given order, catalog, sealed key, manifest, finish (backup-protocol.md 3)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from pbstore import _core
from pbstore.client.backup_source import BackupSource, SourceKind
from pbstore.client.keys import Keys
from pbstore.client.previous_backup import PreviousBackup
from pbstore.client.report import Reporter
from pbstore.client.server import Server
from pbstore.errors import PbstoreError
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest
from pbstore.model.archive_name import archive_name
from pbstore.model.backup import Snapshot
from pbstore.model.human_size import human_size, human_speed
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
    dry_run: bool = False
    no_cache: bool = False


def run_backup(server: Server, job: BackupJob, reporter: Reporter) -> int:
    """Make the backup and return how many warnings there were.

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
            backup.run()
        return backup.warning_count
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
        self.previous = PreviousBackup(session, job.keys, reporter)
        self.manifest = Manifest(job.snapshot)
        self.catalog: _core.CatalogUpload | None = None
        self.warning_count = 0

    def announce_only(self) -> None:
        for source in self.job.sources:
            self.announce("Would upload", source)
        self.reporter.info("dry-run: no upload happened")

    def run(self) -> None:
        for source in self.job.sources:
            self.announce("Upload", source)
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

    def announce(self, verb: str, source: BackupSource) -> None:
        what = source.kind.value
        self.reporter.info(f"{verb} {what} '{source.path}' to '{self.repository}' as {source.file_name}")

    def upload_tree(self, source: BackupSource) -> None:
        if self.catalog is None:
            self.catalog = self.session.start_catalog(key=self.keys.sealing_key)
        previous = self.previous.dynamic_index(source.file_name)
        options = self.job.tree
        progress = self.reporter.begin(source.archive_name)
        try:
            stats = self.session.upload_tree(
                source.path,
                source.file_name,
                key=self.keys.sealing_key,
                previous=previous,
                catalog=self.catalog,
                exclude=list(options.exclude),
                include_devices=list(options.include_devices),
                all_file_systems=options.all_file_systems,
                skip_lost_and_found=options.skip_lost_and_found,
                skip_e2big_xattr=options.skip_e2big_xattr,
                entries_max=options.entries_max,
                chunk_size=options.chunk_size,
                progress=progress,
            )
        finally:
            self.reporter.end()
        self.add_archive(source.file_name, stats)

    def upload_image(self, source: BackupSource) -> None:
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
        with source.path.open("rb") as file:
            data = file.read(MAX_BLOB_BYTES + 1)
        if len(data) > MAX_BLOB_BYTES:
            limit = human_size(MAX_BLOB_BYTES)
            raise PbstoreError(f"'{source.path}' is larger than {limit}: back it up as part of a directory")
        self.add_blob(source.file_name, _core.seal_blob(data, key=self.keys.sealing_key, compress=True))

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

    def add_archive(self, file_name: str, stats: _core.UploadStats) -> None:
        for warning in stats.warnings:
            self.reporter.warn(warning)
        self.warning_count += len(stats.warnings)
        self.manifest.add(file_name, self.keys.crypt_mode, stats.size, stats.csum)
        for line in _summary(archive_name(file_name), stats):
            self.reporter.info(line)

    def add_blob(self, file_name: str, blob: bytes) -> None:
        self.post_blob(file_name, blob)
        self.manifest.add(file_name, self.keys.crypt_mode, len(blob), hashlib.sha256(blob).digest())

    def post_blob(self, file_name: str, blob: bytes) -> None:
        query = urlencode({"file-name": file_name, "encoded-size": len(blob)})
        self.session.request("POST", "blob", query, blob, "application/octet-stream")


def _summary(name: str, stats: _core.UploadStats) -> list[str]:
    uploaded = stats.size - stats.reused_bytes
    seconds = stats.duration_seconds
    lines = [
        f"{name}: had to backup {human_size(uploaded)} of {human_size(stats.size)} "
        f"(compressed {human_size(stats.compressed_bytes)}) in {seconds:.2f} s "
        f"(average {human_speed(uploaded, seconds)})"
    ]
    if stats.reused_bytes > 0:
        percent = stats.reused_bytes * 100 / stats.size
        lines.append(f"{name}: backup was done incrementally, reused {human_size(stats.reused_bytes)} ({percent:.1f}%)")
    return lines
