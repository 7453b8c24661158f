"""Taking a datastore out of the configuration, and destroying it if that is wanted (version-4.md 5.3)."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from pbstore.config.acl_cfg import AclFile
from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.config.job_state import GARBAGE_COLLECTION, forget_job
from pbstore.config.maintenance_mode import MaintenanceMode
from pbstore.config.roots import Roots
from pbstore.config.store_jobs import remove_store_jobs
from pbstore.datastore.active_operations import ActiveOperations
from pbstore.datastore.destruction import destroy_content, destroy_root
from pbstore.errors import DatastoreError, UnsupportedError

Log = Callable[[str], None]
Hold = Callable[[DatastoreConfig], AbstractContextManager[None]]


@dataclass(frozen=True)
class Teardown:
    """The removal of one store; unless `keep_job_configs`, its jobs and rights go with it."""

    roots: Roots
    name: str
    keep_job_configs: bool = False

    def forget(self, log: Log) -> None:
        """Remove the store from the configuration; its directory stays as it is.

        Raises:
            ConfigError: there is no such store, or a file cannot be used.
            LockedError: somebody else changes a file.
        """
        log("Removing datastore from config...")
        with DatastoreFile(self.roots).edit() as edit:
            edit.remove(self.name)
        self._forget_the_rest(log)

    def destroy(self, hold: Hold, log: Log) -> None:
        """Remove backups, chunks, configuration and directory.

        From the beginning on the store is in maintenance mode `delete`, which cannot be left: whatever stops the
        removal, the way out is to repeat it. `hold` gives a block in which no other process and no other part of this
        one uses the store.

        Raises:
            ConfigError: there is no such store, or a file cannot be used.
            DatastoreError: something runs on the store, or cannot be removed.
            LockedError: another process has the store, or changes a file.
        """
        config = self._mark()
        operations = ActiveOperations(self.roots.operations_dir)
        counts = operations.counts(self.name)
        if not counts.is_idle:
            raise DatastoreError(
                f"cannot destroy datastore '{self.name}' while {counts.read} read and {counts.write} write operations"
                " run: repeat the removal when they have ended"
            )
        with hold(config):
            destroy_content(config.path, log)
            self.forget(log)
            destroy_root(config.path, log)
        operations.forget(self.name)
        shutil.rmtree(self.roots.locks_dir / self.name, ignore_errors=True)

    def _mark(self) -> DatastoreConfig:
        with DatastoreFile(self.roots).edit() as edit:
            config = edit.current.get(self.name)
            if not config.is_local_directory:
                raise UnsupportedError(f"datastore '{self.name}': only local directories are supported by this version")
            marked = config.changed({"maintenance-mode": str(MaintenanceMode("delete"))})
            edit.put(marked)
        return marked

    def _forget_the_rest(self, log: Log) -> None:
        if not self.keep_job_configs:
            for job in remove_store_jobs(self.roots, self.name):
                log(f"Removed {job}")
            with AclFile(self.roots).edit() as acl:
                acl.drop_path(f"/datastore/{self.name}")
        forget_job(self.roots, GARBAGE_COLLECTION, self.name)
