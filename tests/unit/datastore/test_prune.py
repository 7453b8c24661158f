"""Planning and carrying out on disk (datastore-layout.md 6)."""

import pytest

from pbstore.datastore.datastore import Datastore
from pbstore.datastore.locks import lock_snapshot
from pbstore.datastore.prune import carry_out, plan_prune
from pbstore.datastore.retention import Mark, Retention
from pbstore.datastore.snapshots import list_snapshots, set_protected
from pbstore.errors import AbortedError, DatastoreError
from pbstore.model.backup import BackupGroup, Snapshot
from unit.datastore.snapshot_factory import ROOT, make_snapshot
from unit.datastore.work_recorder import WorkRecorder

GROUP = BackupGroup.parse("vm/100")
NAMES = [f"vm/100/2024-01-0{day}T00:00:00Z" for day in range(1, 6)]


def prune(datastore: Datastore, retention: Retention, log: WorkRecorder) -> None:
    plan = plan_prune(datastore, ROOT, GROUP, retention)
    carry_out(datastore, plan, log, lambda decision: f"{decision.snapshot} {decision.mark}")


def test_the_plan_is_oldest_first_and_changes_nothing(datastore: Datastore) -> None:
    snapshots = [make_snapshot(datastore, name) for name in NAMES[:4]]
    unfinished = make_snapshot(datastore, NAMES[4], finished=False)
    set_protected(datastore, ROOT, snapshots[0], True)
    plan = plan_prune(datastore, ROOT, GROUP, Retention(last=2))
    marks = [Mark.PROTECTED, Mark.REMOVE, Mark.KEEP, Mark.KEEP, Mark.KEEP_PARTIAL]
    assert [(one.snapshot, one.mark) for one in plan.decisions] == list(
        zip([*snapshots, unfinished], marks, strict=True)
    )
    assert plan.counts == {Mark.PROTECTED: 1, Mark.REMOVE: 1, Mark.KEEP: 2, Mark.KEEP_PARTIAL: 1}
    assert len(list_snapshots(datastore, ROOT, GROUP)) == 5


def test_carrying_out(datastore: Datastore) -> None:
    snapshots = [make_snapshot(datastore, name) for name in NAMES[:3]]
    log = WorkRecorder()
    prune(datastore, Retention(last=1), log)
    path = datastore.path / "vm/100"
    assert log.lines == [
        f"{NAMES[0]} remove",
        f'removing backup snapshot "{path}/2024-01-01T00:00:00Z"',
        f"{NAMES[1]} remove",
        f'removing backup snapshot "{path}/2024-01-02T00:00:00Z"',
        f"{NAMES[2]} keep",
    ]
    assert log.warnings == []
    assert list_snapshots(datastore, ROOT, GROUP) == [snapshots[2]]


def test_what_is_in_use_or_protected_by_then_is_a_warning(datastore: Datastore) -> None:
    first, second, third, _ = [make_snapshot(datastore, name) for name in NAMES[:4]]
    plan = plan_prune(datastore, ROOT, GROUP, Retention(last=1))
    set_protected(datastore, ROOT, second, True)
    log = WorkRecorder()
    with lock_snapshot(datastore, ROOT, first, shared=True):
        carry_out(datastore, plan, log, lambda decision: "")
    for line, snapshot in zip(log.warnings, (first, second), strict=True):
        assert line.startswith(f"failed to remove snapshot '{snapshot}': ")
    assert "in use" in log.warnings[0]
    assert "protected" in log.warnings[1]
    remaining = list_snapshots(datastore, ROOT, GROUP)
    assert third not in remaining
    assert {first, second} < set(remaining)


def test_a_backup_that_was_finished_meanwhile_stays(datastore: Datastore) -> None:
    make_snapshot(datastore, NAMES[1])
    unfinished = make_snapshot(datastore, NAMES[0], finished=False)
    plan = plan_prune(datastore, ROOT, GROUP, Retention(last=1))
    manifest = datastore.path / NAMES[1] / "index.json.blob"
    (datastore.path / NAMES[0] / "index.json.blob").write_bytes(manifest.read_bytes())
    log = WorkRecorder()
    carry_out(datastore, plan, log, lambda decision: "")
    assert log.warnings == [f"failed to remove snapshot '{unfinished}': it was finished meanwhile"]
    assert unfinished in list_snapshots(datastore, ROOT, GROUP)


def test_abort_stops_between_snapshots(datastore: Datastore) -> None:
    snapshots = [make_snapshot(datastore, name) for name in NAMES]
    with pytest.raises(AbortedError):
        prune(datastore, Retention(last=1), WorkRecorder(aborts_after=2))
    assert list_snapshots(datastore, ROOT, GROUP) == list(reversed(snapshots[2:]))


def test_the_group_goes_with_its_last_snapshot(datastore: Datastore) -> None:
    """Which only happens to unfinished ones: the newest finished snapshot is kept by every option."""
    make_snapshot(datastore, NAMES[0])
    prune(datastore, Retention(last=1), WorkRecorder())
    assert list_snapshots(datastore, ROOT, GROUP) == [Snapshot.parse(NAMES[0])]


def test_no_such_group(datastore: Datastore) -> None:
    with pytest.raises(DatastoreError, match="ENOENT"):
        plan_prune(datastore, ROOT, GROUP, Retention(last=1))
