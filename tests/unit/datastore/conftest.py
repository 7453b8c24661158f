"""An open datastore in a directory of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.datastore.datastore import Datastore


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """A directory that is enough of a store for everything but chunks: those have their own tests."""
    path = tmp_path / "store1"
    (path / ".chunks").mkdir(parents=True)
    (path / ".lock").touch()
    return path


@pytest.fixture
def datastore(store_path: Path, tmp_path: Path) -> Iterator[Datastore]:
    datastore = Datastore.open(DatastoreConfig("store1", {"path": str(store_path)}), tmp_path / "locks")
    yield datastore
    datastore.close()
