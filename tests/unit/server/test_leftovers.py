"""What a killed server left is removed when a store is opened, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.locks import lock_snapshot
from pbstore.datastore.namespaces import create_namespace
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace
from pbstore.server.leftovers import remove_leftovers
from unit.datastore.snapshot_factory import ROOT, make_snapshot
from unit.server.conftest import lay_out_store

TIME = "2026-06-01T08:00:00Z"


@pytest.fixture
def datastore(tmp_path: Path) -> Iterator[Datastore]:
    lay_out_store(tmp_path / "store1")
    opened = Datastore.open(DatastoreConfig("store1", {"path": str(tmp_path / "store1")}), tmp_path / "locks")
    yield opened
    opened.close()


def directory(datastore: Datastore, snapshot: Snapshot, namespace: Namespace = ROOT) -> Path:
    return datastore.snapshot_path(namespace, snapshot)


def test_unfinished_snapshots_go_and_finished_ones_stay(datastore: Datastore) -> None:
    finished = make_snapshot(datastore, f"host/a/{TIME}")
    unfinished = make_snapshot(datastore, "host/a/2026-06-02T08:00:00Z", finished=False)
    assert remove_leftovers(datastore) == 1
    assert directory(datastore, finished).is_dir()
    assert not directory(datastore, unfinished).exists()


def test_a_group_that_is_empty_then_goes_too(datastore: Datastore) -> None:
    unfinished = make_snapshot(datastore, f"vm/100/{TIME}", finished=False)
    remove_leftovers(datastore)
    assert not directory(datastore, unfinished).parent.exists()


def test_a_snapshot_that_lost_its_manifest_stays(datastore: Datastore) -> None:
    snapshot = make_snapshot(datastore, f"host/a/{TIME}")
    (directory(datastore, snapshot) / "index.json.blob").unlink()
    assert remove_leftovers(datastore) == 0
    assert (directory(datastore, snapshot) / "vm.conf.blob").is_file()


def test_an_empty_directory_goes(datastore: Datastore) -> None:
    snapshot = make_snapshot(datastore, f"host/a/{TIME}", finished=False)
    for path in directory(datastore, snapshot).iterdir():
        path.unlink()
    assert remove_leftovers(datastore) == 1
    assert not directory(datastore, snapshot).exists()


def test_namespaces_are_visited(datastore: Datastore) -> None:
    deep = Namespace.parse("a/b")
    create_namespace(datastore, Namespace.parse("a"))
    create_namespace(datastore, deep)
    unfinished = make_snapshot(datastore, f"ct/101/{TIME}", namespace=deep, finished=False)
    assert remove_leftovers(datastore) == 1
    assert not directory(datastore, unfinished, deep).exists()
    assert datastore.namespace_path(deep).is_dir()


def test_what_is_locked_stays(datastore: Datastore) -> None:
    unfinished = make_snapshot(datastore, f"host/a/{TIME}", finished=False)
    with lock_snapshot(datastore, ROOT, unfinished, shared=True):
        assert remove_leftovers(datastore) == 0
    assert directory(datastore, unfinished).is_dir()


def test_temporary_files_in_finished_snapshots_go(datastore: Datastore) -> None:
    finished = make_snapshot(datastore, f"host/a/{TIME}")
    path = directory(datastore, finished)
    for name in ("index.json.blob.tmp_a1B2c3", "disk.img.tmp_fidx", "root.pxar.tmp_didx", "x.blob.tmp_upload"):
        (path / name).touch()
    kept = {"index.json.blob", "vm.conf.blob", "client.log.blob", "notes.tmp"}
    for name in kept:
        (path / name).touch()
    assert remove_leftovers(datastore) == 0
    assert {entry.name for entry in path.iterdir()} == kept


def test_foreign_directories_are_left_alone(datastore: Datastore) -> None:
    for name in ("host/a/old", "host/.hidden/2026-06-01T08:00:00Z", "lost+found"):
        (datastore.path / name).mkdir(parents=True)
    assert remove_leftovers(datastore) == 0
    assert (datastore.path / "host/a/old").is_dir()
    assert (datastore.path / "host/.hidden/2026-06-01T08:00:00Z").is_dir()


def test_a_removal_that_a_crash_interrupted_is_finished(datastore: Datastore) -> None:
    """The manifest becomes the mark first, so what is left has the one and not the other."""
    halfway = make_snapshot(datastore, f"host/a/{TIME}")
    (directory(datastore, halfway) / "index.json.blob").rename(directory(datastore, halfway) / ".unfinished")
    assert remove_leftovers(datastore) == 1


def test_temporary_files_of_a_group_go_and_its_own_files_stay(datastore: Datastore) -> None:
    group = directory(datastore, make_snapshot(datastore, f"host/a/{TIME}")).parent
    (group / "notes").write_text("a line")
    for name in ("notes.tmp_abcd1234", "owner.tmp_x_y_z_12"):
        (group / name).touch()
    remove_leftovers(datastore)
    assert {path.name for path in group.iterdir()} == {"owner", "notes", TIME}


def test_a_group_that_got_no_owner_goes(datastore: Datastore) -> None:
    (datastore.path / "host/new").mkdir(parents=True)
    (datastore.path / "host/new/owner.tmp_abcd1234").touch()
    (datastore.path / "host/empty").mkdir()
    (datastore.path / "host/empty/owner").write_text("john@pbs\n")
    remove_leftovers(datastore)
    assert [path.name for path in (datastore.path / "host").iterdir()] == ["empty"]
