"""Restore one archive of a snapshot, trusting nothing that the server sends (reader-protocol.md 3, cli-client.md 4)."""

import hashlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from pbstore import _core
from pbstore.client.keys import Keys
from pbstore.client.manifest_check import check_key, parse_manifest
from pbstore.client.report import Reporter
from pbstore.client.restore_target import RestoreTarget
from pbstore.client.server import Server
from pbstore.errors import EncryptionKeyError, IntegrityError, NotFoundError
from pbstore.format.damaged_file import in_file
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest, ManifestFile
from pbstore.model.archive_name import archive_name
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.human_size import human_size, human_speed, human_time_span
from pbstore.model.namespace import Namespace

SEALED_KEY_FILE_NAME = "rsa-encrypted.key.blob"


@dataclass(frozen=True, kw_only=True)
class UnpackOptions:
    """How a directory tree is unpacked; `overwrite` is all of `overwrite_*` and `allow_existing_dirs`."""

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


@dataclass(frozen=True, kw_only=True)
class RestoreJob:
    """What to restore whereto; `file_name` is the server's. `must_be_signed` refuses what no key vouches for."""

    snapshot: Snapshot
    namespace: Namespace = field(default_factory=Namespace)
    file_name: str
    target: RestoreTarget
    keys: Keys
    unpack: UnpackOptions = field(default_factory=UnpackOptions)
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
        self.job = job
        self.keys = job.keys
        self.reporter = reporter

    def run(self) -> None:
        name = self.job.file_name
        manifest = self.checked_manifest()
        if name == MANIFEST_FILE_NAME:
            self.write(manifest.encode_as_received())
            return
        entry = manifest.find(name)
        if entry is None:
            raise NotFoundError(_missing_archive(manifest, name))
        if name.endswith(".blob"):
            self.restore_blob(entry)
        elif name.endswith(".fidx"):
            self.restore_image(entry)
        elif self.job.target.is_stream or not name.endswith(".pxar.didx"):
            self.restore_stream(entry)
        else:
            self.restore_tree(entry)

    def checked_manifest(self) -> Manifest:
        manifest = parse_manifest(self.download(MANIFEST_FILE_NAME), self.keys)
        if manifest.snapshot != self.job.snapshot:
            raise IntegrityError(f"the server sent the manifest of {manifest.snapshot} for {self.job.snapshot}")
        if self.job.file_name == SEALED_KEY_FILE_NAME and self.keys.key is None:
            self.reporter.warn(
                "Restoring encrypted key blob without original key - skipping manifest fingerprint check!"
            )
            return manifest
        check_key(manifest, self.keys)
        if self.keys.key is not None and manifest.signature is None and self.job.must_be_signed:
            raise EncryptionKeyError(
                f"the manifest of {self.job.snapshot} is not signed, so the key cannot vouch for it: "
                "leave --crypt-mode out to restore it all the same"
            )
        if self.keys.fingerprint is not None:
            self.reporter.info(f"Fingerprint: {self.keys.fingerprint.short_id}")
        return manifest

    def restore_blob(self, entry: ManifestFile) -> None:
        blob = self.download(entry.filename)
        _check(entry, len(blob), hashlib.sha256(blob).digest())
        with in_file(entry.filename):
            is_encrypted = _core.blob_kind(blob).startswith("encrypted")
        # The key that is sealed for the master key is the one blob that an encrypted backup holds in plain.
        if is_encrypted != (entry.crypt_mode is CryptMode.ENCRYPT) and entry.filename != SEALED_KEY_FILE_NAME:
            raise IntegrityError(f"'{entry.filename}' is not stored as the manifest says ({entry.crypt_mode})")
        with in_file(entry.filename):
            data = _core.open_blob(blob, key=self.keys.key)
        self.write(data)

    def restore_image(self, entry: ManifestFile) -> None:
        index = self.download(entry.filename)
        with in_file(entry.filename):
            parsed = _core.FixedIndex.parse(index)
        _check(entry, parsed.size, parsed.csum)
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
        index = self.checked_dynamic_index(entry)
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

    def restore_tree(self, entry: ManifestFile) -> None:
        index = self.checked_dynamic_index(entry)
        with self.job.target.directory() as directory:

            def unpack(progress: _core.Progress) -> int:
                stats = self.session.restore_tree(
                    index,
                    directory,
                    key=self.keys.key,
                    crypt_mode=entry.crypt_mode.value,
                    archive_name=archive_name(entry.filename),
                    progress=progress,
                    **vars(self.job.unpack),
                )
                for warning in stats.warnings:
                    self.reporter.warn(warning)
                return stats.size

            self.transfer(entry, unpack)

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

    def checked_dynamic_index(self, entry: ManifestFile) -> bytes:
        index = self.download(entry.filename)
        with in_file(entry.filename):
            parsed = _core.DynamicIndex.parse(index)
        _check(entry, parsed.size, parsed.csum)
        return index

    def download(self, file_name: str) -> bytes:
        return self.session.request("GET", "download", urlencode({"file-name": file_name}))

    def write(self, data: bytes) -> None:
        with self.job.target.file() as descriptor, os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(data)


def _check(entry: ManifestFile, size: int, csum: bytes) -> None:
    if size != entry.size:
        raise IntegrityError(f"wrong size for file '{entry.filename}': {size} bytes, the manifest says {entry.size}")
    if csum != entry.csum:
        raise IntegrityError(f"wrong checksum for file '{entry.filename}'")


def _missing_archive(manifest: Manifest, file_name: str) -> str:
    name = archive_name(file_name)
    split = name.removesuffix(".pxar") + ".mpxar.didx"
    if name.endswith(".pxar") and manifest.find(split) is not None:
        return f"'{name}' is a split archive in this snapshot ({split}), which this client cannot unpack yet"
    return f"manifest does not contain file '{file_name}'"
