"""Following the log of a task: what is asked of the server, and what is shown (tasks-and-jobs.md 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from pbstore.client.task_follower import TaskFollower, is_success, task_path
from pbstore.errors import ProtocolError

UPID = r"UPID:pbs1:00000C3F:00002A1B:0000001C:6553F100:verify:store1\x3avm:root@pam:"
TIME = "2026-11-23T05:18:10+00:00: "


@dataclass
class Script:
    """A server whose log grows at each look, and whose task ends after the last one."""

    growth: list[list[str]]
    status: dict[str, Any] = field(default_factory=lambda: {"status": "stopped", "exitstatus": "OK"})
    lines: list[str] = field(default_factory=list)
    asked: list[tuple[str, Mapping[str, Any] | None]] = field(default_factory=list)

    def get(self, path: str) -> Any:
        self.asked.append((path, None))
        return self.status

    def get_envelope(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append((path, parameters))
        if self.growth and len(self.lines) < parameters["start"] + parameters["limit"] - 1:
            self.lines += self.growth.pop(0)
        first, count = parameters["start"] - 1, parameters["limit"]
        data = [{"n": number, "t": text} for number, text in enumerate(self.lines, start=1)][first : first + count]
        return {"data": data, "total": len(self.lines), "active": bool(self.growth)}

    def delete(self, path: str) -> Any:
        self.asked.append((f"DELETE {path}", None))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pbstore.client.task_follower.PAUSE_SECONDS", 0)


def test_lines_come_once_and_without_their_time() -> None:
    server = Script([[f"{TIME}one"], [], [f"{TIME}two", "second line of it", f"{TIME}{TIME}"], [f"{TIME}TASK OK"]])
    shown: list[str] = []
    assert TaskFollower(server, UPID, shown.append).run() == "OK"
    assert shown == ["one", "two", "second line of it", TIME, "TASK OK"]
    path = task_path(UPID)
    assert path.startswith("nodes/localhost/tasks/UPID%3Apbs1%3A00000C3F%3A")
    assert "%5Cx3avm" in path
    assert server.asked[0] == (f"{path}/log", {"start": 1, "limit": 500, "test-status": 1})
    assert [parameters["start"] for _, parameters in server.asked if parameters] == [1, 2, 2, 5]
    assert server.asked[-1] == (f"{path}/status", None)


def test_long_logs_are_fetched_without_pauses_in_between() -> None:
    server = Script([[f"{TIME}{number}" for number in range(1234)]])
    shown: list[str] = []
    assert TaskFollower(server, UPID, shown.append).run() == "OK"
    assert shown == [str(number) for number in range(1234)]


@pytest.mark.parametrize(
    ("status", "exit_status", "success"),
    [
        ({"exitstatus": "OK"}, "OK", True),
        ({"exitstatus": "WARNINGS: 2"}, "WARNINGS: 2", True),
        ({"exitstatus": "no space"}, "no space", False),
        ({"status": "running"}, "unknown", False),
    ],
)
def test_how_it_ended(status: dict[str, Any], exit_status: str, success: bool) -> None:
    assert TaskFollower(Script([[]], status), UPID, print).run() == exit_status
    assert is_success(exit_status) is success


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [{"n": 2, "t": "x"}]},
        {"data": [{"n": 1}]},
        {"data": [{"t": "x"}]},
        {"data": {"n": 1}},
        {},
    ],
)
def test_odd_answers(answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    server = Script([[]])
    monkeypatch.setattr(server, "get_envelope", lambda path, parameters: answer)
    with pytest.raises(ProtocolError):
        TaskFollower(server, UPID, print).run()


def test_stopping() -> None:
    server = Script([[]])
    TaskFollower(server, UPID, print).stop()
    assert server.asked == [(f"DELETE {task_path(UPID)}", None)]
