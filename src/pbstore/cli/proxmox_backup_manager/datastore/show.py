"""`datastore list` and `datastore show`."""

from typing import Any

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_manager.completions import complete_datastores
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.table import Column
from pbstore.config.datastore_cfg import SCHEMA, DatastoreConfig, DatastoreFile
from pbstore.server.datastore_parameters import NAME

COLUMNS = (Column(name="name"), Column(name="path"), Column(name="comment"))


def list_datastores(console: Console, output_format: str | None) -> None:
    """Print all datastores."""
    datastores = DatastoreFile(manager_roots(console)).load().datastores
    console.print_rows(COLUMNS, [_row(datastores[name]) for name in sorted(datastores)], output_format)


def show(console: Console, name: str, output_format: str | None) -> None:
    """Print the configuration of one datastore."""
    config = DatastoreFile(manager_roots(console)).load().get(name)
    console.print_object(("name", *SCHEMA.keys), _row(config), output_format)


def _row(config: DatastoreConfig) -> dict[str, Any]:
    return {"name": config.name, **config.values}


LIST = Command(description="Datastore list.", run=list_datastores, parameters=(OUTPUT_FORMAT,))
SHOW = Command(
    description="Show datastore configuration.",
    run=show,
    positional=("name",),
    completions={"name": complete_datastores},
    parameters=(NAME, OUTPUT_FORMAT),
)
