"""The datastores that this server has open, each opened once and kept in step with the configuration."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pbstore._core import ChunkStore
from pbstore.config.datastore_cfg import DatastoreCfg, DatastoreConfig
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore, check_maintenance
from pbstore.errors import DatastoreError
from pbstore.server.leftovers import remove_leftovers


class OpenDatastores:
    """Opens stores at first use; `read_cfg` returns the configuration as it is now."""

    def __init__(self, read_cfg: Callable[[], DatastoreCfg], locks_dir: Path):
        self._read_cfg = read_cfg
        self._locks_dir = locks_dir
        self._lock = threading.Lock()
        self._open: dict[str, Datastore] = {}
        self._session_counts: Counter[str] = Counter()

    def get(self, name: str, operation: Operation) -> Datastore:
        """Return a store for an operation that its maintenance mode allows.

        Raises:
            ConfigError: there is no such store.
            DatastoreError: it cannot be opened, or is in maintenance.
            LockedError: another process uses it.
        """
        cfg = self._read_cfg()
        config = cfg.get(name)
        check_maintenance(config, operation)
        with self._lock:
            self._close_removed(cfg)
            datastore = self._in_step(self._open.get(name), config)
            self._open[name] = datastore
            return datastore

    @contextmanager
    def session(self, name: str) -> Iterator[None]:
        """Count a session, so that the store is not closed below it."""
        with self._lock:
            self._session_counts[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._session_counts[name] -= 1

    def close(self) -> None:
        """Close all stores; nothing of them may be in use."""
        with self._lock:
            for datastore in self._open.values():
                datastore.close()
            self._open.clear()

    def _in_step(self, datastore: Datastore | None, config: DatastoreConfig) -> Datastore:
        if datastore is not None and datastore.path != config.path:
            if self._session_counts[config.name]:
                raise DatastoreError(
                    f"datastore '{config.name}' moves to {config.path}: sessions at its old path still run"
                )
            datastore.close()
            datastore = None
        if datastore is None:
            self._open.pop(config.name, None)
            datastore = Datastore.open(config, self._locks_dir)
            if config.maintenance_mode is None or not config.maintenance_mode.refuses(Operation.WRITE):
                remove_leftovers(datastore)
        elif datastore.config != config:
            chunk_store = ChunkStore(datastore.path, sync_level=config.tuning.sync_level)
            datastore = replace(datastore, config=config, chunk_store=chunk_store)
        return datastore

    def _close_removed(self, cfg: DatastoreCfg) -> None:
        for name in [name for name in self._open if name not in cfg.datastores and not self._session_counts[name]]:
            self._open.pop(name).close()
