"""Removing namespaces with what is in them (version-4.md 5.2)."""

import pytest

from pbstore.datastore import locks
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.namespace_removal import NamespaceRemoval, remove_empty_namespace, remove_namespace
from pbstore.datastore.namespaces import create_namespace, has_namespace
from pbstore.datastore.removal import RemovalCounts
from pbstore.datastore.snapshots import set_protected
from pbstore.errors import FormatError, LockedError
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace
from unit.datastore.snapshot_factory import ROOT, make_snapshot

A, AB, AC = (Namespace.parse(text) for text in ("a", "a/b", "a/c"))
FIRST, SECOND = "vm/100/2024-01-01T00:00:00Z", "vm/100/2024-01-02T00:00:00Z"


@pytest.fixture(autouse=True)
def namespaces(datastore: Datastore) -> None:
    for namespace in (A, AB, AC):
        create_namespace(datastore, namespace)


def test_empty_ones_go_with_all_below(datastore: Datastore) -> None:
    (datastore.namespace_path(AB) / "host").mkdir()
    assert remove_namespace(datastore, A, with_groups=False) == NamespaceRemoval(RemovalCounts(), True)
    assert list((datastore.path / "ns").iterdir()) == []


def test_groups_are_not_touched_unless_told(datastore: Datastore) -> None:
    make_snapshot(datastore, FIRST, namespace=AB)
    assert remove_namespace(datastore, A, with_groups=False) == NamespaceRemoval(RemovalCounts(), False)
    assert has_namespace(datastore, AB)
    assert not has_namespace(datastore, AC)


def test_with_groups(datastore: Datastore) -> None:
    for text, namespace in ((FIRST, A), (SECOND, A), (FIRST, AB), ("ct/1/2024-01-01T00:00:00Z", AC)):
        make_snapshot(datastore, text, namespace=namespace)
    make_snapshot(datastore, FIRST)
    assert remove_namespace(datastore, A, with_groups=True) == NamespaceRemoval(RemovalCounts(3, 4, 0), True)
    assert not has_namespace(datastore, A)
    assert (datastore.path / FIRST).is_dir()


def test_protected_snapshots_keep_their_namespace(datastore: Datastore) -> None:
    make_snapshot(datastore, FIRST, namespace=AB)
    set_protected(datastore, AB, make_snapshot(datastore, SECOND, namespace=AB), True)
    make_snapshot(datastore, FIRST, namespace=AC)
    assert remove_namespace(datastore, A, with_groups=True) == NamespaceRemoval(RemovalCounts(1, 2, 1), False)
    assert (datastore.namespace_path(AB) / SECOND).is_dir()
    assert not has_namespace(datastore, AC)


def test_a_group_in_use_stops_it(datastore: Datastore) -> None:
    make_snapshot(datastore, FIRST, namespace=AB)
    with locks.lock_group(datastore, AB, BackupGroup.parse("vm/100")), pytest.raises(LockedError):
        remove_namespace(datastore, A, with_groups=True)
    assert (datastore.namespace_path(AB) / FIRST).is_dir()


def test_what_is_not_there_is_removed_already(datastore: Datastore) -> None:
    gone = NamespaceRemoval(RemovalCounts(), True)
    assert remove_namespace(datastore, Namespace.parse("nope"), with_groups=True) == gone


def test_the_root_stays(datastore: Datastore) -> None:
    with pytest.raises(FormatError, match="Cannot create/delete root namespace!"):
        remove_namespace(datastore, ROOT, with_groups=True)


def test_content_that_nobody_expects_survives(datastore: Datastore) -> None:
    (datastore.namespace_path(A) / "vm").mkdir()
    (datastore.namespace_path(A) / "vm/strange").touch()
    remove_empty_namespace(datastore, A)
    assert (datastore.namespace_path(A) / "vm/strange").exists()
