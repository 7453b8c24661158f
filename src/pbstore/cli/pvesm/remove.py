"""`pvesm remove`: take a storage out of the configuration."""

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pvesm.own_storages import STORAGE_COMPLETION, own_storages
from pbstore.cli.pvesm.storage_options import STORAGE


def run(console: Console, storage: str) -> None:
    """Remove it; what it holds stays."""
    own_storages(console).changes.delete(storage)


COMMAND = Command(
    description="Delete storage configuration.",
    run=run,
    positional=("storage",),
    parameters=(STORAGE,),
    completions=STORAGE_COMPLETION,
)
