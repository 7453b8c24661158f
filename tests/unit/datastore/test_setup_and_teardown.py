"""The life of a store from its creation to its destruction (version-4.md 5.3)."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memory_directory import memory_directory
from pbstore.config.acl_cfg import AclFile
from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.config.file_kind import service_owner
from pbstore.config.maintenance_mode import Operation
from pbstore.config.roots import Roots
from pbstore.config.section_config import SectionFile
from pbstore.datastore import access_time, adoption
from pbstore.datastore.active_operations import ActiveOperations
from pbstore.datastore.process_lock import ProcessLock, hold_process_lock
from pbstore.datastore.reconfiguration import Reconfiguration
from pbstore.datastore.setup import NewDatastore
from pbstore.datastore.teardown import Teardown
from pbstore.errors import ConfigError, DatastoreError, LockedError, ParameterError, PbstoreError, UnsupportedError

NOW = 1_780_300_800


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    made = Roots.below(tmp_path / "root")
    made.prepare()
    return made


def new(path: Path, *, reuse: bool = False, **values: str) -> NewDatastore:
    return NewDatastore(DatastoreConfig("main", {"path": str(path), **values}), reuse)


def ignore(line: str) -> None:
    """Nobody reads it."""


def configured(roots: Roots) -> dict[str, DatastoreConfig]:
    return dict(DatastoreFile(roots).load().datastores)


def job_state(roots: Roots) -> Path:
    return roots.state_dir / "jobstates/garbage_collection-main.json"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_whole_life(roots: Roots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_time, "PAUSE_SECONDS", 0.1)
    with memory_directory() as directory:
        path = directory / "main"
        lines: list[str] = []
        wish = NewDatastore(
            DatastoreConfig("main", {"path": str(path), "comment": "c"}),
            prune_schedule="daily",
            keep={"keep-last": 3},
        )
        wish.set_up(roots, NOW, lines.append)
        assert lines == [
            *(f"Chunkstore create: {percent}%" for percent in range(1, 100)),
            "Access time update check successful.",
        ]
        assert configured(roots) == {"main": wish.config}
        assert json.loads(job_state(roots).read_text()) == {"created": {"time": NOW}}
        with pytest.raises(ParameterError, match="datastore 'main' already exists"):
            wish.set_up(roots, NOW, ignore)
        Teardown(roots, "main").forget(ignore)
        assert (configured(roots), job_state(roots).exists()) == ({}, False)
        with pytest.raises(DatastoreError, match="take it over with reuse-datastore"):
            new(path).set_up(roots, NOW, ignore)
        (path / "host/a/2026-06-01T08:00:00Z").mkdir(parents=True)
        new(path, reuse=True).set_up(roots, NOW, ignore)
        assert (path / "host/a/2026-06-01T08:00:00Z").is_dir()
        Teardown(roots, "main").destroy(lambda config: hold_process_lock(config.path), lines.append)
        assert lines[-2:] == ["Removing datastore from config...", f"Deleted {path}"]
        assert (configured(roots), path.exists()) == ({}, False)
        assert not (roots.operations_dir / "main").exists()


@pytest.fixture
def small_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that can be taken over, with no more chunk directories than the test of access times needs."""
    monkeypatch.setattr(adoption, "PREFIX_COUNT", 2)
    path = tmp_path / "store"
    for name in (".chunks", ".chunks/0000", ".chunks/0001"):
        (path / name).mkdir(parents=True)
    (path / ".lock").touch(0o644)
    owner = service_owner()
    for part in (path, *path.rglob("*")):
        if part.is_dir():
            part.chmod(0o755 if part == path else 0o750)
        if owner is not None:
            os.chown(part, *owner)
    return path


TUNING = {"tuning": "gc-atime-safety-check=0"}


def test_taking_over_changes_nothing(roots: Roots, small_store: Path) -> None:
    lines: list[str] = []
    new(small_store, reuse=True, **TUNING).set_up(roots, NOW, lines.append)
    assert lines[-1] == "Access time update check disabled by datastore tuning options."
    assert sorted(path.name for path in small_store.iterdir()) == [".chunks", ".lock"]
    assert list(configured(roots)) == ["main"]


