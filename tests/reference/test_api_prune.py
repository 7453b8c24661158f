"""Pruning beside what the original 4.2.3 answered and logged, on its own datastore."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_zone import local_zone
from reference.recorded_server import RecordedServer, lines_of, recorded, recorded_json

STORE = "/api2/json/admin/datastore/fix42"
DRY = {"backup-type": "host", "backup-id": "split", "dry-run": 1}


@pytest.fixture
def server(datastore_423: Path, tmp_path: Path) -> Iterator[RecordedServer]:
    store = tmp_path / "fix42"
    shutil.copytree(datastore_423, store)
    with local_zone("UTC"):
        server = RecordedServer(tmp_path / "server", {"fix42": store})
        yield server
        server.site.registry.close()


@pytest.mark.parametrize(("name", "more"), [("prune_dry", {"keep-last": 1}), ("prune_nokeep", {})])
def test_same_plan(fixtures_423: Path, server: RecordedServer, name: str, more: dict[str, int]) -> None:
    answer = server.send("POST", f"{STORE}/prune", DRY | more)
    assert (answer.status, answer.json) == (recorded(fixtures_423, name)[0], recorded_json(fixtures_423, name))
    assert server.site.registry.tasks.running() == []
    assert list(server.site.registry.tasks.index.finished()) == []


def blocks(lines: list[str]) -> dict[str, list[str]]:
    """Lines by the group that they are about: the original visits groups as the directory has them."""
    found: dict[str, list[str]] = {}
    key = ""
    for line in lines:
        if line.startswith(("Pruning group", "TASK")):
            key = line
        found.setdefault(key, []).append(line)
    return found


def test_same_log_of_a_dry_run(fixtures_423: Path, server: RecordedServer) -> None:
    answer = server.send("POST", f"{STORE}/prune-datastore", {"keep-last": 1, "dry-run": 1})
    upid = answer.data
    theirs = recorded_json(fixtures_423, "prune_datastore_dry")["data"]
    assert upid.split(":")[6:8] == theirs.split(":")[6:8] == ["prune", "fix42\\x3a"]
    (log,) = (fixtures_423 / "tasklogs").glob("*_prune_fix42-x3a_root@pam_.log")
    *ours, summary, end = server.task_lines(upid)
    assert blocks([*ours, end]) == blocks(lines_of(log))
    assert summary == "snapshots: 9 keep, 0 keep partial, 11 remove, 1 keep protected"


def test_same_log_of_one_group(fixtures_423: Path, server: RecordedServer, tmp_path: Path) -> None:
    """The recorded prune removed the snapshot of 08:00; here it is back, as a copy of the next one."""
    group = tmp_path / "fix42/host/modeswitch"
    shutil.copytree(group / "2026-06-01T09:00:00Z", group / "2026-06-01T08:00:00Z")
    parameters = {"backup-type": "host", "backup-id": "modeswitch", "keep-last": 5}
    data = server.send("POST", f"{STORE}/prune", parameters).data
    assert [(item["backup-time"], item["keep"]) for item in data][:2] == [(1780300800, False), (1780304400, True)]
    assert sorted(path.name for path in group.iterdir() if path.is_dir())[0] == "2026-06-01T09:00:00Z"
    (task,) = server.site.registry.tasks.index.finished()
    assert task.upid.worker_id == "fix42::host/modeswitch"
    (log,) = (fixtures_423 / "tasklogs").glob("*_prune_fix42-x3a-x3ahost-modeswitch_*")
    theirs = [line.replace("/srv/fx42/ds", str(tmp_path / "fix42")) for line in lines_of(log)]
    assert server.task_lines(str(task.upid)) == theirs
