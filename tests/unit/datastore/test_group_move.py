"""Moving groups between namespaces (version-4.md 9)."""

from pathlib import Path

import pytest

from pbstore.config.file_lock import lock_file
from pbstore.datastore import group_move, locks
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.group_move import GroupMove
from pbstore.datastore.groups import read_notes, read_owner, write_notes
from pbstore.datastore.move_journal import append_moves, drain_moves
from pbstore.datastore.namespaces import create_namespace
from pbstore.datastore.snapshots import list_snapshots
from pbstore.errors import AbortedError, DatastoreError, LockedError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace
from unit.datastore.snapshot_factory import JOHN, ROOT, make_snapshot
from unit.datastore.work_recorder import WorkRecorder

GROUP = BackupGroup.parse("vm/100")
NS = Namespace.parse("a")
FIRST, SECOND, THIRD = (f"vm/100/2024-01-0{day}T00:00:00Z" for day in (1, 2, 3))
MOVE = GroupMove(GROUP, ROOT, NS)


@pytest.fixture(autouse=True)
def target_namespace(datastore: Datastore) -> None:
    create_namespace(datastore, NS)


def run(datastore: Datastore, move: GroupMove = MOVE) -> WorkRecorder:
    recorder = WorkRecorder()
    move.run(datastore, recorder)
    return recorder


def times(datastore: Datastore, namespace: Namespace) -> list[str]:
    return [snapshot.time_text[8:10] for snapshot in list_snapshots(datastore, namespace, GROUP)]


def test_all_of_it_moves(datastore: Datastore) -> None:
    for text in (FIRST, SECOND):
        make_snapshot(datastore, text)
        (datastore.path / text / "tree.pxar.didx").write_bytes(b"index")
    write_notes(datastore, ROOT, GROUP, "notes")
    recorder = run(datastore)
    assert recorder.lines == [
        "moving group 'vm/100' from '' to 'a'",
        f'removing backup group "{datastore.path}/vm/100"',
    ]
    assert list((datastore.path / "vm").iterdir()) == []
    assert times(datastore, NS) == ["02", "01"]
    assert (read_owner(datastore, NS, GROUP), read_notes(datastore, NS, GROUP)) == (JOHN, "notes")
    there = datastore.snapshot_path(NS, list_snapshots(datastore, NS, GROUP)[0])
    assert sorted(path.name for path in there.iterdir()) == ["index.json.blob", "tree.pxar.didx", "vm.conf.blob"]
    left = {path.name for path in (datastore.locks_dir / "store1").rglob("*") if path.is_file()}
    assert left == {"move-journal", "vm-100"}


def test_the_journal_knows_the_new_places(datastore: Datastore) -> None:
    make_snapshot(datastore, FIRST)
    for name in ("a.pxar.didx", "b.img.fidx"):
        (datastore.path / FIRST / name).touch()
    run(datastore)
    target = datastore.path / "ns/a" / FIRST
    assert sorted(drain_moves(datastore)) == [target / "a.pxar.didx", target / "b.img.fidx"]
    assert drain_moves(datastore) == []
    assert (datastore.locks_dir / "store1/move-journal").stat().st_mode & 0o777 == 0o660


