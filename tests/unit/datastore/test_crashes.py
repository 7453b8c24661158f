"""A process that is killed at each single change of the disk: nothing is half there afterwards, and repeating helps.

The gate kills the process before its n-th change takes effect.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gate_control import GateControl, gate_command
from gate_plan import Plan
from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.group_move import GroupMove
from pbstore.datastore.manifest_file import read_manifest
from pbstore.datastore.namespaces import create_namespace
from pbstore.datastore.removal import remove_group
from pbstore.datastore.snapshots import is_finished, list_snapshots
from pbstore.errors import DatastoreError
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace
from pbstore.server.leftovers import remove_leftovers
from unit.datastore.snapshot_factory import ROOT, make_snapshot
from unit.datastore.work_recorder import WorkRecorder

pytestmark = pytest.mark.slow
GROUP = BackupGroup.parse("vm/100")
NS = Namespace.parse("a")
COUNT = 2
CHILD = """
import sys
from pathlib import Path
from unit.datastore import test_crashes
with test_crashes.opened(Path(sys.argv[1])) as datastore:
    getattr(test_crashes, sys.argv[2])(datastore)
"""


@contextmanager
def opened(work: Path) -> Iterator[Datastore]:
    """The store below `work`."""
    datastore = Datastore.open(DatastoreConfig("store1", {"path": str(work / "store")}), work / "locks")
    yield datastore
    datastore.close()


def remove(datastore: Datastore) -> None:
    """Remove the group."""
    remove_group(datastore, ROOT, GROUP)


def move(datastore: Datastore) -> None:
    """Move the group."""
    GroupMove(GROUP, ROOT, NS).run(datastore, WorkRecorder())


def killed_at(number: int, work: Path, operation: str) -> bool:
    """Run an operation in a process that dies at its n-th change; whether it came to that."""
    control = work.with_name(f"gate-{number}")
    GateControl(control).set(Plan(below=[str(work / "store")], at=number))
    command = [*gate_command(control), sys.executable, "-c", CHILD, str(work), operation]
    done = subprocess.run(command, env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, check=False)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode != 0


def whole_snapshots(datastore: Datastore, namespace: Namespace) -> int:
    """How many there are; each must be complete."""
    try:
        snapshots = list_snapshots(datastore, namespace, GROUP)
    except DatastoreError:
        return 0
    for snapshot in snapshots:
        assert is_finished(datastore, namespace, snapshot)
        manifest, _ = read_manifest(datastore, namespace, snapshot)
        for file in manifest.files:
            assert (datastore.snapshot_path(namespace, snapshot) / file.filename).is_file()
    return len(snapshots)


def crash_everywhere(tmp_path: Path, operation: str, check: Callable[[Datastore], None]) -> int:
    """Kill the operation at each change in turn; how many there are."""
    prepared = tmp_path / "prepared"
    (prepared / "store/.chunks").mkdir(parents=True)
    (prepared / "store/.lock").touch()
    with opened(prepared) as datastore:
        create_namespace(datastore, NS)
        for day in range(1, COUNT + 1):
            make_snapshot(datastore, f"vm/100/2024-01-0{day}T00:00:00Z")
    for number in range(1, 200):
        work = tmp_path / str(number)
        shutil.copytree(prepared, work)
        if not killed_at(number, work, operation):
            return number - 1
        with opened(work) as datastore:
            remove_leftovers(datastore)
            check(datastore)
    raise AssertionError(f"{operation} does not come to an end")


def test_removal(tmp_path: Path) -> None:
    def check(datastore: Datastore) -> None:
        left = whole_snapshots(datastore, ROOT)
        assert left <= COUNT
        if datastore.group_path(ROOT, GROUP).is_dir():
            remove(datastore)
        assert not datastore.group_path(ROOT, GROUP).exists()

    assert crash_everywhere(tmp_path, "remove", check) > 2 * COUNT


def test_moving(tmp_path: Path) -> None:
    def check(datastore: Datastore) -> None:
        assert whole_snapshots(datastore, ROOT) + whole_snapshots(datastore, NS) == COUNT
        if datastore.group_path(ROOT, GROUP).is_dir():
            move(datastore)
        assert whole_snapshots(datastore, NS) == COUNT
        assert not datastore.group_path(ROOT, GROUP).exists()

    assert crash_everywhere(tmp_path, "move", check) > 2 * COUNT
