"""A running server with a datastore that has something of everything, and an API token for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.config.roots import Roots
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.namespaces import create_namespace
from pbstore.model.auth_id import AuthId
from pbstore.model.namespace import Namespace
from running_server import RunningServer
from unit.datastore.snapshot_factory import make_snapshot
from unit.server.conftest import lay_out_store

TIME = "2026-06-01T08:00:00Z"
BACKUP_TIME = 1780300800


@dataclass(frozen=True)
class Site:
    """The server, and as whom to call it."""

    server: RunningServer
    tokenid: str
    secret: str
    upid: str
    userid: str = "admin@pbs"
    password: str = "Admin12345"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("interop")
    server = RunningServer(root / "server")
    for name in ("certificate", "certificate_key"):
        getattr(server.roots, name).write_bytes(getattr(server_certificate, name).read_bytes())
    server.create_user("admin@pbs", Site.password)
    secret = server.create_token("admin@pbs!test")
    for auth_id in ("admin@pbs", "admin@pbs!test"):
        server.grant("/", auth_id, "Admin")
    fill(root / "main", root / "locks")
    server.add_datastore("main", root / "main")
    server.start()
    headers = server.login("admin@pbs", Site.password)
    answer = server.request("POST", "/api2/json/admin/datastore/main/verify", {}, headers=headers)
    yield Site(server, "admin@pbs!test", secret, str(answer.data))
    server.stop()


def fill(path: Path, locks: Path) -> None:
    """Make a store with a few snapshots, one in a namespace."""
    lay_out_store(path)
    datastore = Datastore.open(DatastoreConfig("main", {"path": str(path)}), locks)
    below = Namespace.parse("ns1")
    create_namespace(datastore, below)
    for text in (f"host/elsa/{TIME}", f"vm/100/{TIME}", f"ct/101/{TIME}"):
        make_snapshot(datastore, text, owner=AuthId.parse("admin@pbs"))
    make_snapshot(datastore, f"host/elsa/{TIME}", namespace=below, owner=AuthId.parse("admin@pbs"))
    datastore.close()
