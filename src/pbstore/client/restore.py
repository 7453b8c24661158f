"""Restore one archive of a snapshot, trusting nothing that the server sends (reader-protocol.md 3, cli-client.md 4)."""

import os
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pbstore import _core
from pbstore.client.keys import Keys
from pbstore.client.report import Reporter
from pbstore.client.restore_target import RestoreTarget
from pbstore.client.server import Server
from pbstore.client.snapshot_archives import find_archive
from pbstore.client.snapshot_reader import SnapshotReader
from pbstore.errors import PbstoreError
from pbstore.format.manifest import MANIFEST_FILE_NAME, ManifestFile
from pbstore.model.archive_name import archive_name, split_names
from pbstore.model.backup import Snapshot
from pbstore.model.human_size import human_size, human_speed, human_time_span
from pbstore.model.namespace import Namespace


@dataclass(frozen=True, kw_only=True)
class UnpackOptions:
    """How a directory tree is unpacked; `overwrite` is all of `overwrite_*` and `allow_existing_dirs`.

    `patterns` select what is unpacked, the last one that matches decides; none: everything.
    """

    overwrite: bool = False
    overwrite_files: bool = False
    overwrite_symlinks: bool = False
    overwrite_hardlinks: bool = False
    allow_existing_dirs: bool = False
    ignore_acls: bool = False
    ignore_xattrs: bool = False
    ignore_ownership: bool = False
    ignore_permissions: bool = False
    ignore_device_errors: bool = False
    patterns: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class RestoreJob:
    """What to restore whereto; `file_name` is the server's. `must_be_signed` refuses what no key vouches for.

    `prelude_target` gets what a split archive says of how it was made.
    """

    snapshot: Snapshot
    namespace: Namespace = field(default_factory=Namespace)
    file_name: str
    target: RestoreTarget
    keys: Keys
    unpack: UnpackOptions = field(default_factory=UnpackOptions)
    prelude_target: RestoreTarget | None = None
    must_be_signed: bool = False


def run_restore(server: Server, job: RestoreJob, reporter: Reporter) -> None:
    """Restore the archive.

    Raises:
        EncryptionKeyError: the key is missing or another one.
        IntegrityError: something is not what the manifest says.
        NotFoundError: the snapshot has no such archive.
        PbstoreError: it failed or was stopped; a target made here is removed again.
    """
    session = server.open_reader(job.namespace, job.snapshot)
    try:
        reporter.opened(session)
        _Restore(session, job, reporter).run()
    finally:
        session.close()


class _Restore:
    def __init__(self, session: _core.Session, job: RestoreJob, reporter: Reporter):
        self.session = session
        self.reader = SnapshotReader(session, job.snapshot, job.keys, reporter)
        self.job = job
        self.keys = job.keys
        self.reporter = reporter

    def run(self) -> None:
        name = self.job.file_name
        self.check_patterns()
        manifest = self.reader.manifest(for_file=name, must_be_signed=self.job.must_be_signed)
        if name == MANIFEST_FILE_NAME:
            _write(self.job.target, manifest.encode_as_received())
            return
        archive = find_archive(manifest, name)
        if archive.payload is not None and self.job.target.is_stream:
            raise PbstoreError("unable to pipe split archive")
        if archive.entry.filename.endswith(".blob"):
            _write(self.job.target, self.reader.blob(archive.entry))
        elif archive.entry.filename.endswith(".fidx"):
            self.restore_image(archive.entry)
        elif archive.is_tree and not self.job.target.is_stream:
            self.restore_tree(archive.entry, archive.payload)
        else:
            self.restore_stream(archive.entry)

    def check_patterns(self) -> None:
        if not self.job.unpack.patterns:
            return
        if self.job.target.is_stream:
            raise PbstoreError("patterns select what is unpacked, but nothing is unpacked to standard output")
        if split_names(self.job.file_name) is None:
            raise PbstoreError(f"patterns select from a directory tree, which '{self.job.file_name}' is not")

    def restore_image(self, entry: ManifestFile) -> None:
        index = self.reader.index(entry)
        with self.job.target.file() as descriptor:
            # Holes are only good where nothing was before: what is on a device must be overwritten.
            sparse = stat.S_ISREG(os.fstat(descriptor).st_mode) and not self.job.target.is_stream
            self.transfer(
                entry,
                lambda progress: self.session.restore_image(
                    index,
                    descriptor,
                    key=self.keys.key,
                    crypt_mode=entry.crypt_mode.value,
                    archive_name=archive_name(entry.filename),
                    progress=progress,
                    sparse=sparse,
                ),
            )

    def restore_stream(self, entry: ManifestFile) -> None:
        index = self.reader.index(entry)
        with self.job.target.file() as descriptor:
            self.transfer(
                entry,
                lambda progress: self.session.restore_stream(
                    index,
                    descriptor,
                    key=self.keys.key,
                    crypt_mode=entry.crypt_mode.value,
                    archive_name=archive_name(entry.filename),
                    progress=progress,
                ),
            )

    def restore_tree(self, entry: ManifestFile, payload: ManifestFile | None) -> None:
        if self.job.prelude_target is not None:
            self.job.prelude_target.check_new()
        index = self.reader.index(entry)
        payload_index = None if payload is None else self.reader.index(payload)
        with self.job.target.directory() as directory:

            def unpack(progress: _core.Progress) -> int:
                stats = self.session.restore_tree(
                    index,
                    directory,
                    payload_index=payload_index,
                    key=self.keys.key,
                    crypt_mode=entry.crypt_mode.value,
                    archive_name=archive_name(entry.filename),
                    payload_name=archive_name((payload or entry).filename),
                    options=_core.UnpackOptions(**vars(self.job.unpack)),
                    progress=progress,
                )
                self.restore_prelude(stats.prelude)
                return stats.size

            self.transfer(entry, unpack)

    def restore_prelude(self, prelude: bytes | None) -> None:
        target = self.job.prelude_target
        if target is not None and prelude is None:
            self.reporter.info("No prelude entry found, skip prelude restore.")
        elif target is not None and prelude is not None:
            _write(target, prelude)

    def transfer(self, entry: ManifestFile, work: Callable[[_core.Progress], int]) -> None:
        started = time.monotonic()
        progress = self.reporter.begin(archive_name(entry.filename))
        try:
            size = work(progress)
        finally:
            self.reporter.end()
        seconds = time.monotonic() - started
        self.reporter.info(
            f"restore complete ({human_size(size)} processed in {human_time_span(seconds)}, "
            f"average {human_speed(size, seconds)})"
        )


def _write(target: RestoreTarget, data: bytes) -> None:
    with target.file() as descriptor, os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)
