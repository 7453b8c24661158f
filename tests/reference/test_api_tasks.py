"""Lists, states and logs of the original's own tasks, read in place, beside what it answered itself."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local_zone import local_zone
from reference.recorded_server import RecordedServer, recorded, recorded_json
from unpack import unpack

TASKS = "/api2/json/nodes/localhost/tasks"
UPID = r"UPID:pbs42:00000051:000A0FB4:0000001F:6B03CBFB:backup:fix42\x3ahost-split:test@pbs:"
ONE = f"{TASKS}/{quote(UPID, safe='')}"


@pytest.fixture(scope="module")
def server(fixtures_423: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedServer]:
    """A server that took over the logs; its archive is as it was when the lists were recorded, some came later."""
    root = tmp_path_factory.mktemp("tasks")
    logs = unpack(fixtures_423 / "var-log-proxmox-backup.tar.xz", root / "logs") / "proxmox-backup/tasks"
    known = {item["upid"] for item in recorded_json(fixtures_423, "tasks_all")["data"]}
    archive = logs / "archive"
    lines = archive.read_text().splitlines(keepends=True)
    archive.write_text("".join(line for line in lines if line.partition(" ")[0] in known))
    log = logs / "B4" / UPID
    # In the log the store lies elsewhere than in the answers that were recorded of it.
    log.write_text(log.read_text().replace("/tmp/fx42/", "/srv/fx42/"))  # noqa: S108
    shutil.copytree(logs, root / "server/var/log/proxmox-backup/tasks")
    with local_zone("UTC"):
        server = RecordedServer(root / "server", {})
        yield server
        server.site.registry.close()


@pytest.mark.parametrize(
    ("name", "query", "user"),
    [
        ("tasks", "limit=5", "test@pbs"),
        ("tasks_all", "limit=0", "test@pbs"),
        ("tasks_start", "start=2&limit=2", "test@pbs"),
        ("tasks_type", "typefilter=verif", "test@pbs"),
        ("tasks_store", "store=copy&limit=3", "test@pbs"),
        ("tasks_errors", "errors=1", "test@pbs"),
        ("tasks_status", "statusfilter=error&statusfilter=warning", "test@pbs"),
        ("tasks_user", "userfilter=test&limit=2", "test@pbs"),
        ("tasks_running", "running=1", "test@pbs"),
        ("tasks_since", "since=1900000000", "test@pbs"),
        ("reader_tasks", "", "reader@pbs"),
        ("nobody_tasks", "", "nobody@pbs"),
    ],
)
def test_same_lists(fixtures_423: Path, server: RecordedServer, name: str, query: str, user: str) -> None:
    answer = server.ask(f"{TASKS}?{query}", user)
    assert (answer.status, answer.json) == (200, recorded_json(fixtures_423, name))


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("task_status", f"{ONE}/status"),
        ("task_idx", ONE),
        (
            "task_missing",
            f"{TASKS}/{quote('UPID:pbs42:00000001:00000001:00000001:6B000000:backup:none:root@pam:')}/status",
        ),
        ("task_log", f"{ONE}/log"),
        ("task_log_paged", f"{ONE}/log?start=3&limit=2"),
        ("task_log_past", f"{ONE}/log?start=5000&limit=2"),
        ("task_log_test", f"{ONE}/log?test-status=1"),
        ("task_log_download0", f"{ONE}/log?limit=0"),
    ],
)
def test_same_task(fixtures_423: Path, server: RecordedServer, name: str, target: str) -> None:
    status, headers, body = recorded(fixtures_423, name)
    answer = server.ask(target)
    assert (answer.status, answer.json) == (status, json.loads(body))
    assert answer.headers["content-type"] == headers["content-type"]


@pytest.mark.parametrize(
    ("name", "target", "user"),
    [("task_bad", f"{TASKS}/UPID%3Afoo/status", "test@pbs"), ("e403_task", f"{ONE}/log", "reader@pbs")],
)
def test_same_refusals(fixtures_423: Path, server: RecordedServer, name: str, target: str, user: str) -> None:
    status, _, text = recorded(fixtures_423, name)
    answer = server.ask(target, user)
    assert (answer.status, answer.text) == (status, text)


def test_same_download(fixtures_423: Path, server: RecordedServer, tmp_path: Path) -> None:
    _, headers, body = recorded(fixtures_423, "task_log_download")
    answer = server.ask(f"{ONE}/log?download=1")
    assert answer.headers == {name: headers[name] for name in ("content-type", "content-disposition")}
    (path,) = server.site.roots.tasks_dir.glob("*/UPID:*:0000001F:6B03CBFB:*")
    assert path.read_text() == body
    assert answer.file_size == len(body.encode())


def test_stopping_what_has_ended(fixtures_423: Path, server: RecordedServer) -> None:
    answer = server.send("DELETE", ONE, {})
    assert (answer.status, answer.json) == (200, recorded_json(fixtures_423, "task_stop_done"))


def test_every_task_of_the_archive_has_a_log_and_ended_as_the_archive_says(server: RecordedServer) -> None:
    index = server.site.registry.tasks.index
    tasks: list[Any] = list(index.finished())
    assert len(tasks) > 100
    assert [index.end(task.upid) for task in tasks] == [task.end for task in tasks]
