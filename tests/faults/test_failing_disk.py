"""A disk that is full, or broken, at each single write in turn: a clear error, nothing half, and the server goes on.

docs/design/durability.md says what is held here.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from errno import EIO, ENOSPC
from itertools import count
from pathlib import Path

import pytest

from backup_site import PASSWORD
from command_runner import Outcome
from disk_traces import temporary_files
from faults.fault_site import STORE, FaultSite, files_below
from gate_plan import ALL_CHANGES, GROWING, Plan
from running_server import Answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

FULL = os.strerror(ENOSPC)
BROKEN = os.strerror(EIO)
MANY = 20
NUMBERS = count()
FAULTS = pytest.mark.parametrize(
    ("calls", "action", "text", "stays"),
    [
        pytest.param(GROWING, "ENOSPC", FULL, True, id="full"),
        pytest.param(ALL_CHANGES, "EIO", BROKEN, False, id="broken"),
    ],
)


def error_line(outcome: Outcome) -> str:
    """The one line that a failed client ends with."""
    assert outcome.exit_code == 255
    lines = [line for line in outcome.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, outcome.stderr
    return lines[0]


@FAULTS
@pytest.mark.parametrize("age", ["new", "old"])
def test_the_store_during_a_backup(
    site: FaultSite, age: str, calls: tuple[str, ...], action: str, text: str, stays: bool
) -> None:
    group = f"{age}-{action}"
    if age == "old":
        site.succeed(*site.backup_words(group))
    before = site.snapshots(f"host/{group}")

    def attempt() -> Outcome:
        site.change_sources()
        return site.run(*site.backup_words(group))

    seen = 0
    plan = Plan(below=[str(site.store)], calls=calls, action=action, stays=stays)
    for change, outcome in site.failures(plan, attempt):
        assert text in error_line(outcome), change
        assert site.snapshots(f"host/{group}") == before, change
        assert (site.store / "host" / group).exists() == bool(before), change
        site.assert_clean()
        seen += 1
    assert seen > MANY
    assert any(text in log and ": TASK ERROR: " in log for log in site.server.task_logs("backup"))
    (made,) = set(site.snapshots(f"host/{group}")) - set(before)
    site.assert_restorable(f"host/{group}/{made.name}")


@pytest.mark.parametrize("place", ["run", "log"])
def test_directories_of_the_server_during_a_backup(site: FaultSite, place: str) -> None:
    """Without room for its log, its line in the list or its locks no backup begins; one that has begun is finished."""
    roots, group = site.server.roots, f"full-{place}"
    below = {"run": [roots.run_dir], "log": [roots.tasks_dir, roots.access_log.parent]}[place]
    made = 0

    def attempt() -> Outcome:
        site.change_sources()
        return site.run(*site.backup_words(group))

    plan = Plan(below=[str(path) for path in below], calls=GROWING, action="ENOSPC", stays=True)
    for change, outcome in site.failures(plan, attempt):
        if outcome.exit_code == 0:
            made += 1
        else:
            assert FULL in error_line(outcome), change
        assert len(site.snapshots(f"host/{group}")) == made, change
    assert made > 0
    site.assert_restorable(f"host/{group}/{site.snapshots(f'host/{group}')[-1].name}")
    site.assert_clean()


def test_a_full_log_is_told_once_a_task_and_other_logs_go_to_the_servers_own(site: FaultSite) -> None:
    roots = site.server.roots
    site.succeed(*site.backup_words("quiet"))
    begin = len(site.server.log.read_text())
    site.gate.set(Plan(below=[str(roots.access_log.parent)], calls=GROWING, at=1, action="ENOSPC", stays=True))
    assert site.server.login("archiver@pbs", PASSWORD)
    site.gate.open()
    said = site.server.log.read_text()[begin:]
    assert f"cannot write to {roots.auth_log}: {FULL}: successful auth for user 'archiver@pbs'" in said
    assert f"cannot write to {roots.access_log}: {FULL}: " in said


@dataclass(frozen=True)
class Change:
    """A request that changes something below `where`, another thing for each number."""

    method: str
    path: str
    parameters: Callable[[FaultSite, int], dict[str, object]]
    where: str = "store"


SNAPSHOT = {"backup-type": "host", "backup-id": "changed", "backup-time": 1_780_000_000}
GROUP = {"backup-type": "host", "backup-id": "changed"}
CHANGES = {
    "notes": Change("PUT", f"{STORE}/notes", lambda _, n: {**SNAPSHOT, "notes": f"line {n}"}),
    "group-notes": Change("PUT", f"{STORE}/group-notes", lambda _, n: {**GROUP, "notes": f"line {n}"}),
    "protected": Change(
        "PUT", f"{STORE}/protected", lambda site, _: {**SNAPSHOT, "protected": int(not is_protected(site))}
    ),
    "owner": Change("POST", f"{STORE}/change-owner", lambda site, _: {**GROUP, "new-owner": other_owner(site)}),
    "namespace": Change("POST", f"{STORE}/namespace", lambda _, n: {"name": f"made-{n}"}),
    "datastore": Change("PUT", "/config/datastore/main", lambda _, n: {"comment": f"line {n}"}, "etc"),
    "user": Change("POST", "/access/users", lambda _, n: {"userid": f"made-{n}@pbs"}, "etc"),
    "acl": Change(
        "PUT",
        "/access/acl",
        lambda _, n: {"path": f"/datastore/store-{n}", "auth-id": "other@pbs", "role": "Audit"},
        "etc",
    ),
}


def is_protected(site: FaultSite) -> bool:
    return (site.snapshots("host/changed")[0] / ".protected").exists()


def other_owner(site: FaultSite) -> str:
    """Who does not own the group."""
    owner = (site.store / "host/changed/owner").read_text().strip()
    return "other@pbs" if owner == "archiver@pbs" else "archiver@pbs"


@pytest.fixture
def changed(site: FaultSite) -> None:
    """A snapshot to be changed, and another user."""
    words = site.backup_words("changed")
    words[-1] = str(SNAPSHOT["backup-time"])
    if not site.snapshots("host/changed"):
        site.succeed(*words)
        site.server.create_user("other@pbs")


@pytest.mark.usefixtures("changed")
@FAULTS
@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_done_or_not(
    site: FaultSite, name: str, calls: tuple[str, ...], action: str, text: str, stays: bool
) -> None:
    change = CHANGES[name]
    where = {"store": site.store, "etc": site.server.roots.config_dir}[change.where]
    before: list[dict[str, bytes]] = []

    def attempt() -> Answer:
        before.append(files_below(where))
        return site.request(change.method, change.path, change.parameters(site, next(NUMBERS)))

    plan = Plan(below=[str(where)], calls=calls, action=action, stays=stays)
    for struck, answer in site.failures(plan, attempt):
        assert answer.status == 400, (struck, answer)
        assert text in answer.text, struck
        assert "\n" not in answer.text, struck
        # Only when the directory cannot be synced any more it is done all the same.
        is_done = struck.call == "fsync" and Path(struck.path).is_dir()
        assert (files_below(where) != before[-1]) == is_done, struck
        assert temporary_files(where) == [], struck
    assert len(before) > 1
    assert files_below(where) != before[-1]


def test_a_full_store_can_be_verified_and_pruned(site: FaultSite) -> None:
    """Verification cannot note its result, and says so; pruning needs no room."""
    for _ in range(3):
        site.change_sources()
        site.succeed(*site.backup_words("pruned"))
    group = {"backup-type": "host", "backup-id": "pruned"}
    before = files_below(site.store)
    plan = Plan(below=[str(site.store)], calls=GROWING, action="ENOSPC", stays=True)
    struck_count = 0
    for struck, (answer, log) in site.failures(plan, lambda: site.run_task("verify", group)):
        assert answer.status == 200
        assert log.endswith(": TASK ERROR: verification failed - please check the log for details\n"), struck
        assert FULL in log, struck
        assert temporary_files(site.store) == []
        struck_count += 1
    assert struck_count > 2
    assert files_below(site.store).keys() == before.keys()
    site.gate.set(replace(plan, at=1))
    answer, log = site.run_task("prune-datastore", {"keep-last": 1})
    site.gate.open()
    assert log.endswith(": TASK OK\n"), answer
    assert len(site.snapshots("host/pruned")) == 1
    site.assert_clean()


@FAULTS
@pytest.mark.parametrize("task", ["verify", "prune-datastore"])
def test_logs_of_a_task(
    site: FaultSite, task: str, calls: tuple[str, ...], action: str, text: str, stays: bool
) -> None:
    """A task that cannot be listed is not started; one that was started does its work, and its end is noted later."""
    parameters: dict[str, object] = {"keep-last": 1} if task == "prune-datastore" else {"ignore-verified": 0}
    site.succeed(*site.backup_words("logged"))
    plan = Plan(below=[str(site.server.roots.tasks_dir)], calls=calls, action=action, stays=stays)
    refused = 0
    for struck, (answer, _) in site.failures(plan, lambda: site.run_task(task, parameters)):
        if answer.status != 200:
            assert answer.text.startswith(f"cannot start task '{task.removesuffix('-datastore')}': "), struck
            assert text in answer.text, struck
            refused += 1
    assert refused >= 3
    site.run_task(task, parameters)
    site.assert_clean()
    archived = [line.split(" ")[0] for line in (site.server.roots.tasks_dir / "archive").read_text().splitlines()]
    assert len(archived) == len(set(archived)), "the end of a task was noted twice"
