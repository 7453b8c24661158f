"""The datastores that this server has open, each opened once and kept in step with the configuration."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from pbstore._core import ChunkStore
from pbstore.config.datastore_cfg import DatastoreCfg, DatastoreConfig
from pbstore.config.maintenance_mode import Operation
from pbstore.config.roots import Roots
from pbstore.datastore.active_operations import ActiveOperations
from pbstore.datastore.datastore import Datastore, check_maintenance
from pbstore.datastore.mount_status import check_mounted
from pbstore.datastore.process_lock import hold_process_lock
from pbstore.errors import DatastoreError
from pbstore.server.leftovers import remove_leftovers

_log = logging.getLogger(__name__)


class OpenDatastores:
    """Opens stores at first use; `read_cfg` returns the configuration as it is now.

    A store is closed when it was removed or is in a maintenance mode that refuses even reads, so that it can be
    unmounted; but never while something runs on it.
    """

    def __init__(self, read_cfg: Callable[[], DatastoreCfg], roots: Roots):
        self._read_cfg = read_cfg
        self._roots = roots
        self._lock = threading.Lock()
        self._open: dict[str, Datastore] = {}
        self.operations = ActiveOperations(roots.operations_dir)

    def get(self, name: str, operation: Operation) -> Datastore:
        """Return a store for an operation that its maintenance mode allows.

        For what is over with the call and only reads; everything else counts itself with `using` or `session`.

        Raises:
            ConfigError: there is no such store.
            DatastoreError: it cannot be opened, is not mounted, or is in maintenance.
            LockedError: another process uses it.
        """
        cfg = self._read_cfg()
        config = cfg.get(name)
        check_maintenance(config, operation)
        check_mounted(config, self._roots.mounts_dir)
        with self._lock:
            self._close_idle(cfg)
            datastore = self._in_step(self._open.get(name), config)
            self._open[name] = datastore
            return datastore

    @contextmanager
    def using(self, name: str, operation: Operation) -> Iterator[Datastore]:
        """Count an operation within a `with` block, and yield the store for it.

        Raises:
            ConfigError, DatastoreError, LockedError: as `get`.
        """
        check_maintenance(self._read_cfg().get(name), operation)
        with self.session(name, operation):
            yield self.get(name, operation)

    @contextmanager
    def session(self, name: str, operation: Operation = Operation.WRITE) -> Iterator[None]:
        """Count a session or task, so that the store is not closed below it."""
        with self.operations.running(name, operation):
            yield

    def close_idle(self) -> None:
        """Close what is not configured any more or offline, as far as nothing runs on it.

        Raises:
            ConfigError: the configuration cannot be read; nothing is closed then.
        """
        cfg = self._read_cfg()
        with self._lock:
            self._close_idle(cfg)

    @contextmanager
    def taken_out(self, config: DatastoreConfig) -> Iterator[None]:
        """Hold a store that nobody else uses, within a `with` block, closed for everybody.

        The caller has made sure that no operation on it may begin.

        Raises:
            DatastoreError: something runs on it.
            LockedError: another process uses it.
        """
        with self._lock:
            if self.operations.is_used_here(config.name):
                raise DatastoreError(f"datastore '{config.name}' is in use: repeat the removal later")
            datastore = self._open.pop(config.name, None)
            if datastore is not None:
                datastore.close()
        with hold_process_lock(config.path):
            yield

    def close(self) -> None:
        """Close all stores; nothing of them may be in use."""
        with self._lock:
            for datastore in self._open.values():
                datastore.close()
            self._open.clear()

    def _in_step(self, datastore: Datastore | None, config: DatastoreConfig) -> Datastore:
        if datastore is not None and datastore.path != config.path:
            if self.operations.is_used_here(config.name):
                raise DatastoreError(
                    f"datastore '{config.name}' moves to {config.path}: sessions at its old path still run"
                )
            datastore.close()
            datastore = None
        if datastore is None:
            self._open.pop(config.name, None)
            datastore = Datastore.open(config, self._roots.locks_dir)
            if config.maintenance_mode is None or not config.maintenance_mode.refuses(Operation.WRITE):
                remove_leftovers(datastore)
        elif datastore.config != config:
            chunk_store = ChunkStore(datastore.path, sync_level=config.tuning.sync_level)
            datastore = replace(datastore, config=config, chunk_store=chunk_store)
        return datastore

    def _close_idle(self, cfg: DatastoreCfg) -> None:
        for name in [name for name in self._open if _is_closed(cfg.datastores.get(name))]:
            if not self.operations.is_used_here(name):
                _log.info("closing datastore '%s'", name)
                self._open.pop(name).close()


def _is_closed(config: DatastoreConfig | None) -> bool:
    mode = None if config is None else config.maintenance_mode
    return config is None or (mode is not None and mode.refuses(Operation.READ))
