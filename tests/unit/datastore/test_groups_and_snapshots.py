"""Groups and snapshots on disk: what is listed, made, owned, protected."""

import os
import shutil
from pathlib import Path

import pytest

from pbstore.config.maintenance_mode import Operation
from pbstore.datastore import groups, locks, snapshots
from pbstore.datastore.datastore import Datastore, check_maintenance
from pbstore.datastore.namespaces import create_namespace, list_namespaces
from pbstore.datastore.status import disk_usage
from pbstore.errors import DatastoreError, FormatError, LockedError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace
from unit.datastore.snapshot_factory import JOHN, ROOT, make_snapshot

GROUP = BackupGroup.parse("vm/100")
NS = Namespace.parse("a")


def test_a_new_group_and_its_owner(datastore: Datastore) -> None:
    owner, lock = groups.open_group(datastore, ROOT, GROUP, JOHN)
    with lock:
        assert owner == JOHN
        with pytest.raises(LockedError):
            groups.open_group(datastore, ROOT, GROUP, JOHN)
    assert (datastore.path / "vm/100/owner").read_bytes() == b"john@pbs\n"
    assert (datastore.path / "vm/100/owner").stat().st_mode & 0o777 == 0o644
    assert (datastore.path / "vm/100").stat().st_mode & 0o777 == 0o755


def test_an_existing_group_keeps_its_owner(datastore: Datastore) -> None:
    make_snapshot(datastore, "vm/100/2024-01-01T00:00:00Z")
    owner, lock = groups.open_group(datastore, ROOT, GROUP, AuthId.parse("jane@pbs"))
    lock.release()
    assert owner == JOHN
    groups.write_owner(datastore, ROOT, GROUP, AuthId.parse("jane@pbs!t"))
    assert str(groups.read_owner(datastore, ROOT, GROUP)) == "jane@pbs!t"


def test_a_group_that_a_crash_left_without_owner_is_taken_over_only_if_empty(datastore: Datastore) -> None:
    (datastore.path / "vm/100").mkdir(parents=True)
    groups.open_group(datastore, ROOT, GROUP, JOHN)[1].release()
    assert groups.read_owner(datastore, ROOT, GROUP) == JOHN
    make_snapshot(datastore, "vm/100/2024-01-01T00:00:00Z")
    (datastore.path / "vm/100/owner").unlink()
    with pytest.raises(DatastoreError, match="unable to load owner"):
        groups.open_group(datastore, ROOT, GROUP, JOHN)
    locks.lock_group(datastore, ROOT, GROUP).release()


@pytest.mark.parametrize("content", [b"", b"nobody\n", b"\xff", b"a@pbs\nb@pbs\n", b"x" * 5000])
def test_a_damaged_owner_file(datastore: Datastore, content: bytes) -> None:
    make_snapshot(datastore, "vm/100/2024-01-01T00:00:00Z")
    (datastore.path / "vm/100/owner").write_bytes(content)
    with pytest.raises(DatastoreError, match="unable to load owner of group 'vm/100'"):
        groups.read_owner(datastore, ROOT, GROUP)


def test_no_groups_in_a_namespace_that_is_not_there(datastore: Datastore) -> None:
    with pytest.raises(DatastoreError, match="namespace 'a' does not exist"):
        groups.open_group(datastore, NS, GROUP, JOHN)
    with pytest.raises(DatastoreError, match="does not exist"):
        list(groups.list_groups(datastore, NS))


def test_listings_ignore_other_names(datastore: Datastore) -> None:
    create_namespace(datastore, NS)
    for text in ("vm/100/2024-01-01T00:00:00Z", "vm/100/2024-01-02T00:00:00Z", "host/x/2024-01-01T00:00:00Z"):
        make_snapshot(datastore, text)
    make_snapshot(datastore, "ct/1/2024-01-01T00:00:00Z", namespace=NS)
    for name in ("vm/.hidden", "vm/-x", "img/1", "vm/100/2024-01-01", "vm/100/2024-01-03T00:00:00Z.tmp"):
        (datastore.path / name).mkdir(parents=True)
    (datastore.path / "vm/file").touch()
    (datastore.path / "vm/link").symlink_to("100")
    (datastore.path / "vm/100/2024-01-04T00:00:00Z").touch()
    assert sorted(map(str, groups.list_groups(datastore, ROOT))) == ["host/x", "vm/100"]
    assert list(groups.list_groups(datastore, NS)) == [BackupGroup.parse("ct/1")]
    assert list(map(str, snapshots.list_snapshots(datastore, ROOT, GROUP))) == [
        "vm/100/2024-01-02T00:00:00Z",
        "vm/100/2024-01-01T00:00:00Z",
    ]


def test_the_text_about_a_missing_group_is_one_that_original_clients_know(datastore: Datastore) -> None:
    for call in (snapshots.list_snapshots, groups.read_owner):
        with pytest.raises(DatastoreError, match=r"ENOENT: No such file or directory"):
            call(datastore, ROOT, GROUP)


def test_the_last_finished_snapshot(datastore: Datastore) -> None:
    make_snapshot(datastore, "vm/100/2024-01-01T00:00:00Z", finished=False)
    assert snapshots.last_finished(datastore, ROOT, GROUP) is None
    expected = make_snapshot(datastore, "vm/100/2024-01-02T00:00:00Z")
    make_snapshot(datastore, "vm/100/2024-01-03T00:00:00Z", finished=False)
    assert snapshots.last_finished(datastore, ROOT, GROUP) == expected


