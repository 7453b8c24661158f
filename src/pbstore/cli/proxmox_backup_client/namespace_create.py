"""`namespace create`: make a namespace."""

from typing import Any

from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.repository_options import (
    REPOSITORY,
    SUBJECT_NAMESPACE,
    wanted_repository,
)
from pbstore.client.namespace_changes import create_namespace
from pbstore.errors import PbstoreError
from pbstore.model.namespace import Namespace


def run(console: Console, ns: Namespace | None, **options: Any) -> None:
    """Make it; the one above must be there."""
    repository = wanted_repository(console, options)
    namespace = ns or Namespace()
    if namespace.is_root:
        raise PbstoreError("root namespace is always present")
    create_namespace(connect(console, repository), namespace)


COMMAND = Command(
    description="Create a new namespace.",
    run=run,
    positional=("ns",),
    parameters=(SUBJECT_NAMESPACE, *REPOSITORY),
    examples=(Example("namespace create customers/acme", "'customers' must be there already"),),
)
