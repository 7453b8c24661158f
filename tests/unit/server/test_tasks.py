"""Tasks over the API: while they run, for whom, and how they are stopped (rest-api.md 8)."""

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from pbstore.config.token_shadow import TokenShadowFile
from pbstore.config.user_cfg import TokenConfig, UserFile
from pbstore.model.auth_id import AuthId
from pbstore.model.upid import Upid
from pbstore.server.task_access import may_see
from pbstore.tasks.task_log import log_path
from pbstore.tasks.worker_task import WorkerTask
from running_server import RunningServer, token_header
from unit.server.application_site import Site

TASKS = "/api2/json/nodes/localhost/tasks"
ARCHIVER = AuthId.parse("archiver@pbs")
TOKEN = AuthId.parse("archiver@pbs!tok")


def path_of(task: WorkerTask | Upid, what: str = "") -> str:
    return f"{TASKS}/{quote(str(task.upid if isinstance(task, WorkerTask) else task), safe='')}{what}"


@pytest.fixture
def task(site: Site) -> Iterator[WorkerTask]:
    """A running task of archiver@pbs."""
    task = site.registry.tasks.open("backup", "main:host/elsa", ARCHIVER)
    task.log("hello")
    yield task
    task.finish()


@pytest.fixture
def token(site: Site) -> dict[str, str]:
    """The header of archiver's token, which has no rights of its own."""
    with UserFile(site.roots).edit() as edit:
        edit.put_token(TokenConfig(auth_id=TOKEN))
    return token_header(str(TOKEN), TokenShadowFile(site.roots).generate(TOKEN))


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_from_start_to_end(site: Site, task: WorkerTask) -> None:
    admin = site.login("admin")
    listed = site.call("GET", TASKS, {"running": 1}, headers=admin).json
    assert listed["total"] == 1
    assert listed["data"][0]["upid"] == str(task.upid)
    assert "status" not in listed["data"][0]
    status = site.call("GET", path_of(task, "/status"), headers=admin).data
    assert (status["status"], status["id"], "exitstatus" in status) == ("running", "main:host/elsa", False)
    log = site.call("GET", path_of(task, "/log"), {"test-status": 1}, headers=admin).json
    assert (log["active"], log["total"], log["data"][0]["t"][27:]) == (True, 1, "hello")
    task.warn("odd")
    task.finish()
    status = site.call("GET", path_of(task, "/status"), headers=admin).data
    assert (status["status"], status["exitstatus"], status["endtime"]) == ("stopped", "WARNINGS: 1", int(site.now))
    log = site.call("GET", path_of(task, "/log"), {"test-status": 1, "start": 2}, headers=admin).json
    assert log["active"] is False
    assert [(line["n"], line["t"][27:]) for line in log["data"]] == [(2, "odd"), (3, "TASK WARNINGS: 1")]
    assert site.call("GET", TASKS, {"running": 1}, headers=admin).json == {"data": [], "total": 0}
    assert site.call("GET", TASKS, headers=admin).data[0]["status"] == "WARNINGS: 1"


def test_running_ones_come_first_and_nothing_comes_twice(site: Site, task: WorkerTask) -> None:
    later = site.registry.tasks.open("verify", "main", ARCHIVER)
    ended = site.registry.tasks.open("prune", "main:", ARCHIVER)
    ended.finish()
    archived = site.registry.tasks.open("gc", "", ARCHIVER)
    archived.finish()
    active = site.roots.tasks_dir / "active"
    active.write_text(f"{archived.upid}\n{active.read_text()}")  # as a crash between the two lists leaves it
    items = site.call("GET", TASKS, headers=site.login("admin")).data
    assert [item["worker_type"] for item in items] == ["verify", "backup", "gc", "prune"]
    assert items[2]["worker_id"] is None
    later.finish()


def test_the_log_is_json_in_both_formats(site: Site, task: WorkerTask) -> None:
    answer = site.call("GET", path_of(task, "/log").replace("json", "extjs"), headers=site.login("admin"))
    assert answer.headers["content-type"] == "application/json"
    assert (answer.json["success"], answer.json["total"]) == (1, 1)


def test_download_stands_alone(site: Site, task: WorkerTask) -> None:
    admin = site.login("admin")
    answer = site.call("GET", path_of(task, "/log"), {"download": 1}, headers=admin)
    assert answer.file_size == log_path(site.roots.tasks_dir, task.upid).stat().st_size
    assert answer.headers["content-disposition"].startswith("attachment; filename=task-")
    answer = site.call("GET", path_of(task, "/log"), {"download": 1, "start": 1}, headers=admin)
    assert (answer.status, "'download'" in answer.text) == (400, True)


