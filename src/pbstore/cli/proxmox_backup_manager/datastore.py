"""`datastore create`, `list` and `show`."""

from pathlib import Path
from typing import Any

from pbstore.api.schema import Boolean, Integer, Parameter, String
from pbstore.cli.command import Command, Group
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_manager.account_options import COMMENT
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.table import Column
from pbstore.config.datastore_cfg import SCHEMA, DatastoreConfig, DatastoreFile
from pbstore.datastore.creation import create_datastore
from pbstore.model.names import check_datastore_name

COLUMNS = (Column(name="name"), Column(name="path"), Column(name="comment"))


def list_datastores(console: Console, output_format: str | None) -> None:
    """Print all datastores."""
    datastores = DatastoreFile(manager_roots(console)).load().datastores
    console.print_rows(COLUMNS, [_row(datastores[name]) for name in sorted(datastores)], output_format)


def show(console: Console, name: str, output_format: str | None) -> None:
    """Print the configuration of one datastore."""
    config = DatastoreFile(manager_roots(console)).load().get(name)
    console.print_object(("name", *SCHEMA.keys), _row(config), output_format)


def create(console: Console, name: str, path: Path, **values: Any) -> None:
    """Make the directories of a new datastore and configure it."""
    roots = manager_roots(console)
