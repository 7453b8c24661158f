"""Pruning over the API: who may prune what, and the tasks it makes (rest-api.md 5, version-4.md 7)."""

import pytest

from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import list_groups
from pbstore.datastore.namespaces import create_namespace
from pbstore.datastore.snapshots import list_snapshots, set_protected
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace
from pbstore.tasks.task_log import log_path, read_log
from running_server import RunningServer
from unit.datastore.snapshot_factory import ROOT, make_snapshot
from unit.server.application_site import Site

STORE = "/api2/json/admin/datastore/main"
ARCHIVER = AuthId.parse("archiver@pbs")
ELSA = {"backup-type": "host", "backup-id": "elsa"}
VM = {"backup-type": "vm", "backup-id": "100"}
BELOW = Namespace.parse("a/b")


@pytest.fixture
def datastore(site: Site) -> Datastore:
    """Three snapshots each: host/elsa of archiver@pbs, vm/100 of somebody else, ct/101 in the namespace a/b."""
    datastore = site.registry.datastores.get("main", Operation.WRITE)
    for components in (("a",), ("a", "b")):
        create_namespace(datastore, Namespace(components))
    for day in (1, 2, 3):
        make_snapshot(datastore, f"host/elsa/2026-06-0{day}T08:00:00Z", owner=ARCHIVER)
        make_snapshot(datastore, f"vm/100/2026-06-0{day}T08:00:00Z")
        make_snapshot(datastore, f"ct/101/2026-06-0{day}T08:00:00Z", namespace=BELOW, owner=ARCHIVER)
    return datastore


def count(datastore: Datastore, group: str, namespace: Namespace = ROOT) -> int:
    return len(list_snapshots(datastore, namespace, BackupGroup.parse(group)))


def log_of(site: Site, upid: str) -> list[str]:
    """Wait for the task; its log without times."""
    assert site.registry.tasks.wait_all(30)
    task = next(task for task in site.registry.tasks.index.finished() if str(task.upid) == upid)
    return [line[27:] for line in read_log(log_path(site.roots.tasks_dir, task.upid), 0, None)[1]]


def test_a_group(site: Site, datastore: Datastore) -> None:
    set_protected(datastore, ROOT, list_snapshots(datastore, ROOT, BackupGroup.parse("vm/100"))[2], True)
    answer = site.call("POST", f"{STORE}/prune", {**VM, "keep-last": 1}, headers=site.login("admin"))
    assert [(item["keep"], item["protected"]) for item in answer.data] == [(True, True), (False, False), (True, False)]
    assert "ns" not in answer.data[0]
    assert count(datastore, "vm/100") == 2


def test_as_a_task(site: Site, datastore: Datastore) -> None:
    parameters = {**VM, "keep-last": 1, "use-task": 1}
    upid = site.call("POST", f"{STORE}/prune", parameters, headers=site.login("admin")).data
    assert log_of(site, upid)[-1] == "TASK OK"
    assert "prune:main\\x3a\\x3avm-100:admin@pbs:" in upid
    assert count(datastore, "vm/100") == 1


def test_in_a_namespace(site: Site, datastore: Datastore) -> None:
    parameters = {"backup-type": "ct", "backup-id": "101", "ns": "a/b", "keep-daily": 2}
    items = site.call("POST", f"{STORE}/prune", parameters, headers=site.login("admin")).data
    assert {item["ns"] for item in items} == {"a/b"}
    assert count(datastore, "ct/101", BELOW) == 2
    (task,) = site.registry.tasks.index.finished()
    assert task.upid.worker_id == "main:a/b:ct/101"


def test_without_options_everything_stays_with_a_warning(site: Site, datastore: Datastore) -> None:
    items = site.call("POST", f"{STORE}/prune", VM, headers=site.login("admin")).data
    assert all(item["keep"] for item in items)
    (task,) = site.registry.tasks.index.finished()
    assert task.end.status == "WARNINGS: 1"
    assert log_of(site, str(task.upid))[0] == "No prune selection - keeping all files."
    assert count(datastore, "vm/100") == 3


def test_owners_prune_their_own_groups_only(site: Site, datastore: Datastore) -> None:
    RunningServer(site.roots.base).grant("/datastore/main", "nobody@pbs", "DatastorePowerUser")
    RunningServer(site.roots.base).grant("/datastore/main", "archiver@pbs", "DatastorePowerUser")
    refused = site.call("POST", f"{STORE}/prune", {**ELSA, "keep-last": 1}, headers=site.login("nobody"))
    assert (refused.status, refused.text) == (400, "backup owner check failed (nobody@pbs != archiver@pbs)")
    assert site.call("POST", f"{STORE}/prune", {**ELSA, "keep-last": 1}, headers=site.login("archiver")).data
    upid = site.call("POST", f"{STORE}/prune-datastore", {"keep-last": 2}, headers=site.login("archiver")).data
    lines = log_of(site, upid)
    assert [line for line in lines if line.startswith("Pruning")] == [
        'Pruning group :"host/elsa"',
        'Pruning group a/b:"ct/101"',
    ]
    assert (count(datastore, "host/elsa"), count(datastore, "ct/101", BELOW), count(datastore, "vm/100")) == (1, 2, 3)


@pytest.mark.parametrize(
    ("parameters", "text", "left"),
    [
        ({}, "root namespace, down to full depth", (1, 1)),
        ({"max-depth": 0}, "root namespace, non-recursive", (1, 3)),
        ({"max-depth": 1}, "root namespace, down to depth 1", (1, 3)),
        ({"ns": "a"}, "namespace 'a', down to full depth", (3, 1)),
    ],
)
def test_a_store(
    site: Site, datastore: Datastore, parameters: dict[str, object], text: str, left: tuple[int, int]
) -> None:
    upid = site.call(
        "POST", f"{STORE}/prune-datastore", {**parameters, "keep-last": 1}, headers=site.login("admin")
    ).data
    assert log_of(site, upid)[0] == f"Starting datastore prune on datastore 'main', {text}"
    assert (count(datastore, "vm/100"), count(datastore, "ct/101", BELOW)) == left
    assert sorted(map(str, list_groups(datastore, ROOT))) == ["host/elsa", "vm/100"]


def test_what_is_refused(site: Site, datastore: Datastore) -> None:
    admin = site.login("admin")
    answer = site.call("POST", f"{STORE}/prune", {**VM, "keep-last": 0}, headers=admin)
    assert (answer.status, "'keep-last'" in answer.text) == (400, True)
    answer = site.call("POST", f"{STORE}/prune", {**VM, "backup-id": "none", "keep-last": 1}, headers=admin)
    assert (answer.status, "ENOENT" in answer.text) == (400, True)
    answer = site.call("POST", f"{STORE}/prune-datastore", {"ns": "x", "keep-last": 1}, headers=admin)
    assert (answer.status, answer.text) == (400, "namespace 'x' does not exist in datastore 'main'")
    assert list(site.registry.tasks.index.finished()) == []
