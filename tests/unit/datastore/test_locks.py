"""Lock files of groups, snapshots and manifests, and the lock of the store (version-4.md 5.1)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.locks import lock_group, lock_manifest, lock_path, lock_snapshot
from pbstore.errors import DatastoreError, LockedError
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace
from unit.datastore.snapshot_factory import ROOT

BASE = Path("/run/locks/store1")
SNAPSHOT = Snapshot.parse("vm/100/2024-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("relative", "name"),
    [
        ("vm/100", "vm-100"),
        ("vm/100/2024-01-01T00:00:00Z", r"vm-100-2024\x2d01\x2d01T00\x3a00\x3a00Z"),
        ("vm/100/2024-01-01T00:00:00Z/.index.json.lck", r"vm-100-2024\x2d01\x2d01T00\x3a00\x3a00Z-.index.json.lck"),
        (
            "host/a" + "-" * 70,
            "hashed/host-a"
            + r"\x2d" * 18
            + r"\x..."
            + r"\x2d" * 20
            + "-fd565cb271c87def150023418b63f914b0ccae223d27d848e1caf2c58352676e",
        ),
    ],
)
def test_names(relative: str, name: str) -> None:
    assert str(lock_path(BASE, ROOT, relative)) == f"{BASE}/{name}"


@pytest.mark.parametrize(("length", "hashed"), [(249, False), (250, True)])
def test_names_are_hashed_from_255_bytes_on(length: int, hashed: bool) -> None:
    assert ("hashed" in str(lock_path(BASE, ROOT, "host/" + "a" * length))) is hashed


def test_names_in_a_namespace() -> None:
    assert str(lock_path(BASE, Namespace.parse("a/b"), "vm/100")) == f"{BASE}/a:b/vm-100"


def test_groups_are_locked_once(datastore: Datastore) -> None:
    group = BackupGroup.parse("vm/100")
    with lock_group(datastore, ROOT, group):
        with pytest.raises(LockedError, match="unable to acquire lock on backup group 'vm/100'"):
            lock_group(datastore, ROOT, group)
        lock_group(datastore, Namespace.parse("ns1"), group).release()
        lock_group(datastore, ROOT, BackupGroup.parse("vm/101")).release()
    lock_group(datastore, ROOT, group).release()
    assert (datastore.locks_dir / "store1/vm-100").stat().st_mode & 0o777 == 0o660


def test_snapshots_are_shared_by_readers_only(datastore: Datastore) -> None:
    with lock_snapshot(datastore, ROOT, SNAPSHOT, shared=True):
        lock_snapshot(datastore, ROOT, SNAPSHOT, shared=True).release()
        with pytest.raises(LockedError):
            lock_snapshot(datastore, ROOT, SNAPSHOT)
        lock_manifest(datastore, ROOT, SNAPSHOT).release()


def test_writers_are_counted(datastore: Datastore) -> None:
    lock = datastore.process_lock
    assert lock.oldest_writer is None
    with lock.shared(200.0), lock.shared(100.0):
        assert lock.oldest_writer == 100.0
    assert lock.oldest_writer is None


OPEN = """
import pathlib, sys
from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.datastore.datastore import Datastore
store = Datastore.open(DatastoreConfig("store1", {"path": sys.argv[1]}), pathlib.Path(sys.argv[2]))
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_with_the_pid_of_the_first(store_path: Path, tmp_path: Path) -> None:
    config = DatastoreConfig("store1", {"path": str(store_path)})
    with subprocess.Popen(
        [sys.executable, "-c", OPEN, str(store_path), str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == b"open\n"
        for _ in range(2):
            with pytest.raises(LockedError, match=f"in use by process {process.pid}:"):
                Datastore.open(config, tmp_path)
        process.stdin.close()
    Datastore.open(config, tmp_path).close()


def test_the_same_process_opens_a_store_once(datastore: Datastore, tmp_path: Path) -> None:
    with pytest.raises(LockedError, match="open in this process"):
        Datastore.open(datastore.config, tmp_path)
    result = subprocess.run(
        [sys.executable, "-c", OPEN, str(datastore.path), str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"in use by process {os.getpid()}" in result.stderr
    datastore.close()
    Datastore.open(datastore.config, tmp_path).close()


@pytest.mark.parametrize("missing", [".lock", ".chunks", ""])
def test_what_is_no_store_is_not_opened(store_path: Path, tmp_path: Path, missing: str) -> None:
    path = store_path / missing if missing else store_path
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="store1") as caught:
        Datastore.open(DatastoreConfig("store1", {"path": str(store_path)}), tmp_path)
    assert not isinstance(caught.value, OSError)


def test_what_this_version_cannot_serve(store_path: Path, tmp_path: Path) -> None:
    for values in ({"backend": "type=s3,client=x,bucket=y"}, {"backing-device": "1234"}):
        with pytest.raises(DatastoreError, match="only local directories"):
            Datastore.open(DatastoreConfig("store1", {"path": str(store_path), **values}), tmp_path)
