"""The recorded requests that need no preparation of their own, sent to our server in place of the original 4.2.3."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_zone import local_zone
from pbstore._core import SessionGrant
from pbstore.config.host_name import node_name
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.manifest_file import read_manifest
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import Snapshot
from reference.recorded_server import recorded, recorded_json
from reference.replay import ask, comparable, recording, request_of, root_ticket, shape, taken_over
from unit.datastore.snapshot_factory import ROOT as ROOT_NAMESPACE
from unit.datastore.snapshot_factory import make_snapshot
from unit.server.application_site import Answer, Site
from unit.server.conftest import lay_out_store
from unpack import unpack

VERSIONS = (
    "version",
    "version_extjs",
    "nobody_version",
    "path_trailing_slash",
    "version_host_cookie",
    "version_after_logout",
    "version_urlenc_cookie",
    "version_hostcookie_full",
    "token_version",
    "token_space",
)
LISTINGS = (
    "root",
    "root_noslash",
    "idx_access",
    "idx_admin",
    "idx_config",
    "idx_config_access",
    "idx_nodes_localhost",
    "idx_status",
    "ds_index",
    "task_idx",
)
SAME = (
    "ping_noauth",
    "token_snapshots",
    "reader_groups",
    "groups",
    "reader_datastores",
    "e403_store",
    "e403_ns_list",
    "e_method",
    "e_method_delete",
    "e_options",
    "e400_type",
    "e400_bool",
    "e400_path_empty",
    "bad_snapshots_end",
    "tasks_all_end",
    "snapshots",
    "namespaces",
)
IDENTITIES = ("node_identity", "node_by_name", "nobody_identity")
SAME_LINES = ("e404_api_backup", "e400_missing")
SAME_SHAPE = ("ds_status", "ds_status_verbose", "reader_usage", "status_usage")
TEXT_OF_OURS = ("snapshots_ns_missing", "e400_neg", "e400_enum", "e400_two", "e400_json_bad", "e400_ctype")
STRANGERS = ("ping_post_noauth", "e_nocsrf", "e_badcsrf")
REFUSED_SESSIONS = (
    "e_backup_v2",
    "e_backup_notowner",
    "e_backup_exists_notowner",
    "e_backup_older",
    "e_backup_exists",
)
EMPTY = ("snapshots_empty", "groups_empty", "status_empty")


@pytest.fixture(scope="module")
def site(fixtures_423: Path, datastore_423: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("replays")
    stores = {name: root / name for name in ("fix42", "bad", "scratch", "copy", "pushed")}
    shutil.copytree(datastore_423, stores["fix42"])
    unpack(fixtures_423 / "datastore-bad-after-verify.tar.xz", stores["bad"])
    for name in ("scratch", "copy", "pushed"):
        lay_out_store(stores[name])
    logs = unpack(fixtures_423 / "var-log-proxmox-backup.tar.xz", root / "logs") / "proxmox-backup/tasks"
    shutil.copytree(logs, root / "server/var/log/proxmox-backup/tasks")
    with local_zone("UTC"):
        site = taken_over(fixtures_423, root / "server", stores)
        yield site
        site.registry.close()


def without_repoid(answer: Any) -> Any:
    return {**answer, "data": {key: value for key, value in answer["data"].items() if key != "repoid"}}


@pytest.mark.parametrize("name", VERSIONS)
def test_same_version(site: Site, fixtures_423: Path, name: str) -> None:
    """With each way to prove who one is; what stands as repository is our own version."""
    answer = ask(site, fixtures_423, name)
    assert answer.status == 200, answer
    assert without_repoid(answer.json) == without_repoid(recorded_json(fixtures_423, name))
    assert answer.json["data"]["repoid"].startswith("pbstore-")


@pytest.mark.parametrize("name", LISTINGS)
def test_inner_nodes_list_nothing_that_the_original_has_not(site: Site, fixtures_423: Path, name: str) -> None:
    ours = ask(site, fixtures_423, name).data
    theirs = recorded_json(fixtures_423, name)["data"]
    assert ours
    assert [item for item in theirs if item in ours] == ours


def test_the_node(site: Site, fixtures_423: Path) -> None:
    answer = ask(site, fixtures_423, "idx_nodes")
    assert answer.data == [{"node": node_name()}]
    assert shape(answer.json) == shape(recorded_json(fixtures_423, "idx_nodes"))


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_of_ours(site: Site, fixtures_423: Path, name: str) -> None:
    answer = ask(site, fixtures_423, name)
    assert answer.status == recorded(fixtures_423, name)[0]
    assert shape(answer.json) == shape(recorded_json(fixtures_423, name))


@pytest.mark.parametrize("name", SAME)
def test_same_answer(site: Site, fixtures_423: Path, name: str) -> None:
    answer = ask(site, fixtures_423, name)
    status, headers, text = recorded(fixtures_423, name)
    assert (answer.status, comparable(answer.text)) == (status, comparable(text))
    assert answer.headers["content-type"] == headers["content-type"]


@pytest.mark.parametrize("name", SAME_LINES)
def test_same_lines_in_any_order(site: Site, fixtures_423: Path, name: str) -> None:
    answer = ask(site, fixtures_423, name)
    status, _, text = recorded(fixtures_423, name)
    assert (answer.status, sorted(answer.text.splitlines())) == (status, sorted(text.splitlines()))


@pytest.mark.parametrize("name", SAME_SHAPE)
def test_same_shape(site: Site, fixtures_423: Path, name: str) -> None:
    answer = ask(site, fixtures_423, name)
    theirs = recorded_json(fixtures_423, name)
    if isinstance(theirs["data"], list):
        for data in (answer.json["data"], theirs["data"]):
            data.sort(key=lambda item: item["store"])
        pairs = zip(answer.json["data"], theirs["data"], strict=True)
    else:
        pairs = zip([answer.json["data"]], [theirs["data"]], strict=True)
    for ours, original in pairs:
        # Whether there was a garbage collection is not the same for all stores at the time of the recording.
        for data in (ours, original):
            data.pop("gc-status", None)
        assert shape(ours) == shape(original)


def test_same_shape_of_snapshots_before_they_were_verified_again(site: Site, fixtures_423: Path) -> None:
    ours, theirs = (
        comparable(text)
        for text in (ask(site, fixtures_423, "bad_snapshots").text, recorded(fixtures_423, "bad_snapshots")[2])
    )
    shapes = [{json.dumps(shape(item), sort_keys=True) for item in answer["data"]} for answer in (ours, theirs)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", TEXT_OF_OURS)
def test_same_status_with_a_text_of_ours(site: Site, fixtures_423: Path, name: str) -> None:
    """The original does not name the parameter there, or shows the insides of its program."""
    assert ask(site, fixtures_423, name).status == recorded(fixtures_423, name)[0]


def test_errors_by_parameter_in_extjs(site: Site, fixtures_423: Path) -> None:
    """Ours names all that is wrong, the original leaves the type out."""
    ours, theirs = ask(site, fixtures_423, "e400_two_extjs").json, recorded_json(fixtures_423, "e400_two_extjs")
    assert theirs["errors"].items() < ours.pop("errors").items()
    assert ours == {key: value for key, value in theirs.items() if key != "errors"}


def test_a_json_body_that_is_no_object(site: Site, fixtures_423: Path) -> None:
    """The original closes the connection without an answer."""
    assert recording(fixtures_423, "e400_json_array").body == "[1]"
    assert ask(site, fixtures_423, "e400_json_array").status == 400


@pytest.mark.parametrize("name", STRANGERS)
def test_same_refusal_of_strangers(site: Site, fixtures_423: Path, name: str) -> None:
    """Without a login, or with a ticket but not with what proves that a page of ours sent the request."""
    answer = site.application.handle(request_of(site, fixtures_423, name))
    status, _, text = recorded(fixtures_423, name)
    assert isinstance(answer[2], bytes)
    assert (answer[0], answer[2].decode().startswith(text)) == (status, True)


def session(site: Site, fixtures: Path, name: str) -> Answer | SessionGrant:
    request = request_of(site, fixtures, name)
    headers = dict(request.headers)
    if "cookie" not in headers:
        headers |= root_ticket(site)
    outcome = site.application.authorize(replace_headers(request, headers))
    return outcome if isinstance(outcome, SessionGrant) else Answer(outcome[0], dict(outcome[1]), outcome[2])


def replace_headers(request: Any, headers: dict[str, str]) -> Any:
    return type(request)(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=list(headers.items()),
        peer=request.peer,
    )


@pytest.mark.parametrize("name", REFUSED_SESSIONS)
def test_same_refusal_of_sessions(site: Site, fixtures_423: Path, name: str) -> None:
    answer = session(site, fixtures_423, name)
    status, _, text = recorded(fixtures_423, name)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.text) == (status, text)


def test_a_reader_of_what_is_not_there(site: Site, fixtures_423: Path) -> None:
    answer = session(site, fixtures_423, "e_reader_missing")
    status, _, text = recorded(fixtures_423, "e_reader_missing")
    assert isinstance(answer, Answer)
    assert answer.status == status
    assert answer.text.replace("'", "").startswith(text.removesuffix("."))


def test_the_reader_session_opens(site: Site, fixtures_423: Path) -> None:
    assert isinstance(session(site, fixtures_423, "reader_upgrade"), SessionGrant)
    assert recording(fixtures_423, "reader_upgrade").status == "101"


def test_notes_of_200_kb(site: Site, fixtures_423: Path) -> None:
    found = recording(fixtures_423, "notes_200k_copy_store")
    datastore = site.registry.datastores.get("copy", Operation.WRITE)
    text = "host/split/2026-06-01T08:00:00Z"
    make_snapshot(datastore, text, owner=AuthId.parse("test@pbs"))
    notes = "x" * 200_000
    snapshot = Snapshot.parse(text)
    parameters = {"backup-type": "host", "backup-id": "split", "backup-time": snapshot.backup_time, "notes": notes}
    headers = {"cookie": "", **site_login(site)}
    answer = site.call(found.method, found.target, parameters, headers=headers)
    assert (answer.status, answer.json) == (200, recorded_json(fixtures_423, "notes_200k_copy_store"))
    assert read_manifest(datastore, ROOT_NAMESPACE, snapshot)[0].unprotected["notes"] == notes


def site_login(site: Site) -> dict[str, str]:
    data = site.call("POST", "/api2/json/access/ticket", {"username": "test@pbs", "password": "Test12345"}).data
    return {"cookie": f"PBSAuthCookie={data['ticket']}", "csrfpreventiontoken": data["CSRFPreventionToken"]}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_store(fixtures_423: Path, tmp_path: Path, name: str) -> None:
    lay_out_store(tmp_path / "fix42")
    site = taken_over(fixtures_423, tmp_path / "server", {"fix42": tmp_path / "fix42"})
    answer, theirs = ask(site, fixtures_423, name).json, recorded_json(fixtures_423, name)
    site.registry.close()
    assert shape(answer) == shape(theirs)
    if name == "status_empty":
        assert answer["data"]["counts"] == theirs["data"]["counts"]
        assert answer["data"]["gc-status"] == theirs["data"]["gc-status"]


def test_tasks_that_failed_until_then(fixtures_423: Path, tmp_path: Path) -> None:
    logs = unpack(fixtures_423 / "var-log-proxmox-backup.tar.xz", tmp_path / "logs") / "proxmox-backup/tasks"
    theirs = recorded_json(fixtures_423, "tasks_errors_after_abort")
    newest = max(item["endtime"] for item in theirs["data"])
    lines = (logs / "archive").read_text().splitlines(keepends=True)
    (logs / "archive").write_text("".join(line for line in lines if int(line.split()[1], 16) <= newest))
    shutil.copytree(logs, tmp_path / "server/var/log/proxmox-backup/tasks")
    site = taken_over(fixtures_423, tmp_path / "server")
    assert ask(site, fixtures_423, "tasks_errors_after_abort").json == theirs
    site.registry.close()


def test_a_backup_that_runs(fixtures_423: Path, tmp_path: Path) -> None:
    site = taken_over(fixtures_423, tmp_path)
    task = site.registry.tasks.open("backup", "scratch:host/aborted", AuthId.parse("test@pbs"))
    ours, theirs = (
        ask(site, fixtures_423, "tasks_running_backup").json,
        recorded_json(fixtures_423, "tasks_running_backup"),
    )
    task.finish()
    site.registry.close()
    assert shape(ours) == shape(theirs)
    ((our_task,), (their_task,)) = ours["data"], theirs["data"]
    for key in ("worker_type", "worker_id", "user", "node"):
        assert our_task[key] == their_task[key]
    assert ours["total"] == theirs["total"]
