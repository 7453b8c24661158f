"""`datastore create`, `list` and `show`."""

from pathlib import Path
from typing import Any

from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command, Group
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_manager.account_options import COMMENT, without_none
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.table import Column
from pbstore.config.datastore_cfg import SCHEMA, DatastoreConfig, DatastoreFile
from pbstore.config.tuning import Tuning
from pbstore.datastore.creation import create_datastore
from pbstore.errors import ParameterError
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


def create(console: Console, name: str, path: Path, comment: str | None, tuning: str | None) -> None:
    """Make the directories of a new datastore, then configure it."""
    with DatastoreFile(manager_roots(console)).edit() as edit:
        if name in edit.current.datastores:
            raise ParameterError({"name": f"datastore '{name}' already exists."})
        config = DatastoreConfig(name, without_none({"path": str(path), "comment": comment, "tuning": tuning}))
        create_datastore(path, [other.path for other in edit.current.datastores.values()])
        edit.put(config)
    console.print("TASK OK")


def _row(config: DatastoreConfig) -> dict[str, Any]:
    return {"name": config.name, **config.values}


def _check_tuning(text: str) -> str:
    Tuning.parse(text)
    return text


_NAME = Parameter(name="name", schema=String(description="Datastore name.", convert=check_datastore_name))
_PATH = Parameter(
    name="path",
    schema=String(description="Absolute path of the datastore directory.", convert=Path),
)

DATASTORE = Group(
    commands={
        "create": Command(
            description="Create new datastore config.",
            run=create,
            positional=("name", "path"),
            parameters=(
                _NAME,
                _PATH,
                COMMENT,
                Parameter(
                    name="tuning",
                    schema=String(description="Datastore tuning options, like sync-level=file.", convert=_check_tuning),
                    optional=True,
                ),
            ),
        ),
        "list": Command(description="Datastore list.", run=list_datastores, parameters=(OUTPUT_FORMAT,)),
        "show": Command(
            description="Show datastore configuration.",
            run=show,
            positional=("name",),
            parameters=(_NAME, OUTPUT_FORMAT),
        ),
    }
)