def test_a_failed_take_over_leaves_the_directory_alone(roots: Roots, small_store: Path) -> None:
    (small_store / ".chunks/0001").chmod(0o755)
    with pytest.raises(DatastoreError, match="has mode 0755"):
        new(small_store, reuse=True).set_up(roots, NOW, ignore)
    (small_store / ".chunks/0001").chmod(0o750)
    with pytest.raises(DatastoreError, match="access time safety check failed"):
        new(small_store, reuse=True).set_up(roots, NOW, ignore)
    assert (small_store / ".chunks/0001").is_dir()
    assert configured(roots) == {}


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"path": "relative"}, ParameterError),
        ({"path": "/"}, DatastoreError),
        ({"path": "/x", "backing-device": "12345678-1234-1234-1234-123456789abc"}, UnsupportedError),
        ({"path": "/x", "backend": "type=s3,client=c,bucket=b"}, UnsupportedError),
    ],
)
def test_what_is_refused_at_once(roots: Roots, values: dict[str, str], error: type[PbstoreError]) -> None:
    with pytest.raises(error):
        NewDatastore(DatastoreConfig("main", values)).check(DatastoreFile(roots).load())


def add(roots: Roots, path: Path, **values: str) -> None:
    with DatastoreFile(roots).edit() as edit:
        edit.put(DatastoreConfig("main", {"path": str(path), **values}))


def test_jobs_and_rights_go_with_the_store(roots: Roots, small_store: Path) -> None:
    add(roots, small_store)
    (roots.config_dir / "prune.cfg").write_text("prune: p1\n\tschedule daily\n\tstore main\n")
    (roots.config_dir / "sync.cfg").write_text(
        "sync: pulls\n\tremote r\n\tremote-store main\n\tstore other\n\n"
        "sync: local\n\tremote-store main\n\tstore other\n\nsync: pushes\n\tremote r\n\tstore main\n"
    )
    with AclFile(roots).edit() as acl:
        for path in ("/datastore/main", "/datastore/main/ns", "/datastore/main2"):
            acl.grant(path, "john@pbs", "DatastoreAudit")
    states = roots.state_dir / "jobstates"
    states.mkdir()
    for name in ("prunejob-p1", "syncjob-pulls", "syncjob-pushes", "garbage_collection-main"):
        (states / f"{name}.json").touch()
    lines: list[str] = []
    Teardown(roots, "main").forget(lines.append)
    assert lines == [
        "Removing datastore from config...",
        "Removed prunejob 'p1'",
        "Removed syncjob 'local'",
        "Removed syncjob 'pushes'",
    ]
    left = SectionFile.parse((roots.config_dir / "sync.cfg").read_bytes(), Path("sync.cfg"))
    assert [section.section_id for section in left.sections] == ["pulls"]
    assert {entry.path for entry in AclFile(roots).load().entries} == {"/datastore/main2"}
    assert [path.name for path in states.iterdir()] == ["syncjob-pulls.json"]
    assert small_store.is_dir()


def test_jobs_and_rights_can_stay(roots: Roots, small_store: Path) -> None:
    add(roots, small_store)
    (roots.config_dir / "prune.cfg").write_text("prune: p1\n\tschedule daily\n\tstore main\n")
    with AclFile(roots).edit() as acl:
        acl.grant("/datastore/main", "john@pbs", "DatastoreAudit")
    Teardown(roots, "main", keep_job_configs=True).forget(ignore)
    assert "store main" in (roots.config_dir / "prune.cfg").read_text()
    assert AclFile(roots).load().entries


@contextmanager
def hold(config: DatastoreConfig) -> Iterator[None]:
    with hold_process_lock(config.path):
        yield


