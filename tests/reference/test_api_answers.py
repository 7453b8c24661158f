"""Our answers beside those that the original 4.2.3 gave: to the same requests, on its own datastore."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.config.shadow import ShadowFile
from pbstore.config.user_cfg import UserConfig, UserFile
from pbstore.model.auth_id import AuthId
from running_server import RunningServer
from unit.server.application_site import Answer, Site

PASSWORDS = {"test@pbs": "Test12345", "reader@pbs": "Reader12345", "nobody@pbs": "Nobody12345"}
STORE = "/api2/json/admin/datastore/fix42"


@pytest.fixture(scope="module")
def site(datastore_423: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The accounts and the store of the recorded server, as far as these requests need them."""
    root = tmp_path_factory.mktemp("recorded")
    store = root / "fix42"
    shutil.copytree(datastore_423, store)
    files = RunningServer(root / "server")
    for userid, password in PASSWORDS.items():
        with UserFile(files.roots).edit() as edit:
            edit.put_user(UserConfig(user=AuthId.parse(userid).user))
        ShadowFile(files.roots).set_password(userid.partition("@")[0], password)
    files.grant("/", "test@pbs", "Admin")
    files.grant("/datastore/fix42", "reader@pbs", "DatastoreReader")
    with DatastoreFile(files.roots).edit() as edit:
        edit.put(DatastoreConfig("fix42", {"path": str(store), "comment": "fixture store"}))
    site = Site(files.roots)
    yield site
    site.registry.close()


def ask(site: Site, target: str, user: str = "test@pbs") -> Answer:
    login = site.call("POST", "/api2/json/access/ticket", {"username": user, "password": PASSWORDS[user]}).data
    headers = {"cookie": f"PBSAuthCookie={login['ticket']}", "csrfpreventiontoken": login["CSRFPreventionToken"]}
    parts = urlsplit(target)
    return site.raw("GET", parts.path, parts.query, headers)


