"""What changes the content of a store, beside what the original 4.2.3 answered and logged to the same requests."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.namespaces import create_namespace
from pbstore.datastore.snapshots import create_snapshot, list_snapshots
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace
from reference.recorded_requests import RecordedRequest, recorded_request
from reference.recorded_server import RecordedServer, lines_of
from reference.replay import shape
from unit.datastore.snapshot_factory import ROOT, make_snapshot
from unit.server.application_site import Answer
from unit.server.conftest import lay_out_store

OWNER = AuthId.parse("test@pbs")
FIX42, SCRATCH = "/srv/fx42/ds", "/srv/fx42/ds3"
ORIGINAL_UPID = re.compile(r"UPID:[^:]+(?::[0-9A-F]+){4}:")


@pytest.fixture
def server(datastore_423: Path, tmp_path: Path) -> Iterator[RecordedServer]:
    shutil.copytree(datastore_423, tmp_path / "fix42")
    lay_out_store(tmp_path / "scratch")
    made = RecordedServer(tmp_path / "server", {"fix42": tmp_path / "fix42", "scratch": tmp_path / "scratch"})
    yield made
    assert made.site.registry.tasks.wait_all(30)
    made.site.registry.close()


def localised(server: RecordedServer, text: str) -> str:
    """A recorded text with the paths of our stores."""
    root = server.site.roots.base.parent
    return text.replace(SCRATCH, f"{root}/scratch").replace(FIX42, f"{root}/fix42")


def sorted_body(body: str) -> object:
    """A JSON body with its lists sorted, as the original lists directories as they come; other text as it is."""
    try:
        data = json.loads(body)
    except ValueError:
        return body
    if isinstance(data.get("data"), list):
        for item in data["data"]:
            item["files"] = sorted(item.get("files", ()), key=str)
        data["data"].sort(key=lambda item: json.dumps(item, sort_keys=True))
    return data


def check(server: RecordedServer, request: RecordedRequest) -> Answer:
    answer = request.ask(server)
    assert answer.status == request.status, (request.name, answer)
    assert sorted_body(answer.text) == sorted_body(localised(server, request.body)), request.name
    return answer


@pytest.mark.parametrize(
    "name",
    [
        "active_operations",
        "notes",
        "notes_none",
        "group_notes",
        "e400_nogroup",
        "protected",
        "e400_ns_exists",
        "e400_ns_depth",
        "e400_ns_noparent",
        "e400_ns_bad",
        "e_delete_ns_missing",
        "e_delete_ns_nonempty",
        "e_delete_nogroup",
        "e_delete_protected",
        "e403_delete",
        "reader_protect",
        "group_notes_put",
        "reader_files",
    ],
)
def test_same_answer(fixtures_423: Path, server: RecordedServer, name: str) -> None:
    check(server, recorded_request(fixtures_423, name))


@pytest.mark.parametrize("name", ["e400_nosnap", "e_delete_nosnap", "files_missing", "s_delete_running"])
def test_same_status_with_a_text_of_ours(fixtures_423: Path, server: RecordedServer, name: str) -> None:
    """The original shows the insides of its program there."""
    datastore = server.site.registry.datastores.get("scratch", Operation.WRITE)
    running = Snapshot(BackupGroup.parse("host/aborted"), 1795411076)
    make_snapshot(datastore, "host/aborted/2026-01-01T00:00:00Z", owner=OWNER)
    with create_snapshot(datastore, ROOT, running):
        assert recorded_request(fixtures_423, name).ask(server).status == recorded_request(fixtures_423, name).status


def test_a_running_backup_is_listed_without_size(fixtures_423: Path, server: RecordedServer) -> None:
    datastore = server.site.registry.datastores.get("scratch", Operation.WRITE)
    make_snapshot(datastore, "host/aborted/2026-11-23T05:17:56Z", owner=OWNER, finished=False)
    (datastore.path / "host/aborted/2026-11-23T05:17:56Z/vm.conf.blob").unlink()
    check(server, recorded_request(fixtures_423, "s_snapshots_running"))
    with server.site.registry.datastores.session("scratch"):
        check(server, recorded_request(fixtures_423, "active_operations_writing"))


def snapshot_time(number: int) -> str:
    return f"2026-06-01T08:00:{number:02}Z"


def fill(datastore: Datastore, group: str, numbers: range, namespace: Namespace = ROOT) -> None:
    for number in numbers:
        make_snapshot(datastore, f"host/{group}/{snapshot_time(number)}", namespace=namespace, owner=OWNER)


@pytest.fixture
def scratch(server: RecordedServer) -> Datastore:
    """The recorded store when its requests began."""
    datastore = server.site.registry.datastores.get("scratch", Operation.WRITE)
    for text in ("a", "a/x", "b", "c", "c/tgt"):
        create_namespace(datastore, Namespace.parse(text))
    for group in ("g1", "g2", "g3", "g4"):
        fill(datastore, group, range(1, 4))
    fill(datastore, "ovl", range(1, 2), Namespace.parse("c"))
    fill(datastore, "n1", range(1, 2), Namespace.parse("a"))
    fill(datastore, "n2", range(1, 2), Namespace.parse("a/x"))
    return datastore


def check_task(fixtures: Path, server: RecordedServer, name: str, log: str) -> None:
    """The same answer but for the id, and the same task log."""
    request = recorded_request(fixtures, name)
    answer = request.ask(server)
    assert answer.status == request.status
    ours, theirs = (ORIGINAL_UPID.sub("UPID:", json.loads(text)["data"]) for text in (answer.text, request.body))
    assert ours == theirs.replace("root@pam", "test@pbs")
    (path,) = fixtures.glob(f"tasklogs/*{log}*")
    assert server.task_lines(answer.data) == [localised(server, line) for line in lines_of(path)]


def test_removals_and_moves(fixtures_423: Path, server: RecordedServer, scratch: Datastore) -> None:
    """In the order in which they were recorded, with the backups that were made in between."""

    def same(*names: str) -> None:
        for name in names:
            check(server, recorded_request(fixtures_423, name))

    def same_task(name: str, log: str) -> None:
        check_task(fixtures_423, server, name, log)

    same("s_delete_snapshot", "s_protect", "s_delete_group_protected_err", "s_delete_group_protected_ok")
    same("s_delete_group", "s_delete_group_extjs")
    groups = {item["backup-id"]: item for item in server.ask(f"{API}/groups").data}
    assert {name: item["backup-count"] for name, item in groups.items()} == {"g4": 3, "g1": 1}
    same_task("s_move_group", "00000089_")
    fill(scratch, "g4", range(11, 14))
    same_task("s_move_group_merge", "0000008D_")
    fill(scratch, "g4", range(21, 24))
    same("s_move_group_nomerge", "s_move_group_same", "s_move_group_nons", "s_move_group_missing")
    same("s_move_group_notarget")
    fill(scratch, "ovl", range(1, 2))
    same_task("s_move_group_overlap", "00000091_")
    moved = list_snapshots(scratch, Namespace.parse("c/tgt"), BackupGroup.parse("host/g4"))
    assert [snapshot.time_text for snapshot in moved] == [snapshot_time(number) for number in (13, 12, 11, 3, 2, 1)]
    same("s_groups_c")
    same("s_move_ns_self", "s_move_ns_nodest", "s_move_ns_root")
    same_task("s_move_ns", "00000092_")
    same("s_namespaces")


API = "/api2/json/admin/datastore/scratch"


def test_removal_of_namespaces(fixtures_423: Path, server: RecordedServer, scratch: Datastore) -> None:
    fill(scratch, "n3", range(1, 4), Namespace.parse("b"))
    for name in ("s_delete_ns_nogroups", "s_delete_ns_groups"):
        check(server, recorded_request(fixtures_423, name))
    assert [item["ns"] for item in server.ask(f"{API}/namespace").data] == ["", "a", "a/x", "c", "c/tgt"]


@pytest.mark.parametrize("name", ["s_snapshots", "s_status", "s_groups_after"])
def test_same_shape(fixtures_423: Path, server: RecordedServer, scratch: Datastore, name: str) -> None:
    """What was in the store then is not known; here are other snapshots of the same kind."""
    request = recorded_request(fixtures_423, name)
    answer = request.ask(server)
    assert answer.status == request.status
    assert shape(answer.json) == shape(json.loads(request.body))


def test_same_namespaces(fixtures_423: Path, server: RecordedServer, scratch: Datastore) -> None:
    for text in ("c/moved", "c/moved/x"):
        create_namespace(scratch, Namespace.parse(text))
    for name in ("a", "b"):
        answer = server.send("DELETE", f"{API}/namespace", {"ns": name, "delete-groups": 1})
        assert answer.status == 200
    check(server, recorded_request(fixtures_423, "s_namespaces2"))
