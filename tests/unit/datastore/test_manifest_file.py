"""Manifests on disk, and what lists say of a snapshot (manifest.md 3)."""

import threading

import pytest

from pbstore import _core
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.locks import lock_manifest
from pbstore.datastore.manifest_file import read_manifest, update_manifest
from pbstore.datastore.snapshot_info import SnapshotFile, describe_snapshot
from pbstore.datastore.snapshots import set_protected
from pbstore.datastore.verify_state import VerifyState
from pbstore.errors import DatastoreError, FormatError, IntegrityError, LockedError
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from unit.datastore.snapshot_factory import ROOT, make_snapshot

NAME = "vm/100/2024-01-01T00:00:00Z"


@pytest.fixture
def snapshot(datastore: Datastore) -> Snapshot:
    return make_snapshot(datastore, NAME)


def test_an_update_changes_the_unprotected_part_only(datastore: Datastore, snapshot: Snapshot) -> None:
    before, _ = read_manifest(datastore, ROOT, snapshot)

    def change(manifest: Manifest) -> None:
        manifest.unprotected["notes"] = "ä\nb"

    update_manifest(datastore, ROOT, snapshot, change)
    after, size = read_manifest(datastore, ROOT, snapshot)
    assert after.unprotected == {"notes": "ä\nb"}
    assert after.files == before.files
    path = datastore.path / NAME / "index.json.blob"
    assert path.stat().st_size == size
    assert path.stat().st_mode & 0o777 == 0o644
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["index.json.blob", "vm.conf.blob"]


def test_concurrent_updates_keep_both_changes(datastore: Datastore, snapshot: Snapshot) -> None:
    def update(number: int) -> None:
        update_manifest(datastore, ROOT, snapshot, lambda manifest: manifest.unprotected.update({str(number): number}))

    threads = [threading.Thread(target=update, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_manifest(datastore, ROOT, snapshot)[0].unprotected) == 10


def test_a_manifest_in_use(datastore: Datastore, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pbstore.datastore.locks.MANIFEST_TIMEOUT_SECONDS", 0.1)
    with lock_manifest(datastore, ROOT, snapshot), pytest.raises(LockedError, match="manifest of"):
        update_manifest(datastore, ROOT, snapshot, lambda manifest: None)


def test_a_damaged_manifest_is_left_alone(datastore: Datastore, snapshot: Snapshot) -> None:
    path = datastore.path / NAME / "index.json.blob"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        update_manifest(datastore, ROOT, snapshot, lambda manifest: None)
    assert path.read_bytes() == content
    path.write_bytes(b"rubbish")
    with pytest.raises(FormatError):
        read_manifest(datastore, ROOT, snapshot)


def test_description(datastore: Datastore, snapshot: Snapshot) -> None:
    directory = datastore.path / NAME
    for name in ("client.log.blob", "x.tmp_123456", "owner"):
        (directory / name).touch()
    state = {"upid": "UPID:x", "state": "ok"}

    def change(manifest: Manifest) -> None:
        manifest.unprotected |= {
            "notes": "first\nsecond",
            "verify_state": state,
            "key-fingerprint": ":".join(["ab"] * 32),
        }

    update_manifest(datastore, ROOT, snapshot, change)
    set_protected(datastore, ROOT, snapshot, True)
    info = describe_snapshot(datastore, ROOT, snapshot)
    blob_size = (directory / "vm.conf.blob").stat().st_size
    manifest_size = (directory / "index.json.blob").stat().st_size
    assert info.files == (
        SnapshotFile("vm.conf.blob", CryptMode.NONE, blob_size),
        SnapshotFile("index.json.blob", CryptMode.NONE, manifest_size),
        SnapshotFile("client.log.blob"),
    )
    assert info.size == blob_size + manifest_size
    assert (info.comment, info.is_protected, info.is_finished) == ("first", True, True)
    assert info.verification == VerifyState(is_ok=True, upid="UPID:x")
    assert info.fingerprint
    assert info.fingerprint.short_id == ":".join(["ab"] * 8)


def test_description_without_a_readable_manifest(datastore: Datastore, snapshot: Snapshot) -> None:
    (datastore.path / NAME / "index.json.blob").write_bytes(b"rubbish")
    info = describe_snapshot(datastore, ROOT, snapshot)
    assert info.files == (SnapshotFile("index.json.blob"), SnapshotFile("vm.conf.blob"))
    assert (info.size, info.is_finished) == (None, True)
    unfinished = make_snapshot(datastore, "vm/100/2024-01-02T00:00:00Z", finished=False)
    assert not describe_snapshot(datastore, ROOT, unfinished).is_finished
    with pytest.raises(DatastoreError, match="does not exist"):
        describe_snapshot(datastore, ROOT, Snapshot(snapshot.group, 5))


@pytest.mark.parametrize(
    "value", [None, 5, {}, {"upid": "x"}, {"upid": "x", "state": "maybe"}, {"upid": 1, "state": "ok"}]
)
def test_odd_unprotected_values_are_not_shown(datastore: Datastore, snapshot: Snapshot, value: object) -> None:
    def change(manifest: Manifest) -> None:
        manifest.unprotected |= {"verify_state": value, "notes": value}

    update_manifest(datastore, ROOT, snapshot, change)
    info = describe_snapshot(datastore, ROOT, snapshot)
    assert info.verification is None
    assert info.notes is None


def test_an_encrypted_manifest_is_damage(datastore: Datastore, snapshot: Snapshot) -> None:
    blob = _core.seal_blob(b"{}", key=_core.CryptKey(bytes(32)))
    (datastore.path / NAME / "index.json.blob").write_bytes(blob)
    assert describe_snapshot(datastore, ROOT, snapshot).size is None
