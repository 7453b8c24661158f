"""Removing snapshots and groups (version-4.md 5.2)."""

import pytest

from pbstore.datastore import locks
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import write_notes
from pbstore.datastore.removal import RemovalCounts, remove_group, remove_snapshot, remove_unfinished_snapshot
from pbstore.datastore.snapshots import list_snapshots, set_protected
from pbstore.errors import DatastoreError, LockedError
from pbstore.model.backup import BackupGroup, Snapshot
from unit.datastore.snapshot_factory import ROOT, make_snapshot

GROUP = BackupGroup.parse("vm/100")
FIRST, SECOND, THIRD = (f"vm/100/2024-01-0{day}T00:00:00Z" for day in (1, 2, 3))


def lock_files(datastore: Datastore) -> list[str]:
    return sorted(path.name for path in datastore.locks_dir.rglob("*") if path.is_file())


def test_the_group_goes_with_its_last_snapshot(datastore: Datastore) -> None:
    first, second = make_snapshot(datastore, FIRST), make_snapshot(datastore, SECOND)
    write_notes(datastore, ROOT, GROUP, "notes")
    remove_snapshot(datastore, ROOT, first)
    assert list_snapshots(datastore, ROOT, GROUP) == [second]
    remove_snapshot(datastore, ROOT, second)
    assert list((datastore.path / "vm").iterdir()) == []
    assert lock_files(datastore) == []


def test_a_busy_group_stays(datastore: Datastore) -> None:
    snapshot = make_snapshot(datastore, FIRST)
    with locks.lock_group(datastore, ROOT, GROUP):
        remove_snapshot(datastore, ROOT, snapshot)
    assert list_snapshots(datastore, ROOT, GROUP) == []


def test_protected_and_used_snapshots_stay(datastore: Datastore) -> None:
    snapshot = make_snapshot(datastore, FIRST)
    set_protected(datastore, ROOT, snapshot, True)
    with pytest.raises(DatastoreError, match="protected"):
        remove_snapshot(datastore, ROOT, snapshot)
    set_protected(datastore, ROOT, snapshot, False)
    with locks.lock_snapshot(datastore, ROOT, snapshot, shared=True), pytest.raises(LockedError):
        remove_snapshot(datastore, ROOT, snapshot)
    assert (datastore.path / FIRST / "index.json.blob").exists()


def test_what_is_not_there_cannot_be_removed(datastore: Datastore) -> None:
    with pytest.raises(DatastoreError, match="does not exist"):
        remove_snapshot(datastore, ROOT, Snapshot.parse(FIRST))
    with pytest.raises(DatastoreError, match="ENOENT"):
        remove_group(datastore, ROOT, GROUP)


def test_removal_never_follows_links(datastore: Datastore) -> None:
    snapshot = make_snapshot(datastore, FIRST)
    outside = datastore.path.parent / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (datastore.path / FIRST / "link").symlink_to(outside)
    remove_snapshot(datastore, ROOT, snapshot)
    assert (outside / "precious").exists()


def test_a_whole_group(datastore: Datastore) -> None:
    for text in (FIRST, SECOND, THIRD):
        make_snapshot(datastore, text)
    other = make_snapshot(datastore, "vm/101/2024-01-01T00:00:00Z")
    assert remove_group(datastore, ROOT, GROUP) == RemovalCounts(1, 3, 0)
    assert not (datastore.path / "vm/100").exists()
    assert list_snapshots(datastore, ROOT, other.group) == [other]


def test_a_group_with_a_protected_snapshot_is_left_with_it(datastore: Datastore) -> None:
    make_snapshot(datastore, FIRST)
    kept = make_snapshot(datastore, SECOND)
    set_protected(datastore, ROOT, kept, True)
    assert remove_group(datastore, ROOT, GROUP) == RemovalCounts(0, 1, 1)
    assert list_snapshots(datastore, ROOT, GROUP) == [kept]
    assert RemovalCounts(1, 2, 3) + RemovalCounts(1, 1, 1) == RemovalCounts(2, 3, 4)


def test_a_group_with_foreign_content_stays(datastore: Datastore) -> None:
    make_snapshot(datastore, FIRST)
    (datastore.path / "vm/100/readme").touch()
    assert remove_group(datastore, ROOT, GROUP) == RemovalCounts(0, 1, 0)
    assert sorted(path.name for path in (datastore.path / "vm/100").iterdir()) == ["owner", "readme"]
    (datastore.path / "vm/100/readme").rename(datastore.path / "vm/100/owner.tmp_abc")
    assert remove_group(datastore, ROOT, GROUP) == RemovalCounts(1, 0, 0)
    assert not (datastore.path / "vm/100").exists()


def test_a_failed_backup_leaves_nothing(datastore: Datastore) -> None:
    snapshot = make_snapshot(datastore, FIRST, finished=False)
    with locks.lock_group(datastore, ROOT, GROUP), locks.lock_snapshot(datastore, ROOT, snapshot):
        remove_unfinished_snapshot(datastore, ROOT, snapshot)
    assert list((datastore.path / "vm").iterdir()) == []


def test_a_failed_backup_leaves_the_older_ones(datastore: Datastore) -> None:
    older = make_snapshot(datastore, FIRST)
    failed = make_snapshot(datastore, SECOND, finished=False)
    with locks.lock_group(datastore, ROOT, GROUP), locks.lock_snapshot(datastore, ROOT, failed):
        remove_unfinished_snapshot(datastore, ROOT, failed)
    assert list_snapshots(datastore, ROOT, GROUP) == [older]
