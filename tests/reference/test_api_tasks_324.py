"""Lists, state and log of tasks of release 3.2.4, laid out again from what it answered, beside those answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local_zone import local_zone
from pbstore.model.upid import Upid
from pbstore.tasks.task_log import log_path
from reference.recorded_server import RecordedServer

TASKS = "/api2/json/nodes/localhost/tasks"
ONE = r"UPID:vm:00004015:0003AAFB:0000001E:6B03BC26:backup:fix\x3ahost-rec:test@pbs:"


def recorded(fixtures: Path, name: str) -> Any:
    return json.loads((fixtures / "api" / f"{name}.http").read_bytes().partition(b"\r\n\r\n")[2])


def whole_log(answer: dict[str, Any]) -> str:
    """The lines of the answer, which has the first 50, and others up to the last one."""
    lines = [line["t"] for line in answer["data"]]
    time = lines[-1][:27]
    others = [f"{time}not recorded"] * (answer["total"] - len(lines) - 1)
    return "".join(f"{line}\n" for line in [*lines, *others, f"{time}TASK OK"])


@pytest.fixture(scope="module")
def server(fixtures_323: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedServer]:
    with local_zone("UTC"):
        server = RecordedServer(tmp_path_factory.mktemp("server"), {})
        tasks_dir = server.site.roots.tasks_dir
        items = recorded(fixtures_323, "nodes_tasks")["data"]
        lines = [f"{item['upid']} {item['endtime']:08X} {item['status']}\n" for item in reversed(items)]
        (tasks_dir / "archive").write_text("".join(lines))
        path = log_path(tasks_dir, Upid.parse(ONE))
        path.parent.mkdir()
        path.write_text(whole_log(recorded(fixtures_323, "task_log")))
        yield server
        server.site.registry.close()


@pytest.mark.parametrize(
    ("name", "query"), [("nodes_tasks", ""), ("nodes_tasks_filter", "limit=3&store=fix&typefilter=backup")]
)
def test_same_lists(fixtures_323: Path, server: RecordedServer, name: str, query: str) -> None:
    assert server.ask(f"{TASKS}?{query}").json == recorded(fixtures_323, name)


def test_same_state(fixtures_323: Path, server: RecordedServer) -> None:
    """The time of the end came with release 4."""
    ours = server.ask(f"{TASKS}/{quote(ONE, safe='')}/status").data
    theirs = recorded(fixtures_323, "task_status")["data"]
    assert ours == {**theirs, "endtime": ours["endtime"]}


def test_same_log(fixtures_323: Path, server: RecordedServer) -> None:
    assert server.ask(f"{TASKS}/{quote(ONE, safe='')}/log").json == recorded(fixtures_323, "task_log")