def test_who_sees_what(site: Site, task: WorkerTask, token: dict[str, str]) -> None:
    of_token = site.registry.tasks.open("reader", "main:host/elsa/1", TOKEN)
    RunningServer(site.roots.base).grant("/system/tasks", "archiver@pbs", "Audit")
    assert len(site.call("GET", TASKS, headers=site.login("archiver")).data) == 2
    RunningServer(site.roots.base).grant("/system/tasks", "archiver@pbs", "NoAccess")
    assert len(site.call("GET", TASKS, headers=site.login("archiver")).data) == 2, "own ones, and those of tokens"
    seen = site.call("GET", TASKS, headers=lower(token)).data
    assert [item["user"] for item in seen] == ["archiver@pbs!tok"]
    assert site.call("GET", TASKS, headers=site.login("nobody")).data == []
    refused = site.call("GET", path_of(task, "/status"), headers=site.login("nobody"))
    assert (refused.status, refused.text) == (400, "task access not allowed")
    assert site.call("GET", path_of(task, "/log"), headers=lower(token)).status == 400
    status = site.call("GET", path_of(of_token, "/status"), headers=site.login("archiver")).data
    assert (status["user"], status["tokenid"]) == ("archiver@pbs", "tok")
    of_token.finish()


def test_stopping(site: Site, token: dict[str, str]) -> None:
    started = threading.Event()

    def work(task: WorkerTask) -> None:
        stop = threading.Event()
        task.on_abort(stop.set)
        started.set()
        assert stop.wait(20)
        task.check_abort()

    task = site.registry.tasks.start("verify", "main", TOKEN, work)
    assert started.wait(20)
    for headers in (site.login("nobody"), site.login("archiver")):
        assert site.call("DELETE", path_of(task), headers=headers).status == 403, "exactly an own one"
    assert site.call("DELETE", path_of(task), headers=lower(token)).json == {"data": None}
    assert task.wait(20)
    assert task.end is not None
    assert task.end.status == "abort requested - aborting task"
    assert site.call("DELETE", path_of(task), headers=site.login("admin")).json == {"data": None}


def test_what_never_was(site: Site) -> None:
    never = Upid("pbs1", 1, 2, 3, 4, "backup", "none", ARCHIVER)
    admin = site.login("admin")
    assert site.call("GET", path_of(never, "/status"), headers=admin).data["exitstatus"] == "unknown"
    for method, what in (("GET", "/log"), ("DELETE", "")):
        answer = site.call(method, path_of(never, what), headers=admin)
        assert (answer.status, "no such task" in answer.text) == (404, True)
    assert site.call("GET", path_of(never, "/log"), {"download": 1}, headers=admin).status == 400


@pytest.mark.parametrize(
    "text",
    [
        "UPID:x",
        "UPID:pbs1:" + "0" * 200,
        "UPID:pbs1:00000001:00000001:00000001:6B000000:../x:a:root@pam:",
        "UPID:pbs1:00000001:00000001:00000001:6B000000:x\0:a:root@pam:",
    ],
)
def test_what_is_no_id(site: Site, text: str) -> None:
    answer = site.call("GET", f"{TASKS}/{quote(text, safe='')}/log", headers=site.login("admin"))
    assert answer.status == 400
    assert answer.text.startswith("parameter verification failed - 'upid': ")


@pytest.mark.parametrize(
    ("worker_type", "worker_id", "grants"),
    [
        ("verificationjob", "main:job", [("/datastore/main", "DatastoreReader")]),
        ("garbage_collection", "main", [("/datastore/main", "DatastoreAdmin")]),
        ("prune", "main:", [("/datastore/main", "DatastoreAdmin")]),
        ("prune", "main:a/b:vm/100", [("/datastore/main/a/b", "DatastoreAdmin")]),
        ("prunejob", "main", [("/datastore/main", "DatastoreAdmin")]),
        ("prunejob", "main:a", [("/datastore/main/a", "DatastoreAdmin")]),
        (
            "syncjob",
            "far:theirs:main:a:job",
            [("/datastore/main/a", "DatastoreBackup"), ("/remote/far/theirs", "RemoteSyncOperator")],
        ),
        (
            "syncjob",
            "-:other:main::job",
            [("/datastore/main", "DatastoreBackup"), ("/datastore/other", "DatastoreBackup")],
        ),
    ],
)
def test_who_may_run_a_job_sees_its_tasks(
    site: Site, tmp_path: Path, worker_type: str, worker_id: str, grants: list[tuple[str, str]]
) -> None:
    upid = Upid("pbs1", 1, 2, 3, 4, worker_type, worker_id, AuthId.parse("root@pam"))
    nobody = AuthId.parse("nobody@pbs")
    for path, role in grants:
        assert not may_see(site.registry.rights, nobody, upid)
        RunningServer(tmp_path).grant(path, "nobody@pbs", role)
    assert may_see(site.registry.rights, nobody, upid)


@pytest.mark.parametrize(("worker_type", "worker_id"), [("backup", "main:vm/100"), ("syncjob", "odd"), ("reader", "")])
def test_other_tasks_need_more_than_rights_on_the_store(
    site: Site, tmp_path: Path, worker_type: str, worker_id: str
) -> None:
    RunningServer(tmp_path).grant("/datastore/main", "nobody@pbs", "DatastoreAdmin")
    upid = Upid("pbs1", 1, 2, 3, 4, worker_type, worker_id, AuthId.parse("root@pam"))
    assert not may_see(site.registry.rights, AuthId.parse("nobody@pbs"), upid)
