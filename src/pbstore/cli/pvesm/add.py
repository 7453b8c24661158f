"""`pvesm add`: a new storage for all nodes."""

from typing import Any

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pvesm.own_storages import own_storages
from pbstore.cli.pvesm.storage_options import STORAGE, given_values
from pbstore.pve.storage.properties import PROPERTIES
from pbstore.pve.storage.types import TYPES
from pbstore.pve.value_types import Choice

SUPPORTED = tuple(sorted(name for name, kind in TYPES.items() if kind.is_supported))


def run(console: Console, type: str, storage: str, **options: Any) -> None:
    """Add the storage."""
    own_storages(console).changes.create(storage, type, given_values(console, options))


COMMAND = Command(
    description="Create a new storage.",
    run=run,
    positional=("type", "storage"),
    prompted=("password",),
    parameters=(
        Parameter(name="type", schema=Choice(description="Storage type.", values=SUPPORTED)),
        STORAGE,
        *PROPERTIES.values(),
    ),
)
