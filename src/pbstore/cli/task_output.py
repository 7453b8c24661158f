"""Showing tasks of a server: a list of them, and the log of one as it goes on."""

from collections.abc import Mapping, Sequence
from typing import Any

from pbstore.cli.console import Console
from pbstore.cli.table import Column
from pbstore.client.answers import number_of
from pbstore.client.task_follower import TaskFollower, TaskServer, is_success
from pbstore.errors import PbstoreError
from pbstore.model.local_time import local_time_text

COLUMNS = (Column(name="starttime"), Column(name="endtime"), Column(name="upid"), Column(name="status"))


def print_tasks(console: Console, tasks: Sequence[Mapping[str, Any]], output_format: str | None) -> None:
    """Print tasks as the server lists them; a table has the oldest first."""
    rows = [_row(task) for task in sorted(tasks, key=lambda task: number_of(task, "starttime"))]
    console.print_rows(COLUMNS, rows, output_format, wire=tasks)


def show_task(console: Console, server: TaskServer, upid: str, *, stops: bool = False) -> None:
    """Print the log of a task until it ends. Ctrl-C stops the task if `stops`; a second one leaves it alone.

    Raises:
        PbstoreError: the task failed, or is still running when the program is told twice to end.
    """
    follower = TaskFollower(server, upid, console.print)
    is_told = False
    while True:
        try:
            status = follower.run()
            break
        except KeyboardInterrupt:
            if is_told:
                raise PbstoreError("forced exit (task still running)") from None
            is_told = True
            console.info("got shutdown request (SIGINT)")
            if stops:
                follower.stop()
    if not is_success(status):
        raise PbstoreError(f"task failed (status {status})")


def _row(task: Mapping[str, Any]) -> dict[str, Any]:
    is_running = "endtime" not in task
    return {
        "starttime": local_time_text(number_of(task, "starttime")),
        "endtime": "" if is_running else local_time_text(number_of(task, "endtime")),
        "upid": task.get("upid"),
        "status": "running" if is_running else task.get("status", "unknown"),
    }