def recorded(fixtures: Path, name: str) -> tuple[int, str]:
    """Status and body of a recorded answer."""
    head, _, body = (fixtures / "api" / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def recorded_data(fixtures: Path, name: str) -> Any:
    return json.loads(recorded(fixtures, name)[1])["data"]


@pytest.mark.parametrize(
    ("name", "target", "user"),
    [
        ("e404_path", "/api2/json/nope", "test@pbs"),
        ("e404_sub", "/api2/json/admin/nope", "test@pbs"),
        ("e404_sub2", f"{STORE}/nope", "test@pbs"),
        ("e404_format", "/api2/xml/version", "test@pbs"),
        ("e404_static", "/nosuchfile.js", "test@pbs"),
        ("e_api2", "/api2", "test@pbs"),
        ("e400_extra", "/api2/json/version?foo=1", "test@pbs"),
        ("e400_encoded", "/api2/json/version?foo=%zz", "test@pbs"),
        ("e400_pattern", f"{STORE}/snapshots?backup-id=a/b", "test@pbs"),
        ("e400_store_name", "/api2/json/admin/datastore/a/status", "test@pbs"),
        ("e400_store_bad", "/api2/json/admin/datastore/%20%20%20/status", "test@pbs"),
        ("e400_nostore", "/api2/json/admin/datastore/nostore/status", "test@pbs"),
        ("e400_dup", f"{STORE}/status?verbose=1&verbose=0", "test@pbs"),
        ("nobody_snapshots", f"{STORE}/snapshots", "nobody@pbs"),
        ("nobody_status", f"{STORE}/status", "nobody@pbs"),
        ("nobody_datastores", "/api2/json/admin/datastore", "nobody@pbs"),
        (
            "e_backup_noupgrade",
            "/api2/json/backup?store=fix42&backup-type=host&backup-id=x&backup-time=1780300801",
            "test@pbs",
        ),
        (
            "e_reader_noupgrade",
            "/api2/json/reader?store=fix42&backup-type=host&backup-id=split&backup-time=1780473600",
            "test@pbs",
        ),
    ],
)
def test_same_status_and_text(fixtures_423: Path, site: Site, name: str, target: str, user: str) -> None:
    answer = ask(site, target, user)
    assert (answer.status, answer.text) == recorded(fixtures_423, name)


@pytest.mark.parametrize(("name", "target"), [("e404_extjs", "/api2/extjs/nope"), ("ping", "/api2/json/ping")])
def test_same_json(fixtures_423: Path, site: Site, name: str, target: str) -> None:
    status, body = recorded(fixtures_423, name)
    answer = ask(site, target)
    assert (answer.status, answer.json) == (status, json.loads(body))


def test_same_missing_parameters(fixtures_423: Path, site: Site) -> None:
    answer = ask(site, f"{STORE}/files?backup-type=host")
    assert sorted(answer.text.split("\n")) == sorted(recorded(fixtures_423, "e400_missing")[1].split("\n"))


def by_name(items: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Items and their files in an order of our own: the original lists directories as they come."""
    for item in items:
        if "files" in item:
            item["files"] = sorted(item["files"], key=str)
        if item.get("comment"):
            item["comment"] = item["comment"].rstrip("\n")
    return sorted(items, key=lambda item: [str(item[name]) for name in names])


@pytest.mark.parametrize(
    ("name", "target", "user", "keys"),
    [
        ("snapshots", f"{STORE}/snapshots", "test@pbs", ("backup-type", "backup-id", "backup-time")),
        ("snapshots_type", f"{STORE}/snapshots?backup-type=vm", "test@pbs", ("backup-id", "backup-time")),
        ("snapshots_ns", f"{STORE}/snapshots?ns=ns1/sub", "test@pbs", ("backup-id", "backup-time")),
        (
            "snapshots_group",
            f"{STORE}/snapshots?backup-type=host&backup-id=split",
            "test@pbs",
            ("backup-id", "backup-time"),
        ),
        ("reader_snapshots", f"{STORE}/snapshots", "reader@pbs", ("backup-type", "backup-id", "backup-time")),
        ("groups", f"{STORE}/groups", "test@pbs", ("backup-type", "backup-id")),
        ("groups_ns", f"{STORE}/groups?ns=ns1/sub", "test@pbs", ("backup-type", "backup-id")),
        ("groups_ns_empty", f"{STORE}/groups?ns=ns2", "test@pbs", ()),
        ("namespaces", f"{STORE}/namespace", "test@pbs", ("ns",)),
        ("namespaces_parent", f"{STORE}/namespace?parent=ns1", "test@pbs", ("ns",)),
        ("namespaces_depth", f"{STORE}/namespace?max-depth=1", "test@pbs", ("ns",)),
        ("reader_datastores", "/api2/json/admin/datastore", "reader@pbs", ("store",)),
    ],
)
def test_same_lists(fixtures_423: Path, site: Site, name: str, target: str, user: str, keys: tuple[str, ...]) -> None:
    ours = by_name(ask(site, target, user).data, *keys)
    assert ours == by_name(recorded_data(fixtures_423, name), *keys)


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("files_split_g2", "backup-type=host&backup-id=split&backup-time=1780387200"),
        ("files_enc", "backup-type=host&backup-id=encsplit&backup-time=1780300800"),
        ("files_ns", "ns=ns1/sub&backup-type=host&backup-id=nsd&backup-time=1780300800"),
    ],
)
def test_same_files(fixtures_423: Path, site: Site, name: str, query: str) -> None:
    assert ask(site, f"{STORE}/files?{query}").data == recorded_data(fixtures_423, name)


def test_same_counts(fixtures_423: Path, site: Site) -> None:
    ours = ask(site, f"{STORE}/status?verbose=1").data
    theirs = recorded_data(fixtures_423, "ds_status_verbose")
    assert ours["counts"] == theirs["counts"]
    assert set(ours) == set(theirs)


def test_same_rights(fixtures_423: Path, site: Site) -> None:
    ours = ask(site, "/api2/json/access/permissions?auth-id=reader@pbs&path=/datastore/fix42").data
    theirs = recorded_data(fixtures_423, "permissions_reader")["/datastore/fix42"]
    assert ours["/datastore/fix42"] == theirs
