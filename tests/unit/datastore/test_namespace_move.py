"""Moving namespaces (version-4.md 9)."""

import threading

import pytest

from pbstore.datastore import locks
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import list_groups
from pbstore.datastore.namespace_move import NamespaceMove
from pbstore.datastore.namespaces import create_namespace, has_namespace, list_namespaces
from pbstore.errors import AbortedError, DatastoreError, PbstoreError
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace
from unit.datastore.snapshot_factory import ROOT, make_snapshot
from unit.datastore.work_recorder import WorkRecorder

A, AX, B, BA, BAX = (Namespace.parse(text) for text in ("a", "a/x", "b", "b/a", "b/a/x"))
N1, N2 = BackupGroup.parse("host/n1"), BackupGroup.parse("host/n2")
TIME = "2024-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def content(datastore: Datastore) -> None:
    for namespace in (A, AX, B):
        create_namespace(datastore, namespace)
    make_snapshot(datastore, f"host/n1/{TIME}", namespace=A)
    make_snapshot(datastore, f"host/n2/{TIME}", namespace=AX)


def names(datastore: Datastore) -> list[str]:
    return [str(namespace) for namespace in list_namespaces(datastore, ROOT)][1:]


def test_everything_moves(datastore: Datastore) -> None:
    recorder = WorkRecorder()
    NamespaceMove(A, BA).run(datastore, recorder)
    assert recorder.lines == [
        "moving namespace 'a' -> 'b/a': 2 namespace(s)",
        "moving group 'host/n1' from 'a' to 'b/a'",
        f'removing backup group "{datastore.path}/ns/a/host/n1"',
        "moved group 1 ('host/n1' in 'a')",
        "moving group 'host/n2' from 'a/x' to 'b/a/x'",
        f'removing backup group "{datastore.path}/ns/a/ns/x/host/n2"',
        "moved group 2 ('host/n2' in 'a/x')",
    ]
    assert names(datastore) == ["b", "b/a", "b/a/x"]
    assert (list(list_groups(datastore, BA)), list(list_groups(datastore, BAX))) == ([N1], [N2])


def test_empty_namespaces_can_stay(datastore: Datastore) -> None:
    NamespaceMove(A, BA, delete_source=False).run(datastore, WorkRecorder())
    assert names(datastore) == ["a", "a/x", "b", "b/a", "b/a/x"]
    assert list(list_groups(datastore, A)) == []


def test_only_some_levels(datastore: Datastore) -> None:
    NamespaceMove(A, BA, max_depth=0).run(datastore, WorkRecorder())
    assert names(datastore) == ["a", "a/x", "b", "b/a"]
    assert list(list_groups(datastore, AX)) == [N2]


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        ("a", "a/x/y", "cannot move namespace 'a' into its own subtree (target: 'a/x/y')"),
        ("a", "a", "cannot move namespace 'a' into its own subtree (target: 'a')"),
        ("a", "zz/a", "target parent namespace 'zz' does not exist"),
        ("", "c", "Cannot create/delete root namespace!"),
        ("a", "", "Cannot create/delete root namespace!"),
        ("nope", "c", "namespace 'nope' does not exist"),
    ],
)
def test_what_cannot_begin(datastore: Datastore, source: str, target: str, text: str) -> None:
    with pytest.raises(PbstoreError) as caught:
        NamespaceMove(Namespace.parse(source), Namespace.parse(target)).check(datastore)
    assert str(caught.value) == text


def test_the_whole_tree_must_fit(datastore: Datastore) -> None:
    deep = B
    for name in "cdefg":
        deep = deep.child(name)
        create_namespace(datastore, deep)
    NamespaceMove(A, deep.child("h"), max_depth=0).check(datastore)
    with pytest.raises(PbstoreError, match="too deep"):
        NamespaceMove(A, deep.child("h")).check(datastore)


def test_a_busy_group_is_tried_again_and_then_named(datastore: Datastore) -> None:
    recorder = WorkRecorder()
    with (
        locks.lock_group(datastore, A, N1),
        pytest.raises(DatastoreError, match=r"^1 group\(s\) could not be moved: 'host/n1' in 'a'$"),
    ):
        NamespaceMove(A, BA).run(datastore, recorder)
    assert [line.split(":")[0] for line in recorder.lines if "group 'host/n1': " in line] == [
        "postponing group 'host/n1'",
        "skipping group 'host/n1'",
    ]
    assert (list(list_groups(datastore, A)), list(list_groups(datastore, BAX))) == ([N1], [N2])
    assert not has_namespace(datastore, AX)


def test_a_group_that_is_free_later_moves(datastore: Datastore) -> None:
    lock = locks.lock_group(datastore, A, N1)
    released = threading.Event()

    class Releasing(WorkRecorder):
        def log(self, text: str) -> None:
            super().log(text)
            if text.startswith("moved group 1"):
                lock.release()
                released.set()

    NamespaceMove(A, BA).run(datastore, Releasing())
    assert released.is_set()
    assert names(datastore) == ["b", "b/a", "b/a/x"]


def test_groups_that_cannot_be_merged_stay(datastore: Datastore) -> None:
    create_namespace(datastore, BA)
    make_snapshot(datastore, "host/n1/2024-01-02T00:00:00Z", namespace=BA)
    recorder = WorkRecorder()
    with pytest.raises(DatastoreError, match="1 group"):
        NamespaceMove(A, BA).run(datastore, recorder)
    assert recorder.warnings == ["cannot merge group 'host/n1' from 'a' into 'b/a': snapshot time mismatch"]
    with pytest.raises(DatastoreError, match="1 group"):
        NamespaceMove(A, BA, merge_groups=False).run(datastore, recorder)
    assert recorder.warnings[1:] == [
        "group 'host/n1' already exists in target namespace 'b/a' and merge-group is disabled"
    ]
    assert list(list_groups(datastore, A)) == [N1]


def test_it_can_be_stopped(datastore: Datastore) -> None:
    with pytest.raises(AbortedError):
        NamespaceMove(A, BA).run(datastore, WorkRecorder(aborts_after=1))
    assert list(list_groups(datastore, AX)) == [N2]