def test_nothing_is_destroyed_while_something_runs(roots: Roots, small_store: Path) -> None:
    add(roots, small_store)
    teardown = Teardown(roots, "main")
    with (
        ActiveOperations(roots.operations_dir).running("main", Operation.READ),
        pytest.raises(DatastoreError, match="while 1 read and 0 write operations run: repeat"),
    ):
        teardown.destroy(hold, ignore)
    assert configured(roots)["main"].maintenance_mode is not None
    lock = ProcessLock.acquire(small_store)
    with pytest.raises(LockedError):
        teardown.destroy(hold, ignore)
    lock.release()
    assert (small_store / ".chunks/0001").is_dir()
    teardown.destroy(hold, ignore)
    assert not small_store.exists()


def test_an_interrupted_destruction_is_repeated(roots: Roots, small_store: Path) -> None:
    add(roots, small_store, **{"maintenance-mode": "delete"})
    shutil.rmtree(small_store / ".chunks/0000")
    Teardown(roots, "main").destroy(hold, ignore)
    assert (configured(roots), small_store.exists()) == ({}, False)
    add(roots, small_store)
    Teardown(roots, "main").destroy(hold, ignore)
    assert configured(roots) == {}


def test_foreign_files_keep_the_directory(roots: Roots, small_store: Path) -> None:
    (small_store / "readme").touch()
    (small_store / "ns/a/host/x").mkdir(parents=True)
    (small_store / "vm").mkdir()
    add(roots, small_store)
    lines: list[str] = []
    Teardown(roots, "main").destroy(hold, lines.append)
    assert [path.name for path in small_store.iterdir()] == ["readme"]
    assert lines[-1].startswith(f"Kept {small_store}")


def test_what_is_not_configured_cannot_be_removed(roots: Roots) -> None:
    with pytest.raises(ConfigError, match="no such datastore 'nope'"):
        Teardown(roots, "nope").forget(ignore)
    with pytest.raises(ConfigError, match="no such datastore 'nope'"):
        Teardown(roots, "nope").destroy(hold, ignore)


def change(roots: Roots, values: dict[str, str], *delete: str) -> None:
    Reconfiguration(values, delete).apply(roots, "main", digest=None, now=NOW)


def test_a_change_keeps_the_rest(roots: Roots, small_store: Path) -> None:
    add(roots, small_store, comment="c", tuning="sync-level=file")
    change(roots, {"comment": "new", "gc-schedule": "daily"}, "tuning", "notify")
    assert configured(roots)["main"].values == {"path": str(small_store), "comment": "new", "gc-schedule": "daily"}


def test_another_schedule_starts_the_job_anew(roots: Roots, small_store: Path) -> None:
    add(roots, small_store)
    change(roots, {"comment": "x"})
    assert not job_state(roots).exists()
    change(roots, {"gc-schedule": "daily"})
    assert json.loads(job_state(roots).read_text()) == {"created": {"time": NOW}}
    finished = {"upid": "UPID:x", "state": {"OK": {"endtime": 1}}, "updated": None}
    job_state(roots).write_text(json.dumps({"finished": finished}))
    change(roots, {}, "gc-schedule")
    assert json.loads(job_state(roots).read_text()) == {"finished": {**finished, "updated": NOW}}


@pytest.mark.parametrize("values", [{"maintenance-mode": "read-only"}, {}])
def test_a_store_that_is_being_deleted_stays_so(roots: Roots, small_store: Path, values: dict[str, str]) -> None:
    add(roots, small_store, **{"maintenance-mode": "delete"})
    with pytest.raises(DatastoreError, match="is being deleted"):
        change(roots, values, "maintenance-mode")
    change(roots, {"comment": "still possible"})


@pytest.mark.parametrize(
    "key", ["keep-last", "prune-schedule", "gc-on-unmount", "notification-thresholds", "counter-reset-schedule"]
)
def test_values_without_meaning_are_refused(roots: Roots, small_store: Path, key: str) -> None:
    add(roots, small_store)
    with pytest.raises(ParameterError, match=key):
        change(roots, {key: "1"})
