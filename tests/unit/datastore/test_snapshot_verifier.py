"""Verification of one snapshot: files, filter, locks, and the state it leaves (datastore-layout.md 7)."""

import re
from collections.abc import Callable

import pytest

from pbstore import _core
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.locks import lock_manifest, lock_snapshot
from pbstore.datastore.manifest_file import read_manifest, update_manifest
from pbstore.datastore.snapshot_verifier import SnapshotVerifier
from pbstore.datastore.verify_state import VerifyFilter, VerifyState
from pbstore.errors import AbortedError
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from unit.datastore.snapshot_factory import ROOT
from unit.datastore.verifiable_snapshot import CHUNK_BYTES, chunk_path, make_verifiable
from unit.datastore.work_recorder import WorkRecorder

START = 0x6553F100
UPID = f"UPID:pbs1:00000C3F:00002A1B:0000001C:{START:08X}:verify:store1:root@pam:"
DAY = 86400
NAME = "vm/100/2024-01-01T00:00:00Z"


@pytest.fixture
def snapshot(datastore: Datastore) -> Snapshot:
    return make_verifiable(datastore, NAME)


def verifier(
    datastore: Datastore, log: WorkRecorder, filter: VerifyFilter | None = None, now: float = START
) -> SnapshotVerifier:
    verification = _core.Verification(datastore.chunk_store, readers=1, workers=2, chunk_order="inode")
    wanted = VerifyFilter() if filter is None else filter
    return SnapshotVerifier(datastore, verification, log, upid=UPID, filter=wanted, clock=lambda: now)


def state(datastore: Datastore, snapshot: Snapshot) -> VerifyState | None:
    return VerifyState.of(read_manifest(datastore, ROOT, snapshot)[0])


def test_a_good_one(datastore: Datastore, snapshot: Snapshot) -> None:
    log = WorkRecorder()
    assert verifier(datastore, log).verify(ROOT, snapshot)
    assert state(datastore, snapshot) == VerifyState(is_ok=True, upid=UPID)
    lines = [re.sub(r"in .*", "in ...", line) for line in log.lines]
    assert lines == [
        f"verify store1:{NAME}",
        "  check disk.img.fidx",
        "  verified 0.00/0.01 MiB in ...",
        "  check vm.conf.blob",
    ]
    assert log.lines[2].endswith("(0 errors)")


def test_the_state_is_that_of_the_original(datastore: Datastore, snapshot: Snapshot) -> None:
    verifier(datastore, WorkRecorder()).verify(ROOT, snapshot)
    manifest, _ = read_manifest(datastore, ROOT, snapshot)
    assert manifest.unprotected == {"verify_state": {"state": "ok", "upid": UPID}}


def test_a_bad_chunk_is_told_set_aside_and_fails_the_snapshot(datastore: Datastore, snapshot: Snapshot) -> None:
    path = chunk_path(datastore, b"b" * CHUNK_BYTES)
    path.write_bytes(_core.seal_blob(b"x" * CHUNK_BYTES))
    log = WorkRecorder()
    assert not verifier(datastore, log).verify(ROOT, snapshot)
    assert state(datastore, snapshot) == VerifyState(is_ok=False, upid=UPID)
    assert log.lines[2].startswith("detected chunk with wrong digest: ")
    assert log.lines[3] == f'corrupt chunk renamed to "{path}.0.bad"'
    assert log.lines[4].endswith("(1 errors)")
    assert log.lines[5] == f"verify store1:{NAME}/disk.img.fidx failed: chunks could not be verified"
    assert log.lines[6] == "  check vm.conf.blob"


def spoil(name: str, change: Callable[[bytes], bytes]) -> Callable[[Datastore], None]:
    def act(datastore: Datastore) -> None:
        path = datastore.path / NAME / name
        path.write_bytes(change(path.read_bytes()))

    return act


def encrypted(_: bytes) -> bytes:
    return _core.seal_blob(b"memory: 512", key=_core.CryptKey(bytes(32)))


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (spoil("vm.conf.blob", lambda blob: blob[:-1] + bytes([blob[-1] ^ 1])), "unable to load blob .* CRC"),
        (spoil("vm.conf.blob", lambda blob: b""), "unable to load blob .*only 0 bytes"),
        (spoil("vm.conf.blob", lambda blob: _core.seal_blob(b"memory: 1024")), r"wrong size \(23 != 24\)"),
        (spoil("vm.conf.blob", lambda blob: _core.seal_blob(b"memory: 513")), "wrong checksum"),
        (spoil("vm.conf.blob", encrypted), "wrong size"),
        (lambda datastore: (datastore.path / NAME / "vm.conf.blob").unlink(), "unable to load blob .*No such file"),
        (spoil("disk.img.fidx", lambda index: index[:4096] + bytes(32) + index[4128:]), "wrong index checksum"),
        (spoil("disk.img.fidx", lambda index: index[:100]), "no fixed index: only 100 bytes"),
        (lambda datastore: (datastore.path / NAME / "disk.img.fidx").unlink(), "No such file"),
    ],
)
def test_files(datastore: Datastore, snapshot: Snapshot, act: Callable[[Datastore], None], reason: str) -> None:
    act(datastore)
    log = WorkRecorder()
    assert not verifier(datastore, log).verify(ROOT, snapshot)
    (failed,) = [line for line in log.lines if "failed: " in line]
    assert re.match(rf"verify store1:{NAME}/\S+ failed: .*{reason}", failed)
    assert len([line for line in log.lines if line.startswith("  check ")]) == 2
    assert state(datastore, snapshot) == VerifyState(is_ok=False, upid=UPID)


