"""`pvesm set`: change a storage."""

from typing import Any

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pvesm.own_storages import STORAGE_COMPLETION, own_storages
from pbstore.cli.pvesm.storage_options import STORAGE, changeable_options, given_values
from pbstore.pve.value_types import Text, Words


def run(console: Console, storage: str, delete: tuple[str, ...] | None, digest: str | None, **options: Any) -> None:
    """Change what is given."""
    values = given_values(console, options)
    own_storages(console).changes.update(storage, values, delete or (), digest=digest)


COMMAND = Command(
    description="Update storage configuration.",
    run=run,
    positional=("storage",),
    prompted=("password",),
    parameters=(
        STORAGE,
        *changeable_options(),
        Parameter(name="delete", schema=Words(description="A list of settings you want to delete."), optional=True),
        Parameter(
            name="digest",
            schema=Text(
                description="Prevent changes if current configuration file has a different digest.", maximum_length=64
            ),
            optional=True,
        ),
    ),
    completions=STORAGE_COMPLETION,
)
