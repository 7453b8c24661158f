"""A real server that is killed before each single change of the disk, through a whole backup.

What is listed afterwards is whole, nothing is left of the rest, and the same can be done again.
"""

import signal
from collections.abc import Callable

import pytest

from disk_traces import held_locks, temporary_files
from faults.fault_site import MAX_CHANGES, FaultSite
from gate_plan import Plan

MAKING_A_GROUP = 20
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def kill_everywhere(site: FaultSite, attempt: Callable[[], object], check: Callable[[], None], most: int) -> int:
    """Kill the server at each change below its directories in turn, or at the first `most`; how many there were."""
    roots = site.server.roots
    below = [str(path) for path in (site.store, roots.tasks_dir, roots.run_dir / "active-operations")]
    for number in range(1, most + 1):
        name = site.gate.set(Plan(below=below, at=number))
        attempt()
        site.gate.open()
        if not any(change.action for change in site.gate.changes(name)):
            return number - 1
        site.server.stop(signal.SIGKILL)
        assert held_locks(roots.locks_dir) == []
        site.server.start()
        assert temporary_files(site.store, roots.tasks_dir) == []
        assert site.active_tasks() == ""
        check()
    return most


def verified(site: FaultSite, group: str) -> list[str]:
    """Verify everything; the paths of the snapshots of a group, all of which are finished and good."""
    answer, log = site.run_task("verify", {"ignore-verified": 0})
    assert log.endswith(": TASK OK\n"), (answer, log)
    found = [path for path in site.snapshots(group) if (path / "index.json.blob").exists()]
    assert found == site.snapshots(group)
    assert all(f"verify main:{group}/{path.name}\n" in log for path in found)
    return [f"{group}/{path.name}" for path in found]


@pytest.mark.parametrize(("age", "most"), [("new", MAKING_A_GROUP), ("old", MAX_CHANGES)])
def test_a_backup(site: FaultSite, age: str, most: int) -> None:
    """In a group that is made for it, whose first changes are others, and in one that has a backup already."""
    group = f"host/killed-{age}"
    if age == "old":
        site.succeed(*site.backup_words("killed-old"))
    snapshots = verified(site, group) if age == "old" else []

    def attempt() -> None:
        site.change_sources()
        site.run(*site.backup_words(f"killed-{age}"))

    def check() -> None:
        nonlocal snapshots
        found = verified(site, group) if (site.store / group).is_dir() else []
        assert found[: len(snapshots)] == snapshots
        assert len(found) <= len(snapshots) + 1
        if len(found) > len(snapshots):
            site.assert_restorable(found[-1])
        snapshots = found

    count = kill_everywhere(site, attempt, check, most)
    assert min(most, 40) <= count < MAX_CHANGES
    attempt()
    found = verified(site, group)
    site.assert_restorable(found[-1])
