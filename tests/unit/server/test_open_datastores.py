"""Stores are opened once and follow their configuration."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pbstore.config.datastore_cfg import DatastoreCfg, DatastoreConfig
from pbstore.config.maintenance_mode import Operation
from pbstore.config.roots import Roots
from pbstore.datastore.process_lock import ProcessLock
from pbstore.errors import ConfigError, DatastoreError, PbstoreError
from pbstore.server import store_watch
from pbstore.server.open_datastores import OpenDatastores
from pbstore.server.store_watch import StoreWatch
from unit.server.conftest import lay_out_store


@dataclass
class Stores:
    """A configuration that the test changes."""

    root: Path
    configs: dict[str, DatastoreConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.opened = OpenDatastores(lambda: DatastoreCfg(self.configs, ""), Roots.below(self.root))

    def configure(self, name: str, directory: str, **values: str) -> None:
        path = self.root / directory
        if not path.exists():
            lay_out_store(path)
        self.configs[name] = DatastoreConfig(name, {"path": str(path), **values})


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    made = Stores(tmp_path)
    made.configure("one", "one")
    yield made
    made.opened.close()


def is_free(path: Path) -> bool:
    """Whether this process has let go of a store."""
    try:
        ProcessLock.acquire(path).release()
    except PbstoreError:
        return False
    return True


def test_a_store_is_opened_once(stores: Stores) -> None:
    assert stores.opened.get("one", Operation.READ) is stores.opened.get("one", Operation.WRITE)


def test_unknown_stores(stores: Stores) -> None:
    with pytest.raises(ConfigError, match=r"^no such datastore 'two'$"):
        stores.opened.get("two", Operation.READ)


def test_a_new_store_is_found(stores: Stores) -> None:
    stores.configure("two", "two")
    assert stores.opened.get("two", Operation.READ).path == stores.root / "two"


def test_changes_keep_the_lock(stores: Stores) -> None:
    before = stores.opened.get("one", Operation.READ)
    stores.configure("one", "one", comment="new", tuning="sync-level=file")
    after = stores.opened.get("one", Operation.READ)
    assert after.config.comment == "new"
    assert after.process_lock is before.process_lock


def test_a_moved_store_is_opened_anew(stores: Stores) -> None:
    stores.opened.get("one", Operation.READ)
    stores.configure("one", "elsewhere")
    assert stores.opened.get("one", Operation.READ).path == stores.root / "elsewhere"
    assert is_free(stores.root / "one")


def test_a_moved_store_waits_for_its_sessions(stores: Stores) -> None:
    stores.opened.get("one", Operation.READ)
    with stores.opened.session("one"):
        stores.configure("one", "elsewhere")
        with pytest.raises(DatastoreError, match="sessions at its old path still run"):
            stores.opened.get("one", Operation.READ)
    assert stores.opened.get("one", Operation.READ).path == stores.root / "elsewhere"


def test_a_removed_store_is_closed(stores: Stores) -> None:
    stores.opened.get("one", Operation.READ)
    stores.configure("two", "two")
    del stores.configs["one"]
    with stores.opened.session("one"):
        stores.opened.get("two", Operation.READ)
        assert not is_free(stores.root / "one")
    stores.opened.get("two", Operation.READ)
    assert is_free(stores.root / "one")


def test_a_store_whose_directory_is_gone_is_an_error_each_time(stores: Stores) -> None:
    stores.configs["gone"] = DatastoreConfig("gone", {"path": str(stores.root / "gone")})
    for _ in range(2):
        with pytest.raises(DatastoreError, match="is no directory"):
            stores.opened.get("gone", Operation.READ)


def test_a_read_only_store_is_not_cleaned(stores: Stores) -> None:
    stores.configure("two", "two", **{"maintenance-mode": "read-only"})
    leftover = stores.root / "two/host/a/2026-06-01T08:00:00Z"
    leftover.mkdir(parents=True)
    stores.opened.get("two", Operation.READ)
    assert leftover.is_dir()
    with pytest.raises(DatastoreError, match="read-only maintenance mode"):
        stores.opened.get("two", Operation.WRITE)


@pytest.mark.parametrize("mode", ["offline", "delete", "unmount"])
def test_a_store_that_goes_offline_is_closed(stores: Stores, mode: str) -> None:
    stores.opened.get("one", Operation.READ)
    stores.configure("one", "one", **{"maintenance-mode": mode})
    with stores.opened.session("one", Operation.READ):
        stores.opened.close_idle()
        assert not is_free(stores.root / "one")
    stores.opened.close_idle()
    assert is_free(stores.root / "one")


def test_a_read_only_store_stays_open(stores: Stores) -> None:
    stores.opened.get("one", Operation.READ)
    stores.configure("one", "one", **{"maintenance-mode": "read-only"})
    stores.opened.close_idle()
    assert not is_free(stores.root / "one")


def test_the_watch_closes_what_nobody_asks_for(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_watch, "INTERVAL_SECONDS", 0.01)
    stores.opened.get("one", Operation.READ)
    with StoreWatch(stores.opened):
        stores.configure("one", "one", **{"maintenance-mode": "offline"})
        deadline = time.monotonic() + 20
        while not is_free(stores.root / "one"):
            assert time.monotonic() < deadline


def test_operations_are_counted(stores: Stores) -> None:
    with stores.opened.using("one", Operation.WRITE) as datastore:
        assert datastore is stores.opened.get("one", Operation.READ)
        assert stores.opened.operations.counts("one").write == 1
    assert stores.opened.operations.counts("one").is_idle
    with pytest.raises(ConfigError), stores.opened.using("two", Operation.READ):
        pass
    assert stores.opened.operations.counts("two").is_idle


def test_a_store_is_taken_out_to_be_removed(stores: Stores) -> None:
    stores.opened.get("one", Operation.READ)
    stores.configure("one", "one", **{"maintenance-mode": "delete"})
    config = stores.configs["one"]
    with (
        stores.opened.session("one"),
        pytest.raises(DatastoreError, match="is in use"),
        stores.opened.taken_out(config),
    ):
        pass
    with stores.opened.taken_out(config):
        assert not is_free(stores.root / "one")
    assert is_free(stores.root / "one")
