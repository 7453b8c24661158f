"""Verification of snapshots: every file against the manifest, every chunk once a task (datastore-layout.md 7)."""

import time
from pathlib import Path

from pbstore._core import IndexVerdict, Verification
from pbstore.access.clock import Clock
from pbstore.datastore.blob_check import check_blob
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.locks import lock_snapshot
from pbstore.datastore.manifest_file import read_manifest, update_manifest
from pbstore.datastore.verify_state import VerifyFilter, VerifyState
from pbstore.datastore.work_log import WorkLog
from pbstore.errors import AbortedError, IntegrityError, LockedError, PbstoreError
from pbstore.format.manifest import Manifest, ManifestFile
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.namespace import Namespace

INDEX_SUFFIXES = (".fidx", ".didx")
PROGRESS_SECONDS = 60.0
_MIB = 1 << 20


class SnapshotVerifier:
    """Verifies snapshots for one task, whose id `upid` becomes part of their state; `verification` has its chunks."""

    def __init__(
        self,
        datastore: Datastore,
        verification: Verification,
        log: WorkLog,
        *,
        upid: str,
        filter: VerifyFilter,
        clock: Clock,
    ):
        self._datastore = datastore
        self._verification = verification
        self._log = log
        self._upid = upid
        self._filter = filter
        self._clock = clock

    def verify(self, namespace: Namespace, snapshot: Snapshot) -> bool:
        """Verify a snapshot and note the result in its manifest; False if something is wrong with it.

        What is in use, gone, or left out by the filter counts as good.

        Raises:
            AbortedError: the task shall stop; the snapshot keeps its old state.
        """
        self._log.check_abort()
        name = f"{self._datastore.name}:{snapshot}"
        path = self._datastore.snapshot_path(namespace, snapshot)
        try:
            with lock_snapshot(self._datastore, namespace, snapshot, shared=True):
                if path.is_dir():
                    return self._verify_locked(namespace, snapshot, name, path)
        except LockedError as error:
            self._log.log(f"SKIPPED: verify {name} - could not acquire snapshot lock: {error}")
            return True
        self._log.log(f"SKIPPED: verify {name} - snapshot vanished")
        return True

    def _verify_locked(self, namespace: Namespace, snapshot: Snapshot, name: str, path: Path) -> bool:
        try:
            manifest, _ = read_manifest(self._datastore, namespace, snapshot)
        except (PbstoreError, OSError) as error:
            self._log.log(f"verify {name} - manifest load error: {error}")
            return False
        if not self._filter.wants(VerifyState.of(manifest), self._clock()):
            self._log.log(f"SKIPPED: verify {name} (recently verified)")
            return True
        self._log.log(f"verify {name}")
        is_ok = self._check_files(manifest, name, path)
        try:
            update_manifest(self._datastore, namespace, snapshot, VerifyState(is_ok, self._upid).write_to)
        except PbstoreError as error:
            self._log.log(f"verify {name} - cannot note the result in the manifest: {error}")
            return False
        return is_ok

    def _check_files(self, manifest: Manifest, name: str, path: Path) -> bool:
        is_ok = True
        for entry in manifest.files:
            self._log.check_abort()
            self._log.log(f"  check {entry.filename}")
            try:
                self._check_file(path / entry.filename, entry)
            except AbortedError:
                self._log.check_abort()
                raise
            except (PbstoreError, OSError) as error:
                self._log.log(f"verify {name}/{entry.filename} failed: {error}")
                is_ok = False
        return is_ok

    def _check_file(self, path: Path, entry: ManifestFile) -> None:
        if not entry.filename.endswith(INDEX_SUFFIXES):
            check_blob(path, entry)
            return
        started = time.monotonic()
        encrypted = entry.crypt_mode is CryptMode.ENCRYPT
        check = self._verification.start_check(path, csum=entry.csum, size=entry.size, encrypted=encrypted)
        while not check.wait(PROGRESS_SECONDS):
            self._log.log(f"  checked {check.checked_count} of {check.chunk_count} chunks")
        self._log_verdict(check.verdict(), max(time.monotonic() - started, 1e-6))

    def _log_verdict(self, verdict: IndexVerdict, seconds: float) -> None:
        for message in verdict.messages:
            self._log.log(message)
        read, plain = verdict.read_bytes / _MIB, verdict.plain_bytes / _MIB
        self._log.log(
            f"  verified {read:.2f}/{plain:.2f} MiB in {seconds:.2f} seconds,"
            f" speed {read / seconds:.2f}/{plain / seconds:.2f} MiB/s ({verdict.error_count} errors)"
        )
        if verdict.error_count:
            raise IntegrityError("chunks could not be verified")
