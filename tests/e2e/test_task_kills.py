"""The server killed in the middle of tasks: what is listed afterwards verifies, and nothing has to be cleaned up."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from disk_traces import held_locks, temporary_files
from e2e.task_site import TaskSite
from running_server import RunningServer

pytestmark = pytest.mark.slow

SEED = 7
PATIENCE_SECONDS = 0.6
ROUNDS = pytest.mark.parametrize(
    "round_number", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 6))]
)


@pytest.fixture
def site(make_server: Callable[..., RunningServer], tmp_path: Path) -> TaskSite:
    return TaskSite(make_server(), tmp_path / "main")


def kill_soon(site: TaskSite, chance: random.Random) -> None:
    """Kill the server at a random moment of what it does now."""
    time.sleep(chance.uniform(0, PATIENCE_SECONDS))
    site.server.stop(signal.SIGKILL)


def assert_whole(site: TaskSite) -> None:
    """Everything that is listed is finished and verifies, and the killed server left nothing behind."""
    assert held_locks(site.server.roots.locks_dir) == []
    site.server.start()
    assert temporary_files(site.store) == []
    assert all("size" in item for item in site.listed())
    outcome = site.manager("verify", "main", "--ignore-verified", "false")
    assert outcome.exit_code == 0, outcome.stdout
    assert outcome.stdout.count("\nverify main:") == len(site.listed())
    assert (site.server.roots.tasks_dir / "active").read_text() == ""
    assert site.server.stop() == 0


@ROUNDS
def test_during_verification(site: TaskSite, round_number: int) -> None:
    chance = random.Random(SEED + round_number)  # noqa: S311
    site.fill(150)
    site.server.start()
    site.start_task("verify", {})
    kill_soon(site, chance)
    assert_whole(site)


@ROUNDS
def test_during_prune(site: TaskSite, round_number: int) -> None:
    chance = random.Random(SEED + round_number)  # noqa: S311
    newest = site.fill(150)[-1]
    site.server.start()
    site.start_task("prune-datastore", {"keep-last": 1})
    kill_soon(site, chance)
    assert_whole(site)
    site.server.start()
    assert site.manager("prune", "main", "--keep-last", "1").exit_code == 0
    assert [item["backup-time"] for item in site.listed()] == [newest.backup_time]
    assert [path.name for path in (site.store / "vm/100").iterdir() if path.is_dir()] == [newest.time_text]
