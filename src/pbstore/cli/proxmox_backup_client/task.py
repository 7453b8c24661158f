"""`task list`, `task log` and `task stop`: what the server does and did for this user on this datastore."""

from typing import Any

from pbstore.cli.command import Command, Example, Group
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_client.completions import complete_tasks
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.repository_options import REPOSITORY, wanted_repository
from pbstore.cli.task_output import print_tasks, show_task
from pbstore.cli.task_parameters import LIST, UPID
from pbstore.client.answers import rows_of
from pbstore.client.task_follower import task_path
from pbstore.model.upid import Upid


def list_tasks(console: Console, limit: int, all: bool, output_format: str | None, **options: Any) -> None:
    """Print running tasks, or all of them."""
    server = connect(console, wanted_repository(console, options))
    repository = server.repository
    parameters = {
        "running": not all,
        "start": 0,
        "limit": limit,
        "userfilter": str(repository.user),
        "store": repository.datastore,
    }
    print_tasks(console, rows_of(server.get("nodes/localhost/tasks", parameters)), output_format)


def show_log(console: Console, upid: Upid, **options: Any) -> None:
    """Print the log of a task, and follow it while it runs."""
    show_task(console, connect(console, wanted_repository(console, options)), str(upid))


def stop(console: Console, upid: Upid, **options: Any) -> None:
    """Ask a task to stop."""
    connect(console, wanted_repository(console, options)).delete(task_path(str(upid)))


_COMPLETION = {"upid": complete_tasks}

TASK = Group(
    commands={
        "list": Command(
            description="List running server tasks for this repo user.",
            run=list_tasks,
            parameters=(
                *LIST,
                *REPOSITORY,
                OUTPUT_FORMAT,
            ),
            examples=(Example("task list --all", "What ran lately, and how it ended"),),
        ),
        "log": Command(
            description="Display the task log.",
            run=show_log,
            positional=("upid",),
            parameters=(UPID, *REPOSITORY),
            completions=_COMPLETION,
        ),
        "stop": Command(
            description="Try to stop a specific task.",
            run=stop,
            positional=("upid",),
            parameters=(UPID, *REPOSITORY),
            completions=_COMPLETION,
        ),
    }
)
