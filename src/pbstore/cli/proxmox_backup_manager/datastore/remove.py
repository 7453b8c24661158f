"""`datastore remove`: take a store out of the configuration, on request with its data."""

from collections.abc import Iterator
from contextlib import contextmanager

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_manager.completions import complete_datastores
from pbstore.cli.proxmox_backup_manager.own_task import run_own_task
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.cli.proxmox_backup_manager.update_options import DIGEST
from pbstore.config.config_file import check_digest
from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.datastore.process_lock import hold_process_lock
from pbstore.datastore.teardown import Teardown
from pbstore.server.datastore_parameters import DESTROY_DATA, KEEP_JOB_CONFIGS, NAME

LET_GO_SECONDS = 15.0
"""For a running server to notice that the store is being deleted."""


def run(console: Console, name: str, destroy_data: bool, keep_job_configs: bool, digest: str | None) -> None:
    """Remove the store; a running server notices and lets go of it."""
    roots = manager_roots(console)
    cfg = DatastoreFile(roots).load()
    cfg.get(name)
    check_digest(digest, cfg.digest)
    teardown = Teardown(roots, name, keep_job_configs)
    run_own_task(
        console,
        roots,
        "delete-datastore",
        name,
        lambda log: teardown.destroy(_hold, log) if destroy_data else teardown.forget(log),
    )


@contextmanager
def _hold(config: DatastoreConfig) -> Iterator[None]:
    with hold_process_lock(config.path, timeout_seconds=LET_GO_SECONDS):
        yield


REMOVE = Command(
    description="Remove a datastore configuration.",
    run=run,
    positional=("name",),
    completions={"name": complete_datastores},
    parameters=(NAME, DESTROY_DATA, KEEP_JOB_CONFIGS, DIGEST),
)
