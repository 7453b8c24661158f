"""Configuration, maintenance modes and lists of stores beside what the original 4.2.3 answered."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pbstore.config.datastore_cfg import DatastoreFile
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.reconfiguration import Reconfiguration
from pbstore.model.auth_id import AuthId
from reference.recorded_requests import recorded_request
from reference.recorded_server import RecordedServer, lines_of
from unit.datastore.snapshot_factory import make_snapshot
from unit.server.conftest import lay_out_store

STORES = {"fix42": "ds", "bad": "ds2", "scratch": "ds3", "copy": "ds4", "pushed": "ds5"}


@pytest.fixture
def server(fixtures_423: Path, tmp_path: Path) -> Iterator[RecordedServer]:
    """The recorded `datastore.cfg`, over empty stores."""
    stores = {name: tmp_path / directory for name, directory in STORES.items()}
    for path in stores.values():
        lay_out_store(path)
    made = RecordedServer(tmp_path / "server", stores)
    text = (fixtures_423 / "cli/maintenance-offline.datastore.cfg").read_text().replace("/srv/fx42", str(tmp_path))
    (made.site.roots.config_dir / "datastore.cfg").write_text(text)
    reconfigure(made, {}, delete="maintenance-mode")
    yield made
    assert made.site.registry.tasks.wait_all(30)
    made.site.registry.close()


def reconfigure(server: RecordedServer, values: dict[str, str], *, delete: str = "comment") -> None:
    Reconfiguration(values, (delete,)).apply(server.site.roots, "scratch", digest=None, now=0)


def comparable(server: RecordedServer, text: str) -> Any:
    """Answers without what is of its time and place; lists by name."""
    try:
        answer = json.loads(text.replace(str(server.site.roots.base.parent), "/srv/fx42"))
    except ValueError:
        return text
    answer.pop("digest", None)
    data = answer["data"]
    items = data if isinstance(data, list) else []
    for item in items or [data or {}]:
        for key in ("total", "used", "avail", "history-start", "gc-status"):
            if key in item:
                item[key] = type(item[key]).__name__
    for item in items:
        item["files"] = sorted(item.get("files", ()))
    items.sort(key=lambda item: str(item.get("store") or item.get("name") or item.get("backup-id")))
    return answer


def check(fixtures: Path, server: RecordedServer, *names: str) -> None:
    for name in names:
        request = recorded_request(fixtures, name)
        answer = request.ask(server)
        assert answer.status == request.status, (name, answer)
        assert comparable(server, answer.text) == comparable(server, request.body), name


def test_same_configuration(fixtures_423: Path, server: RecordedServer) -> None:
    check(
        fixtures_423,
        server,
        "config_datastore",
        "config_datastore_fix42",
        "e403_config",
        "reader_extjs403",
        "e400_digest",
        "e400_ds_exists",
        "e400_ds_relpath",
        "e400_nostore_cfg",
        "e400_nostore",
        "admin_datastore",
        "nobody_datastores",
    )


def test_same_usage(fixtures_423: Path, server: RecordedServer) -> None:
    check(fixtures_423, server, "status_usage", "nobody_usage")


def test_the_digest_is_that_of_the_file(server: RecordedServer) -> None:
    answer = server.ask("/api2/json/config/datastore")
    assert answer.json["digest"] == DatastoreFile(server.site.roots).load().digest


def test_same_maintenance(fixtures_423: Path, server: RecordedServer) -> None:
    """Read-only first, then offline with a message, as they were recorded."""
    datastore = server.site.registry.datastores.get("scratch", Operation.WRITE)
    for text, owner in (("host/pj/2026-06-01T08:00:03Z", "test@pbs"), ("host/g1/2026-06-01T08:00:02Z", "test@pbs!tok")):
        make_snapshot(datastore, text, owner=AuthId.parse(owner))
    check(fixtures_423, server, "mm_none_groups")
    reconfigure(server, {"maintenance-mode": "read-only"})
    check(fixtures_423, server, "mm_readonly_list", "mm_readonly_groups", "mm_readonly_delete", "mm_readonly_config")
    check(fixtures_423, server, "mm_readonly_usage", "mm_readonly_status")
    reconfigure(server, {"maintenance-mode": "offline,message=swap"})
    check(fixtures_423, server, "mm_offline_list", "mm_offline_groups", "mm_offline_status", "mm_offline_delete")
    check(fixtures_423, server, "mm_offline_usage", "mm_offline_config")


def test_same_removal_from_the_configuration(fixtures_423: Path, server: RecordedServer) -> None:
    request = recorded_request(fixtures_423, "ds_delete_config")
    answer = request.ask(server)
    assert answer.status == request.status
    pattern = r"UPID:[^:]+(?::[0-9A-F]+){4}:delete-datastore:scratch:"
    assert re.match(pattern, answer.data)
    assert re.match(pattern, json.loads(request.body)["data"])
    (log,) = fixtures_423.glob("tasklogs/*delete-datastore_scratch*")
    assert server.task_lines(answer.data) == lines_of(log)
    check(fixtures_423, server, "ds_after_delete")
    assert (server.site.roots.base.parent / "ds3/.lock").exists()
