"""Restore one archive of a snapshot, trusting nothing that the server sends (reader-protocol.md 3, cli-client.md 4)."""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from pbstore import _core
from pbstore.client.keys import Keys
from pbstore.client.manifest_check import check_key, parse_manifest
from pbstore.client.report import Reporter
from pbstore.client.restore_target import RestoreTarget
from pbstore.client.server import Server
from pbstore.errors import EncryptionKeyError, IntegrityError, NotFoundError, PbstoreError
from pbstore.format.damaged_file import in_file
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest, ManifestFile
from pbstore.model.archive_name import archive_name, split_names
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.human_size import human_size, human_speed, human_time_span
from pbstore.model.namespace import Namespace

SEALED_KEY_FILE_NAME = "rsa-encrypted.key.blob"


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
        self.job = job
        self.keys = job.keys
        self.reporter = reporter

    def run(self) -> None:
        name = self.job.file_name
        self.check_patterns()
        manifest = self.checked_manifest()
        if name == MANIFEST_FILE_NAME:
            self.write(manifest.encode_as_received())
            return
        entry, payload = _find(manifest, name)
        if payload is not None and self.job.target.is_stream:
            raise PbstoreError("unable to pipe split archive")
        if entry.filename.endswith(".blob"):
            self.restore_blob(entry)
        elif entry.filename.endswith(".fidx"):
            self.restore_image(entry)
        elif split_names(name) is None or self.job.target.is_stream:
            self.restore_stream(entry)
        else:
            self.restore_tree(entry, payload)

    def check_patterns(self) -> None:
        if not self.job.unpack.patterns:
            return
        if self.job.target.is_stream:
            raise PbstoreError("patterns select what is unpacked, but nothing is unpacked to standard output")
        if split_names(self.job.file_name) is None:
            raise PbstoreError(f"patterns select from a directory tree, which '{self.job.file_name}' is not")

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

    def restore_tree(self, entry: ManifestFile, payload: ManifestFile | None) -> None:
        if self.job.prelude_target is not None:
            self.job.prelude_target.check_new()
        index = self.checked_dynamic_index(entry)
        payload_index = None if payload is None else self.checked_dynamic_index(payload)
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
                for warning in stats.warnings:
                    self.reporter.warn(warning)
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

    def checked_dynamic_index(self, entry: ManifestFile) -> bytes:
        index = self.download(entry.filename)
        with in_file(entry.filename):
            parsed = _core.DynamicIndex.parse(index)
        _check(entry, parsed.size, parsed.csum)
        return index

    def download(self, file_name: str) -> bytes:
        return self.session.request("GET", "download", urlencode({"file-name": file_name}))

    def write(self, data: bytes) -> None:
        _write(self.job.target, data)


def _find(manifest: Manifest, file_name: str) -> tuple[ManifestFile, ManifestFile | None]:
    """The archive of that name; of a split one, its metadata and its payload. Either part's name means both."""
    entry, names = manifest.find(file_name), split_names(file_name)
    if names is None or (entry is not None and entry.filename.endswith(".pxar.didx")):
        if entry is None:
            raise NotFoundError(f"manifest does not contain file '{file_name}'")
        return entry, None
    metadata, payload = manifest.find(names.metadata), manifest.find(names.payload)
    if metadata is None and payload is None:
        raise NotFoundError(f"manifest does not contain file '{file_name}'")
    if metadata is None or payload is None:
        missing = names.metadata if metadata is None else names.payload
        raise NotFoundError(f"manifest does not contain file '{missing}', a part of the split archive '{file_name}'")
    if metadata.crypt_mode is not payload.crypt_mode:
        raise IntegrityError(f"'{names.metadata}' and '{names.payload}' have different crypt modes")
    return metadata, payload


def _write(target: RestoreTarget, data: bytes) -> None:
    with target.file() as descriptor, os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)


def _check(entry: ManifestFile, size: int, csum: bytes) -> None:
    if size != entry.size:
        raise IntegrityError(f"wrong size for file '{entry.filename}': {size} bytes, the manifest says {entry.size}")
    if csum != entry.csum:
        raise IntegrityError(f"wrong checksum for file '{entry.filename}'")
