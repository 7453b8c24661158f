"""`namespace delete`: remove a namespace."""

from typing import Any

from pbstore.api.schema import Boolean, Parameter
from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.repository_options import (
    REPOSITORY,
    SUBJECT_NAMESPACE,
    wanted_repository,
)
from pbstore.client.namespace_changes import delete_namespace
from pbstore.errors import PbstoreError
from pbstore.model.namespace import Namespace


def run(console: Console, ns: Namespace | None, delete_groups: bool | None, **options: Any) -> None:
    """Remove it and those below, if there are no groups in them or if these may go too."""
    repository = wanted_repository(console, options)
    namespace = ns or Namespace()
    if namespace.is_root:
        raise PbstoreError("root namespace cannot be deleted")
    delete_namespace(connect(console, repository), namespace, delete_groups=delete_groups)


COMMAND = Command(
    description="Delete an existing namespace.",
    run=run,
    positional=("ns",),
    parameters=(
        SUBJECT_NAMESPACE,
        Parameter(
            name="delete-groups",
            schema=Boolean(description="Destroys all groups in the hierarchy."),
            optional=True,
        ),
        *REPOSITORY,
    ),
    examples=(
        Example("namespace delete customers/acme", "Remove it if no backups are in it"),
        Example("namespace delete customers/acme --delete-groups true", "Remove it with all its backups"),
    ),
)
