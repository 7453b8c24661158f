"""Showing a task: Ctrl-C once and twice, and how the program ends (cli-client.md 2)."""

from collections.abc import Mapping
from typing import Any

import pytest

from pbstore.cli.console import Console
from pbstore.cli.task_output import show_task
from pbstore.client.task_follower import task_path
from pbstore.errors import PbstoreError

UPID = "UPID:pbs1:00000C3F:00002A1B:0000001C:6553F100:verify:store1:root@pam:"


class Server:
    """A task that is interrupted at some looks at its log; then it has ended."""

    def __init__(self, interrupts: int, status: str = "OK"):
        self.interrupts = interrupts
        self.status = status
        self.deleted: list[str] = []

    def get(self, path: str) -> Any:
        return {"status": "stopped", "exitstatus": self.status}

    def get_envelope(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if self.interrupts:
            self.interrupts -= 1
            raise KeyboardInterrupt
        return {"data": [{"n": 1, "t": "2026-11-23T05:18:10+00:00: TASK"}] if parameters["start"] == 1 else []}

    def delete(self, path: str) -> Any:
        self.deleted.append(path)


def test_to_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    show_task(Console({}), Server(0, "WARNINGS: 1"), UPID)
    assert capsys.readouterr() == ("TASK\n", "")


def test_a_failure_is_one_of_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PbstoreError, match=r"^task failed \(status no space\)$"):
        show_task(Console({}), Server(0, "no space"), UPID)
    assert capsys.readouterr().out == "TASK\n"


@pytest.mark.parametrize("stops", [False, True])
def test_once_stops_the_task_if_it_is_ours_and_goes_on(capsys: pytest.CaptureFixture[str], stops: bool) -> None:
    server = Server(1)
    show_task(Console({}), server, UPID, stops=stops)
    assert server.deleted == ([task_path(UPID)] if stops else [])
    assert capsys.readouterr() == ("TASK\n", "got shutdown request (SIGINT)\n")


def test_twice_leaves_it_running() -> None:
    with pytest.raises(PbstoreError, match=r"^forced exit \(task still running\)$"):
        show_task(Console({}), Server(2), UPID)
