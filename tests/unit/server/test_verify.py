"""Verification over the API: of what, for whom, and the task it makes (rest-api.md 5, tasks-and-jobs.md 2 and 8)."""

import pytest

from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.manifest_file import read_manifest
from pbstore.datastore.namespaces import create_namespace
from pbstore.datastore.verify_state import VerifyState
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace
from pbstore.server.verify_new import verify_new_snapshot
from pbstore.tasks.task_log import log_path, read_log
from unit.datastore.snapshot_factory import ROOT
from unit.datastore.verifiable_snapshot import CHUNK_BYTES, chunk_path, make_verifiable
from unit.server.application_site import START, Site

VERIFY = "/api2/json/admin/datastore/main/verify"
ARCHIVER = AuthId.parse("archiver@pbs")
BELOW = Namespace.parse("a/b")
FIRST = int(START)
ELSA = [f"host/elsa/2026-06-0{day}T08:00:00Z" for day in (1, 2)]
OTHER = "vm/100/2026-06-01T08:00:00Z"
DEEP = "ct/101/2026-06-01T08:00:00Z"


@pytest.fixture
def datastore(site: Site) -> Datastore:
    """host/elsa of archiver@pbs (twice), vm/100 of somebody else, ct/101 of archiver@pbs in the namespace a/b."""
    datastore = site.registry.datastores.get("main", Operation.WRITE)
    for components in (("a",), ("a", "b")):
        create_namespace(datastore, Namespace(components))
    for name in ELSA:
        make_verifiable(datastore, name, owner=ARCHIVER)
    make_verifiable(datastore, OTHER, (b"c",))
    make_verifiable(datastore, DEEP, (b"d",), namespace=BELOW, owner=ARCHIVER)
    return datastore


def verify(site: Site, user: str = "admin", /, **parameters: object) -> tuple[str, list[str]]:
    """Run a task to its end; worker type and escaped id, and the log without times."""
    wire = {name.replace("_", "-"): value for name, value in parameters.items()}
    upid = site.call("POST", VERIFY, wire, headers=site.login(user)).data
    assert site.registry.tasks.wait_all(30)
    return upid.split(":", 6)[6], log_of(site, upid)


def log_of(site: Site, upid: str) -> list[str]:
    task = next(task for task in site.registry.tasks.index.finished() if str(task.upid) == upid)
    return [line[27:] for line in read_log(log_path(site.roots.tasks_dir, task.upid), 0, None)[1]]


def is_ok(datastore: Datastore, name: str, namespace: Namespace = ROOT) -> bool | None:
    state = VerifyState.of(read_manifest(datastore, namespace, Snapshot.parse(name))[0])
    return None if state is None else state.is_ok


def verified(lines: list[str]) -> list[str]:
    return [line.removeprefix("verify main:") for line in lines if line.startswith("verify main:")]


def test_a_store(site: Site, datastore: Datastore) -> None:
    make_verifiable(datastore, "host/benchmark/2026-06-01T08:00:00Z")
    kind, lines = verify(site)
    assert kind == "verify:main:admin@pbs:"
    assert lines[:3] == ["verify datastore main", "found 3 groups", "using 1 read and 4 verify thread(s)"]
    assert verified(lines) == [DEEP, *reversed(ELSA), OTHER]
    assert [line for line in lines if line.startswith("percentage")] == [
        "percentage done: 33.33% (1/3 groups)",
        "percentage done: 50.00% (1/3 groups, 1/2 snapshots in group #2)",
        "percentage done: 66.67% (2/3 groups)",
        "percentage done: 100.00% (3/3 groups)",
    ]
    assert lines[-1] == "TASK OK"
    assert [is_ok(datastore, name) for name in (*ELSA, OTHER)] == [True, True, True]
    assert is_ok(datastore, DEEP, BELOW)


@pytest.mark.parametrize(
    ("parameters", "kind", "names"),
    [
        ({"max_depth": 0}, "verify:main:admin@pbs:", [*reversed(ELSA), OTHER]),
        ({"max_depth": 1}, "verify:main:admin@pbs:", [*reversed(ELSA), OTHER]),
        ({"ns": "a"}, r"verify:main\x3ans-a:admin@pbs:", [DEEP]),
        ({"ns": "a/b", "max_depth": 0}, r"verify:main\x3ans-a-ns-b:admin@pbs:", [DEEP]),
        (
            {"backup_type": "host", "backup_id": "elsa"},
            r"verify_group:main\x3a-host-elsa:admin@pbs:",
            list(reversed(ELSA)),
        ),
        (
            {"backup_type": "ct", "backup_id": "101", "ns": "a/b"},
            r"verify_group:main\x3ans-a-ns-b-ct-101:admin@pbs:",
            [DEEP],
        ),
        (
            {"backup_type": "host", "backup_id": "elsa", "backup_time": FIRST},
            r"verify_snapshot:main\x3a-host-elsa-6A1D3C00:admin@pbs:",
            ELSA[:1],
        ),
    ],
)
def test_parts(site: Site, datastore: Datastore, parameters: dict[str, object], kind: str, names: list[str]) -> None:
    found, lines = verify(site, **parameters)
    assert (found, verified(lines), lines[-1]) == (kind, names, "TASK OK")


