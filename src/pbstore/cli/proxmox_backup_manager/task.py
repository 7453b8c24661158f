"""`task list`, `task log` and `task stop`: what the server does and did."""

from pbstore.cli.command import Command, Group
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_manager.completions import complete_running_tasks, complete_tasks
from pbstore.cli.proxmox_backup_manager.local_server import local_server
from pbstore.cli.task_output import print_tasks, show_task
from pbstore.cli.task_parameters import LIST, UPID
from pbstore.client.answers import rows_of
from pbstore.client.task_follower import task_path
from pbstore.model.upid import Upid


def list_tasks(console: Console, limit: int, all: bool, output_format: str | None) -> None:
    """Print running tasks, or all of them."""
    parameters = {"running": not all, "start": 0, "limit": limit}
    tasks = rows_of(local_server(console).get("nodes/localhost/tasks", parameters))
    print_tasks(console, tasks, output_format)


def show_log(console: Console, upid: Upid) -> None:
    """Print the log of a task, and follow it while it runs."""
    show_task(console, local_server(console), str(upid))


def stop(console: Console, upid: Upid) -> None:
    """Ask a task to stop."""
    local_server(console).delete(task_path(str(upid)))


TASK = Group(
    commands={
        "list": Command(
            description="List running server tasks.",
            run=list_tasks,
            parameters=(
                *LIST,
                OUTPUT_FORMAT,
            ),
        ),
        "log": Command(
            description="Display the task log.",
            run=show_log,
            positional=("upid",),
            parameters=(UPID,),
            completions={"upid": complete_tasks},
        ),
        "stop": Command(
            description="Try to stop a specific task.",
            run=stop,
            positional=("upid",),
            parameters=(UPID,),
            completions={"upid": complete_running_tasks},
        ),
    }
)
