"""`namespace move`: move a namespace, with all that is in it, within the datastore."""

from typing import Any

from pbstore.api.schema import Boolean, Integer, Parameter
from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_client.completions import complete_namespaces
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.repository_options import (
    REPOSITORY,
    SUBJECT_NAMESPACE,
    TARGET_NAMESPACE,
    wanted_repository,
)
from pbstore.cli.task_output import show_task
from pbstore.client.namespace_changes import move_namespace
from pbstore.model.namespace import MAX_DEPTH, Namespace


def run(
    console: Console,
    ns: Namespace | None,
    target_ns: Namespace,
    max_depth: int | None,
    delete_source: bool,
    merge_groups: bool,
    **options: Any,
) -> None:
    """Start the task and show its log."""
    server = connect(console, wanted_repository(console, options))
    upid = move_namespace(
        server,
        ns or Namespace(),
        target_ns,
        max_depth=max_depth,
        delete_source=delete_source,
        merge_groups=merge_groups,
    )
    show_task(console, server, upid)


COMMAND = Command(
    description="Move a backup namespace to a new location within the datastore.",
    run=run,
    positional=("ns",),
    parameters=(
        SUBJECT_NAMESPACE,
        TARGET_NAMESPACE,
        Parameter(
            name="max-depth",
            schema=Integer(description="How many levels of namespaces to move along.", maximum=MAX_DEPTH),
            optional=True,
        ),
        Parameter(
            name="delete-source",
            schema=Boolean(description="Remove the source namespaces when everything was moved."),
            optional=True,
            default=True,
        ),
        Parameter(
            name="merge-groups",
            schema=Boolean(description="Join groups that exist in the target when owner and times allow it."),
            optional=True,
            default=True,
        ),
        *REPOSITORY,
    ),
    completions={"target-ns": complete_namespaces},
    examples=(Example("namespace move old/acme --target-ns customers/acme", "The target is made by the move"),),
)