def test_one_group_is_counted_in_snapshots(site: Site, datastore: Datastore) -> None:
    _, lines = verify(site, backup_type="host", backup_id="elsa")
    assert [line for line in lines if line.startswith("percentage")] == [
        "percentage done: 50.00% (1/2 snapshots)",
        "percentage done: 100.00% (2/2 snapshots)",
    ]


def test_failures_are_listed_at_the_end(site: Site, datastore: Datastore) -> None:
    for data in (b"a", b"d"):
        chunk_path(datastore, data * CHUNK_BYTES).unlink()
    _, lines = verify(site)
    assert lines[-5:] == [
        "Failed to verify the following snapshots/groups:",
        f"\tns/a/ns/b/{DEEP}",
        f"\t{ELSA[1]}",
        f"\t{ELSA[0]}",
        "TASK ERROR: verification failed - please check the log for details",
    ]
    assert len([line for line in lines if line.startswith("can't verify chunk")]) == 2
    assert len([line for line in lines if line.endswith("was marked as corrupt")]) == 1
    assert [is_ok(datastore, name) for name in (*ELSA, OTHER)] == [False, False, True]


def test_the_filter(site: Site, datastore: Datastore) -> None:
    assert len(verified(verify(site)[1])) == 4
    assert verified(verify(site)[1]) == []
    assert len(verified(verify(site, ignore_verified=0)[1])) == 4
    site.now += 10 * 86400
    assert verified(verify(site, outdated_after=10)[1]) == []
    assert len(verified(verify(site, outdated_after=9)[1])) == 4


def test_owners_verify_their_own_groups_only(site: Site, datastore: Datastore) -> None:
    _, lines = verify(site, "archiver")
    assert verified(lines) == [DEEP, *reversed(ELSA)]
    refused = site.call("POST", VERIFY, {"backup-type": "vm", "backup-id": "100"}, headers=site.login("archiver"))
    assert (refused.status, refused.text) == (400, "backup owner check failed (archiver@pbs != john@pbs)")


def test_threads_are_those_of_the_call_or_of_the_store(site: Site, datastore: Datastore) -> None:
    with DatastoreFile(site.roots).edit() as edit:
        tuning = "default-verification-readers=3,default-verification-workers=2,chunk-order=none"
        edit.put(DatastoreConfig("main", {"path": str(datastore.path), "tuning": tuning}))
    assert "using 3 read and 2 verify thread(s)" in verify(site)[1]
    assert "using 5 read and 2 verify thread(s)" in verify(site, read_threads=5)[1]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"backup-type": "host"}, "give backup-type and backup-id"),
        ({"backup-time": FIRST}, "give backup-type and backup-id"),
        ({"backup-type": "host", "backup-id": "none"}, "ENOENT"),
        ({"backup-type": "host", "backup-id": "elsa", "backup-time": 5}, "does not exist"),
        ({"ns": "none"}, "namespace 'none' does not exist"),
        ({"read-threads": 33}, "'read-threads': value must have a maximum value of 32"),
        ({"verify-threads": 0}, "'verify-threads': value must have a minimum value of 1"),
    ],
)
def test_what_is_refused(site: Site, datastore: Datastore, parameters: dict[str, object], text: str) -> None:
    answer = site.call("POST", VERIFY, parameters, headers=site.login("admin"))
    assert answer.status == 400
    assert text in answer.text
    assert list(site.registry.tasks.index.finished()) == []


def test_a_new_snapshot_is_verified_where_the_store_wants_it(site: Site, datastore: Datastore) -> None:
    snapshot = Snapshot.parse(OTHER)
    verify_new_snapshot(site.registry, "main", ROOT, snapshot, ARCHIVER)
    assert site.registry.tasks.running() == []
    with DatastoreFile(site.roots).edit() as edit:
        edit.put(DatastoreConfig("main", {"path": str(datastore.path), "verify-new": True}))
    verify_new_snapshot(site.registry, "main", ROOT, snapshot, ARCHIVER)
    assert site.registry.tasks.wait_all(30)
    (task,) = site.registry.tasks.index.finished()
    assert str(task.upid).split(":", 6)[6] == r"verify:main\x3avm-100-6A1D3C00:archiver@pbs:"
    lines = log_of(site, str(task.upid))
    assert lines[:2] == ["Automatically verifying newly added snapshot", f"verify main:{OTHER}"]
    assert lines[-1] == "TASK OK"
    assert is_ok(datastore, OTHER)
