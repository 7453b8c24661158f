"""Tasks of a real server: verified, pruned, followed, stopped, beside sessions, and at its end."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from disk_traces import held_locks
from e2e.backup_script import back_up, open_session
from e2e.task_site import GROUP, STORE, TASKS, TaskSite
from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.model.backup import Snapshot
from running_server import RunningServer

pytestmark = pytest.mark.slow

MANY = 600


@pytest.fixture
def site(make_server: Callable[..., RunningServer], tmp_path: Path) -> TaskSite:
    return TaskSite(make_server(), tmp_path / "main")


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def test_the_manager_verifies_prunes_and_lists(site: TaskSite) -> None:
    snapshots = site.fill(4)
    outcome = site.manager("verify", "main")
    assert outcome.exit_code == 255
    where = site.server.roots.run_dir
    assert outcome.stderr == f"Error: no server is running on {where}: start it with 'pbstore serve'\n"
    site.server.start()
    outcome = site.manager("verify", "main", "--read-threads", "2")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    lines = outcome.stdout.splitlines()
    assert lines[:3] == ["verify datastore main", "found 1 groups", "using 2 read and 4 verify thread(s)"]
    assert lines[-1] == "TASK OK"
    assert site.verified_count() == 4
    (site.store / str(snapshots[0]) / "vm.conf.blob").write_bytes(b"")
    outcome = site.manager("verify", "main", "--ignore-verified", "false")
    assert outcome.exit_code == 255
    assert outcome.stderr == "Error: task failed (status verification failed - please check the log for details)\n"
    assert f"\t{snapshots[0]}\n" in outcome.stdout
    outcome = site.manager("prune", "main", "--keep-last", "1", "--dry-run")
    assert [line for line in outcome.stdout.splitlines() if line.startswith("would ")] == [
        *(f"would remove {snapshot}" for snapshot in snapshots[:3]),
        f"would keep {snapshots[3]}",
    ]
    assert len(site.listed()) == 4
    assert site.manager("prune", "main", "--keep-last", "1").exit_code == 0
    assert [item["backup-time"] for item in site.listed()] == [snapshots[3].backup_time]
    assert site.manager("prune", "main").stdout.splitlines()[-1] == "TASK WARNINGS: 1"
    table = site.manager("task", "list", "--all").stdout
    assert sorted(row.split("│")[4].strip() for row in table.splitlines() if "UPID" in row) == [
        "OK",
        "OK",
        "OK",
        "WARNINGS: 1",
        "verification failed - please check the log for details",
    ]
    assert site.manager("task", "list").stdout == ""
    (upid,) = re.findall(
        r"UPID:\S+:verify:main:root@pam:", site.manager("task", "list", "--all", "--limit", "4").stdout
    )
    assert site.manager("task", "log", upid).stdout.splitlines()[-1].startswith("TASK ERROR: ")
    assert site.manager("task", "stop", upid).exit_code == 0
    assert "no such datastore 'none'" in site.manager("verify", "none").stderr


def test_a_verification_stopped_half_way_goes_on_where_it_was(site: TaskSite) -> None:
    site.fill(MANY)
    site.server.start()
    upid = site.start_task("verify", {})
    wait_until(lambda: any(line.startswith("percentage done") for line in site.log(upid)))
    assert site.server.request("DELETE", f"{TASKS}/{upid}".replace("\\", "%5C"), headers=site.login()).status == 200
    wait_until(lambda: site.log(upid)[-1].startswith("TASK"))
    assert site.log(upid)[-1] == "TASK ERROR: abort requested - aborting task"
    assert "received abort request ..." in site.log(upid)
    done = site.verified_count()
    assert 0 < done < MANY
    outcome = site.manager("verify", "main")
    assert outcome.exit_code == 0
    assert outcome.stdout.count("(recently verified)") == done
    assert site.verified_count() == MANY
    assert held_locks(site.server.roots.locks_dir) == []


def test_a_snapshot_that_is_read_is_not_pruned(site: TaskSite) -> None:
    snapshots = site.fill(3)
    site.server.start()
    session = open_session(site.server, "reader", snapshots[0], site.login())
    outcome = site.manager("prune", "main", "--keep-last", "1")
    assert outcome.exit_code == 0
    assert outcome.stdout.splitlines()[-1] == "TASK WARNINGS: 1"
    assert f"failed to remove snapshot '{snapshots[0]}'" in outcome.stdout
    assert [item["backup-time"] for item in site.listed()] == [snapshots[number].backup_time for number in (0, 2)]
    answer = session.call("GET", "/download?file-name=index.json.blob")
    assert answer.status == 200
    session.close()
    wait_until(lambda: held_locks(site.server.roots.locks_dir) == [])
    assert site.manager("prune", "main", "--keep-last", "1").stdout.splitlines()[-1] == "TASK OK"
    assert len(site.listed()) == 1


def test_readers_and_a_verification_share_a_snapshot(site: TaskSite) -> None:
    (snapshot,) = site.fill(1)
    site.server.start()
    session = open_session(site.server, "reader", snapshot, site.login())
    assert site.manager("verify", "main").exit_code == 0
    assert site.verified_count() == 1
    session.close()


def test_the_end_of_the_server_ends_tasks(site: TaskSite) -> None:
    site.fill(MANY)
    site.server.start("--grace", "0")
    upid = site.start_task("verify", {})
    wait_until(lambda: any(line.startswith("percentage done") for line in site.log(upid)))
    assert site.server.stop() == 0
    assert site.log(upid)[-1] == "TASK ERROR: shutdown requested - aborting task"
    assert upid not in (site.server.roots.tasks_dir / "active").read_text()
    assert not site.server.roots.control_socket.exists()
    assert held_locks(site.server.roots.locks_dir) == []


def test_new_backups_are_verified_if_the_store_wants_it(site: TaskSite) -> None:
    with DatastoreFile(site.server.roots).edit() as edit:
        edit.put(DatastoreConfig("main", {"path": str(site.store), "verify-new": True}))
    site.server.start()
    for name in range(65536):
        (site.store / ".chunks" / f"{name:04x}").mkdir(exist_ok=True)
    snapshot = Snapshot(GROUP, 1_780_300_800)
    session = open_session(site.server, "backup", snapshot, site.login())
    back_up(session, snapshot, [bytes(4 << 20), b"the end"])
    session.close()
    wait_until(lambda: "TASK OK" in "".join(site.server.task_logs("verify")))
    (log,) = site.server.task_logs("verify")
    assert "Automatically verifying newly added snapshot" in log
    assert site.verified_count() == 1
    answer = site.server.request("GET", f"{STORE}/snapshots", {}, headers=site.login())
    upid = answer.data[0]["verification"]["upid"]
    assert r":verify:main\x3avm-100-6A1D3C00:admin@pbs:" in upid
