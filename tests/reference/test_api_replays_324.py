"""The recorded requests of the original 3.2.4, sent to our server on its datastore."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reference.recorded_server import RecordedServer, recorded, recorded_json
from reference.replay import comparable, shape
from unit.server.application_site import Answer
from unit.server.conftest import lay_out_store

SAME = (
    "ping",
    "snapshots",
    "snapshots_enc",
    "snapshots_ns",
    "files_enc",
    "namespace",
    "active_operations",
    "notes",
    "group_notes",
    "protected",
    "nodes",
    "err_nonexistent",
    "err_nostore",
    "err_extra_param",
)
LISTINGS = ("root", "access", "admin_datastore_fix", "config", "nodes_localhost", "status_root")
NEWER = {"move-group", "move-namespace", "identity", "vncticket"}
"""What came with release 4."""
MORE = ("version", "admin_datastore", "status", "status_verbose", "datastore_usage")
WITHOUT_DIGEST = ("config_datastore", "config_datastore_fix")


@pytest.fixture(scope="module")
def server(datastore_323: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedServer]:
    root = tmp_path_factory.mktemp("replays-324")
    shutil.copytree(datastore_323, root / "fix", symlinks=True)
    lay_out_store(root / "ds1")
    made = RecordedServer(root / "server", {})
    (made.site.roots.config_dir / "datastore.cfg").write_text(
        f"datastore: fix\n\tcomment fixture store\n\tpath {root}/fix\n\ndatastore: ds1\n\tpath {root}/ds1\n"
    )
    yield made
    made.site.registry.close()


def ask(server: RecordedServer, fixtures: Path, name: str) -> Answer:
    """Send the recorded request; its name stands in the index behind its path, the last time it was sent."""
    index = (fixtures / "api" / "INDEX.txt").read_text()
    targets = re.findall(rf"^(\S+) -> {re.escape(name)} HTTP", index, re.M)
    return server.ask(f"/api2/json{targets[-1]}")


def localised(server: RecordedServer, text: str) -> str:
    """A recorded text with the paths of our stores."""
    return text.replace("/srv/store", str(server.site.roots.base.parent))


@pytest.mark.parametrize("name", SAME)
def test_same_answer(server: RecordedServer, fixtures_323: Path, name: str) -> None:
    answer = ask(server, fixtures_323, name)
    status, headers, text = recorded(fixtures_323, name)
    assert (answer.status, comparable(answer.text)) == (status, comparable(text))
    assert answer.headers["content-type"] == headers["content-type"]


@pytest.mark.parametrize("name", WITHOUT_DIGEST)
def test_same_configuration(server: RecordedServer, fixtures_323: Path, name: str) -> None:
    ours, theirs = (
        comparable(text)
        for text in (ask(server, fixtures_323, name).text, localised(server, recorded(fixtures_323, name)[2]))
    )
    assert ours.pop("digest").isalnum()
    assert theirs.pop("digest").isalnum()
    assert ours == theirs


@pytest.mark.parametrize("name", LISTINGS)
def test_inner_nodes_list_nothing_that_the_originals_have_not(
    server: RecordedServer, fixtures_323: Path, name: str
) -> None:
    ours = [item["subdir"] for item in ask(server, fixtures_323, name).data]
    theirs = [item["subdir"] for item in recorded_json(fixtures_323, name)["data"]]
    assert ours
    assert [subdir for subdir in theirs if subdir in ours] == [subdir for subdir in ours if subdir not in NEWER]


def is_part(theirs: Any, ours: Any) -> bool:
    """Whether everything that 3.2.4 answers is in ours, in the same shape."""
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and all(key in ours and is_part(theirs[key], ours[key]) for key in theirs)
    if isinstance(theirs, list) and theirs and isinstance(theirs[0], dict):
        pairs = zip(*(sorted(items, key=lambda item: str(item["store"])) for items in (theirs, ours)), strict=True)
        return all(is_part(*pair) for pair in pairs)
    return bool(shape(theirs) == shape(ours))


@pytest.mark.parametrize("name", MORE)
def test_same_shape_with_what_release_4_added(server: RecordedServer, fixtures_323: Path, name: str) -> None:
    answer = ask(server, fixtures_323, name)
    assert answer.status == recorded(fixtures_323, name)[0]
    assert is_part(recorded_json(fixtures_323, name), answer.json)


def test_same_counts(server: RecordedServer, fixtures_323: Path) -> None:
    theirs = recorded_json(fixtures_323, "status_verbose")["data"]["counts"]
    assert ask(server, fixtures_323, "status_verbose").data["counts"] == theirs


def test_same_groups(server: RecordedServer, fixtures_323: Path) -> None:
    """The group's comment was set after this answer was recorded."""
    ours, theirs = comparable(ask(server, fixtures_323, "groups").text), recorded_json(fixtures_323, "groups")
    for item in (*ours["data"], *theirs["data"]):
        item.pop("comment", None)
        item["files"] = sorted(item["files"])
    key = ["backup-type", "backup-id"]
    for answer in (ours, theirs):
        answer["data"].sort(key=lambda item: [item[name] for name in key])
    assert ours == theirs


def test_same_missing_parameters(server: RecordedServer, fixtures_323: Path) -> None:
    status, _, text = recorded(fixtures_323, "err_missing_param")
    answer = ask(server, fixtures_323, "err_missing_param")
    assert (answer.status, sorted(answer.text.splitlines())) == (status, sorted(text.splitlines()))


def test_a_snapshot_that_is_not_there(server: RecordedServer, fixtures_323: Path) -> None:
    """Ours says which."""
    status, _, text = recorded(fixtures_323, "err_nosnap")
    answer = ask(server, fixtures_323, "err_nosnap")
    assert answer.status == status
    assert text in answer.text