def test_a_snapshot_is_made_once_and_locked(datastore: Datastore) -> None:
    snapshot = make_snapshot(datastore, "vm/100/2024-01-01T00:00:00Z")
    with pytest.raises(DatastoreError, match="already exists"):
        snapshots.create_snapshot(datastore, ROOT, snapshot)
    new = Snapshot(GROUP, snapshot.backup_time + 1)
    with snapshots.create_snapshot(datastore, ROOT, new), pytest.raises(LockedError):
        locks.lock_snapshot(datastore, ROOT, new, shared=True)


def test_protection(datastore: Datastore) -> None:
    snapshot = make_snapshot(datastore, "vm/100/2024-01-01T00:00:00Z")
    for protected in (True, True, False, False):
        snapshots.set_protected(datastore, ROOT, snapshot, protected)
        assert snapshots.is_protected(datastore, ROOT, snapshot) is protected
    with locks.lock_snapshot(datastore, ROOT, snapshot, shared=True), pytest.raises(LockedError):
        snapshots.set_protected(datastore, ROOT, snapshot, True)
    with pytest.raises(DatastoreError, match="does not exist"):
        snapshots.set_protected(datastore, ROOT, Snapshot(GROUP, 5), True)


def test_notes_of_a_group(datastore: Datastore) -> None:
    make_snapshot(datastore, "vm/100/2024-01-01T00:00:00Z")
    assert groups.read_notes(datastore, ROOT, GROUP) == ""
    groups.write_notes(datastore, ROOT, GROUP, "first\nzweite ä")
    assert groups.read_notes(datastore, ROOT, GROUP) == "first\nzweite ä"
    with pytest.raises(DatastoreError, match="too long"):
        groups.write_notes(datastore, ROOT, GROUP, "x" * (1 << 21))
    with locks.lock_group(datastore, ROOT, GROUP), pytest.raises(LockedError):
        groups.write_notes(datastore, ROOT, GROUP, "x")


def test_notes_of_a_group_that_is_not_there(datastore: Datastore) -> None:
    assert groups.read_notes(datastore, ROOT, GROUP) == ""
    with pytest.raises(DatastoreError, match="ENOENT"):
        groups.write_notes(datastore, ROOT, GROUP, "x")
    assert not locks.group_lock_path(datastore, ROOT, GROUP).exists()


def test_a_group_gets_another_owner(datastore: Datastore) -> None:
    make_snapshot(datastore, "vm/100/2024-01-01T00:00:00Z")
    token = AuthId.parse("john@pbs!token")
    with locks.lock_group(datastore, ROOT, GROUP), pytest.raises(LockedError):
        groups.change_owner(datastore, ROOT, GROUP, token)
    groups.change_owner(datastore, ROOT, GROUP, token)
    assert groups.read_owner(datastore, ROOT, GROUP) == token
    with pytest.raises(DatastoreError, match="ENOENT"):
        groups.change_owner(datastore, ROOT, BackupGroup.parse("vm/101"), token)


def test_namespaces(datastore: Datastore) -> None:
    for text in ("a", "a/b", "a/b/c", "d"):
        create_namespace(datastore, Namespace.parse(text))
    (datastore.path / "ns/.x").mkdir()

    def listed(parent: str, depth: int = 7) -> list[str]:
        return list(map(str, list_namespaces(datastore, Namespace.parse(parent), depth)))

    assert listed("") == ["", "a", "a/b", "a/b/c", "d"]
    assert listed("", 1) == ["", "a", "d"]
    assert listed("a", 0) == ["a"]
    make_snapshot(datastore, "vm/100/2024-01-01T00:00:00Z", namespace=NS)
    create_namespace(datastore, NS)
    assert list(groups.list_groups(datastore, NS)) == [GROUP]
    with pytest.raises(DatastoreError, match="parent x doesn't already exists"):
        create_namespace(datastore, Namespace.parse("x/y"))
    with pytest.raises(FormatError, match="root namespace"):
        create_namespace(datastore, ROOT)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away: run as root")
def test_new_files_belong_to_the_owner_of_the_store(store_path: Path, datastore: Datastore) -> None:
    datastore.close()
    shutil.chown(store_path, 34, 34)
    reopened = Datastore.open(datastore.config, datastore.locks_dir)
    make_snapshot(reopened, "vm/100/2024-01-01T00:00:00Z")
    for name in ("vm", "vm/100", "vm/100/owner", "vm/100/2024-01-01T00:00:00Z"):
        assert (store_path / name).stat().st_uid == 34
    reopened.close()


@pytest.mark.parametrize(
    ("mode", "operation", "text"),
    [
        ("read-only", Operation.WRITE, "datastore 'store1' is unavailable: read-only maintenance mode: "),
        (
            "offline,message=new disks",
            Operation.READ,
            "datastore 'store1' is unavailable: offline maintenance mode: new disks",
        ),
    ],
)
def test_maintenance(datastore: Datastore, mode: str, operation: Operation, text: str) -> None:
    config = datastore.config.changed({"maintenance-mode": mode})
    with pytest.raises(DatastoreError) as caught:
        check_maintenance(config, operation)
    assert str(caught.value) == text
    check_maintenance(config, Operation.LOOKUP)
    check_maintenance(datastore.config, operation)


def test_disk_usage(datastore: Datastore) -> None:
    usage = disk_usage(datastore.path)
    total, _, _ = shutil.disk_usage(datastore.path)
    assert usage.total_bytes == total
    assert 0 < usage.used_bytes <= usage.total_bytes
    with pytest.raises(DatastoreError):
        disk_usage(datastore.path / "none")