def test_the_journal_waits_for_its_lock(datastore: Datastore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pbstore.datastore.move_journal.TIMEOUT_SECONDS", 0.1)
    append_moves(datastore, [])
    path = datastore.locks_dir / "store1/move-journal"
    with lock_file(path), pytest.raises(LockedError):
        append_moves(datastore, [Path("/x")])


def test_a_merge_appends(datastore: Datastore) -> None:
    make_snapshot(datastore, FIRST, namespace=NS)
    write_notes(datastore, NS, GROUP, "theirs")
    for text in (SECOND, THIRD):
        make_snapshot(datastore, text)
    write_notes(datastore, ROOT, GROUP, "ours")
    recorder = run(datastore)
    assert recorder.lines[0] == "merging group 'vm/100' from '' to 'a'"
    assert recorder.warnings == ["group 'vm/100' has notes in both namespaces: keeping those of 'a'"]
    assert times(datastore, NS) == ["03", "02", "01"]
    assert read_notes(datastore, NS, GROUP) == "theirs"


def test_a_merge_takes_notes_along_where_there_are_none(datastore: Datastore) -> None:
    make_snapshot(datastore, FIRST, namespace=NS)
    make_snapshot(datastore, SECOND)
    write_notes(datastore, ROOT, GROUP, "ours")
    assert run(datastore).warnings == []
    assert read_notes(datastore, NS, GROUP) == "ours"


@pytest.mark.parametrize("there", [SECOND, THIRD])
def test_times_must_follow_each_other(datastore: Datastore, there: str) -> None:
    make_snapshot(datastore, there, namespace=NS)
    for text in (SECOND, THIRD):
        make_snapshot(datastore, text)
    recorder = WorkRecorder()
    with pytest.raises(DatastoreError, match=r"^cannot merge group 'vm/100' from '' into 'a': snapshot time mismatch$"):
        MOVE.run(datastore, recorder)
    assert recorder.lines[1:] == [
        "oldest source snapshot: 2024-01-02T00:00:00Z",
        f"conflicting target snapshot: {there.rpartition('/')[2]}",
    ]
    assert (times(datastore, ROOT), len(times(datastore, NS))) == (["03", "02"], 1)


def test_owners_must_be_the_same(datastore: Datastore) -> None:
    make_snapshot(datastore, FIRST, namespace=NS, owner=AuthId.parse("other@pbs"))
    make_snapshot(datastore, SECOND)
    with pytest.raises(DatastoreError, match=r"owner mismatch \(john@pbs != other@pbs\)"):
        run(datastore)


@pytest.mark.parametrize(
    ("move", "text"),
    [
        (GroupMove(GROUP, NS, NS), "source and target namespace must be different"),
        (GroupMove(GROUP, ROOT, Namespace.parse("zz")), "target namespace 'zz' does not exist"),
        (GroupMove(BackupGroup.parse("ct/1"), ROOT, NS), "group 'ct/1' does not exist in namespace ''"),
        (
            GroupMove(GROUP, ROOT, NS, merge=False),
            "group 'vm/100' already exists in target namespace 'a' and merge-group is disabled",
        ),
    ],
)
def test_what_cannot_begin(datastore: Datastore, move: GroupMove, text: str) -> None:
    make_snapshot(datastore, FIRST, namespace=NS)
    make_snapshot(datastore, SECOND)
    with pytest.raises(DatastoreError) as caught:
        move.check(datastore)
    assert str(caught.value) == text


def test_a_snapshot_in_use_leaves_everything(datastore: Datastore) -> None:
    make_snapshot(datastore, FIRST)
    used = make_snapshot(datastore, SECOND)
    with locks.lock_snapshot(datastore, ROOT, used, shared=True), pytest.raises(LockedError):
        run(datastore)
    assert times(datastore, ROOT) == ["02", "01"]
    assert not datastore.group_path(NS, GROUP).exists()


@pytest.mark.parametrize("namespace", [ROOT, NS])
def test_a_group_in_use(datastore: Datastore, namespace: Namespace) -> None:
    make_snapshot(datastore, FIRST)
    with locks.lock_group(datastore, namespace, GROUP), pytest.raises(LockedError):
        run(datastore)
    assert times(datastore, ROOT) == ["01"]


def test_an_interrupted_move_can_be_repeated(datastore: Datastore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_move, "BATCH_SIZE", 1)
    for text in (FIRST, SECOND, THIRD):
        make_snapshot(datastore, text)
    with pytest.raises(AbortedError):
        MOVE.run(datastore, WorkRecorder(aborts_after=2))
    assert (times(datastore, ROOT), times(datastore, NS)) == (["03"], ["02", "01"])
    run(datastore)
    assert times(datastore, NS) == ["03", "02", "01"]
    assert not datastore.group_path(ROOT, GROUP).exists()
