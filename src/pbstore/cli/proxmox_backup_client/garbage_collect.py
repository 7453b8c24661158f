"""`garbage-collect`: remove the chunks of a datastore that no snapshot needs any more."""

from typing import Any

from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.repository_options import REPOSITORY, wanted_repository
from pbstore.cli.task_output import show_task
from pbstore.client.started_task import collect_garbage


def run(console: Console, output_format: str | None, **options: Any) -> None:
    """Start it and show its log; Ctrl-C stops it on the server. As JSON only the task's id is printed."""
    server = connect(console, wanted_repository(console, options))
    upid = collect_garbage(server)
    chosen = console.format(output_format)
    if chosen == "text":
        show_task(console, server, upid, stops=True)
    else:
        console.print(json_text(upid, chosen))


COMMAND = Command(
    description="Start garbage collection for a specific repository.",
    run=run,
    parameters=(*REPOSITORY, OUTPUT_FORMAT),
    examples=(
        Example("garbage-collect", "Free the space of removed snapshots, and watch it; Ctrl-C stops it on the server"),
    ),
)
