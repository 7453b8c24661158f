"""`namespace list`: the namespaces of the datastore."""

from typing import Any

from pbstore.api.schema import Integer, Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.printable import printable
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.repository_options import (
    REPOSITORY,
    SUBJECT_NAMESPACE,
    wanted_namespace,
    wanted_repository,
)
from pbstore.client.answers import text_of
from pbstore.model.namespace import MAX_DEPTH, Namespace


def run(
    console: Console, ns: Namespace | None, max_depth: int | None, output_format: str | None, **options: Any
) -> None:
    """Print one path a line, the root left out."""
    server = connect(console, wanted_repository(console, options))
    namespaces = server.namespaces(wanted_namespace(console, ns), max_depth)
    chosen = console.format(output_format)
    if chosen != "text":
        console.print(json_text({"data": namespaces}, chosen))
        return
    for item in namespaces:
        path, comment = text_of(item, "ns"), item.get("comment")
        if path:
            console.print(printable(f"{path} ({comment})" if comment else path))


COMMAND = Command(
    description="List namespaces in a repository.",
    run=run,
    positional=("ns",),
    parameters=(
        SUBJECT_NAMESPACE,
        Parameter(
            name="max-depth",
            schema=Integer(description="How many levels of namespaces to list.", maximum=MAX_DEPTH),
            optional=True,
        ),
        *REPOSITORY,
        OUTPUT_FORMAT,
    ),
)