def test_encrypted_blobs_are_compared_but_not_opened(datastore: Datastore, snapshot: Snapshot) -> None:
    blob = encrypted(b"")
    manifest, _ = read_manifest(datastore, ROOT, snapshot)
    other = Manifest(snapshot)
    other.add("vm.conf.blob", CryptMode.ENCRYPT, len(blob), _core.chunk_digest(blob))
    assert manifest.files != other.files
    (datastore.path / NAME / "vm.conf.blob").write_bytes(blob)
    (datastore.path / NAME / "index.json.blob").write_bytes(_core.seal_blob(other.encode()))
    assert verifier(datastore, WorkRecorder()).verify(ROOT, snapshot)


def test_without_a_readable_manifest_it_fails(datastore: Datastore, snapshot: Snapshot) -> None:
    path = datastore.path / NAME / "index.json.blob"
    path.write_bytes(b"rubbish")
    log = WorkRecorder()
    assert not verifier(datastore, log).verify(ROOT, snapshot)
    path.unlink()
    assert not verifier(datastore, log).verify(ROOT, snapshot)
    assert [line.startswith(f"verify store1:{NAME} - manifest load error: ") for line in log.lines] == [True, True]


def test_what_is_in_use_or_gone_is_skipped_and_counts_as_good(datastore: Datastore, snapshot: Snapshot) -> None:
    log = WorkRecorder()
    with lock_snapshot(datastore, ROOT, snapshot):
        assert verifier(datastore, log).verify(ROOT, snapshot)
    assert verifier(datastore, log).verify(ROOT, Snapshot(snapshot.group, 5))
    assert log.lines[0].startswith(f"SKIPPED: verify store1:{NAME} - could not acquire snapshot lock: ")
    assert log.lines[1] == "SKIPPED: verify store1:vm/100/1970-01-01T00:00:05Z - snapshot vanished"
    assert state(datastore, snapshot) is None


def test_readers_do_not_keep_it_from_being_verified(datastore: Datastore, snapshot: Snapshot) -> None:
    with lock_snapshot(datastore, ROOT, snapshot, shared=True):
        verifier(datastore, WorkRecorder()).verify(ROOT, snapshot)
    assert state(datastore, snapshot) == VerifyState(is_ok=True, upid=UPID)


def test_a_result_that_cannot_be_noted_is_a_failure(
    datastore: Datastore, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pbstore.datastore.locks.MANIFEST_TIMEOUT_SECONDS", 0.1)
    log = WorkRecorder()
    with lock_manifest(datastore, ROOT, snapshot):
        assert not verifier(datastore, log).verify(ROOT, snapshot)
    assert "cannot note the result in the manifest: " in log.lines[-1]


def test_an_abort_leaves_the_old_state(datastore: Datastore, snapshot: Snapshot) -> None:
    verifier(datastore, WorkRecorder(), now=START).verify(ROOT, snapshot)
    (datastore.path / NAME / "vm.conf.blob").unlink()
    everything = VerifyFilter(ignore_verified=False)
    with pytest.raises(AbortedError, match="abort requested"):
        verifier(datastore, WorkRecorder(aborts_after=2), everything).verify(ROOT, snapshot)
    assert state(datastore, snapshot) == VerifyState(is_ok=True, upid=UPID)


def test_an_abort_in_the_middle_of_an_index(datastore: Datastore, snapshot: Snapshot) -> None:
    verification = _core.Verification(datastore.chunk_store, readers=1, workers=2, chunk_order="none")
    verification.abort()
    log = WorkRecorder()
    made = SnapshotVerifier(datastore, verification, log, upid=UPID, filter=VerifyFilter(), clock=lambda: START)
    with pytest.raises(AbortedError):
        made.verify(ROOT, snapshot)
    assert state(datastore, snapshot) is None


@pytest.mark.parametrize(
    ("filter", "age_seconds", "is_ok", "wanted"),
    [
        (VerifyFilter(), 100 * DAY, True, False),
        (VerifyFilter(), 100 * DAY, False, False),
        (VerifyFilter(ignore_verified=False), 0, True, True),
        (VerifyFilter(outdated_after=30), 30 * DAY + DAY - 1, True, False),
        (VerifyFilter(outdated_after=30), 31 * DAY, True, True),
        (VerifyFilter(outdated_after=0), DAY - 1, False, False),
        (VerifyFilter(outdated_after=0), DAY, False, True),
        (VerifyFilter(ignore_verified=False, outdated_after=30), 0, True, True),
    ],
)
def test_filter(filter: VerifyFilter, age_seconds: int, is_ok: bool, wanted: bool) -> None:
    assert filter.wants(VerifyState(is_ok=is_ok, upid=UPID), START + age_seconds) is wanted
    assert filter.wants(None, START)
    assert filter.wants(VerifyState(is_ok=is_ok, upid="rubbish"), START)


def test_the_filter_looks_at_the_manifest(datastore: Datastore, snapshot: Snapshot) -> None:
    update_manifest(datastore, ROOT, snapshot, VerifyState(is_ok=False, upid=UPID).write_to)
    log = WorkRecorder()
    assert verifier(datastore, log, VerifyFilter(outdated_after=1), START + DAY).verify(ROOT, snapshot)
    assert log.lines == [f"SKIPPED: verify store1:{NAME} (recently verified)"]
    assert verifier(datastore, log, VerifyFilter(outdated_after=1), START + 2 * DAY).verify(ROOT, snapshot)
    assert state(datastore, snapshot) == VerifyState(is_ok=True, upid=UPID)
