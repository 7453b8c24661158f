"""The configuration of stores over REST: what may be said, who may say it, and what it does (rest-api.md 4.1)."""

from pathlib import Path

import pytest

from memory_directory import memory_directory
from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore import access_time
from running_server import RunningServer
from unit.server.application_site import Answer, Site
from unit.server.conftest import lay_out_store

CONFIG = "/api2/json/config/datastore"


def ask(site: Site, method: str, item: str = "", /, *, user: str = "admin", **parameters: object) -> Answer:
    named = {name.replace("_", "-"): value for name, value in parameters.items()}
    return site.call(method, f"{CONFIG}{item}", named, headers=site.login(user))


def configured(site: Site) -> dict[str, DatastoreConfig]:
    return dict(DatastoreFile(site.roots).load().datastores)


def task_end(site: Site, upid: str) -> str | None:
    """Wait for a task; how it ended."""
    assert site.registry.tasks.wait_all(60)
    ended = next(task for task in site.registry.tasks.index.finished() if str(task.upid) == upid)
    return ended.end.status


def test_the_list_has_what_the_caller_may_see(site: Site) -> None:
    answer = ask(site, "GET")
    assert answer.data == [{"name": "main", "path": str(site.roots.base / "main"), "comment": "the store"}]
    assert answer.json["digest"] == DatastoreFile(site.roots).load().digest
    assert ask(site, "GET", user="archiver").data == []
    assert ask(site, "GET", "/main", user="archiver").status == 403
    RunningServer(site.roots.base).grant("/datastore/main", "archiver@pbs", "DatastoreAudit")
    assert len(ask(site, "GET", user="archiver").data) == 1


def test_changes(site: Site) -> None:
    values = {
        "comment": "new",
        "gc-schedule": "sat 03:00",
        "verify-new": True,
        "notify-user": "admin@pbs",
        "notify": "gc=never,verify=always",
        "notification-mode": "notification-system",
        "tuning": "sync-level=file,chunk-order=none",
    }
    headers = site.login("admin")
    assert site.call("PUT", f"{CONFIG}/main", values, headers=headers).data is None
    assert ask(site, "GET", "/main").data == {"name": "main", "path": str(site.roots.base / "main"), **values}
    datastore = site.registry.datastores.get("main", Operation.READ)
    assert (datastore.config.tuning.sync_level, datastore.config.verify_new) == ("file", True)
    assert ask(site, "PUT", "/main", delete=["gc-schedule", "notify"], comment="").data is None
    left = set(ask(site, "GET", "/main").data)
    assert left == {"name", "path", "verify-new", "notify-user", "notification-mode", "tuning"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("comment", "two\nlines"),
        ("comment", "x" * 129),
        ("gc-schedule", "sometimes"),
        ("verify-new", "perhaps"),
        ("notify-user", "nobody"),
        ("notify", "gc=loud"),
        ("notification-mode", "pigeon"),
        ("tuning", "speed=11"),
        ("tuning", "gc-atime-cutoff=0"),
        ("maintenance-mode", "siesta"),
        ("keep-last", 3),
        ("delete", "path"),
        ("delete", "name"),
        ("path", "/elsewhere"),
        ("backend", "type=filesystem"),
    ],
)
def test_changes_that_are_refused(site: Site, name: str, value: object) -> None:
    before = configured(site)
    answer = site.call("PUT", f"{CONFIG}/main", {name: value}, headers=site.login("admin"))
    assert (answer.status, name in answer.text) == (400, True), answer
    assert configured(site) == before


def test_the_digest_guards_changes(site: Site) -> None:
    digest = ask(site, "GET").json["digest"]
    assert ask(site, "PUT", "/main", comment="one", digest=digest).status == 200
    answer = ask(site, "PUT", "/main", comment="two", digest=digest)
    assert (answer.status, answer.text) == (
        400,
        "detected modified configuration - file changed by other user? Try again.",
    )
    assert ask(site, "DELETE", "/main", digest=digest).status == 400
    assert configured(site)["main"].comment == "one"


@pytest.mark.parametrize(
    ("mode", "reads", "writes", "text"),
    [
        ("read-only", 200, 400, "read-only maintenance mode: "),
        ('type=offline,message="new disk, soon"', 400, 400, "offline maintenance mode: new disk, soon"),
        ("delete", 400, 400, "datastore is being deleted"),
        ("unmount", 400, 400, "datastore is being unmounted"),
        ("type=s3-refresh,message=m", 400, 400, "S3 refresh maintenance mode: m"),
    ],
)
def test_maintenance_modes(site: Site, mode: str, reads: int, writes: int, text: str) -> None:
    """D7: the texts, and what still works."""
    assert ask(site, "PUT", "/main", maintenance_mode=mode).status == 200
    headers = site.login("admin")
    store = "/api2/json/admin/datastore/main"
    read = site.call("GET", f"{store}/groups", headers=headers)
    write = site.call("POST", f"{store}/namespace", {"name": "x"}, headers=headers)
    assert (read.status, write.status) == (reads, writes)
    assert write.text == f"datastore 'main' is unavailable: {text}"
    lookup = site.call("GET", f"{store}/active-operations", headers=headers)
    assert lookup.status == (400 if mode == "delete" else 200)
    listed = site.call("GET", "/api2/json/admin/datastore", headers=headers).data[0]
    assert listed["maintenance"] == configured(site)["main"].values["maintenance-mode"]


FAILED = "parameter verification failed"
DATA_CALLS = ["groups", "snapshots", "namespace", "status"]


@pytest.mark.parametrize("path", DATA_CALLS)
def test_a_device_that_is_not_mounted(site: Site, path: str) -> None:
    """D7: every call for data says so; lists show it."""
    uuid = "12345678-1234-1234-1234-123456789abc"
    with DatastoreFile(site.roots).edit() as edit:
        edit.put(DatastoreConfig("usb", {"path": "store", "backing-device": uuid}))
    headers = site.login("admin")
    answer = site.call("GET", f"/api2/json/admin/datastore/usb/{path}", headers=headers)
    assert (answer.status, answer.text) == (400, "datastore 'usb' is not mounted")
    listed = site.call("GET", "/api2/json/admin/datastore", headers=headers).data
    assert {item["store"]: item["mount-status"] for item in listed} == {"main": "nonremovable", "usb": "notmounted"}
    usage = site.call("GET", "/api2/json/status/datastore-usage", headers=headers).data
    assert usage[1] == {"store": "usb", "mount-status": "notmounted", "backend-type": "filesystem"}


def test_usage_of_what_lies_below_shows_the_name_alone(site: Site) -> None:
    RunningServer(site.roots.base).grant("/datastore/main/ns1", "nobody@pbs", "DatastoreBackup")
    headers = site.login("nobody")
    assert site.call("GET", "/api2/json/status/datastore-usage", headers=headers).data == [{"store": "main"}]
    full = site.call("GET", "/api2/json/status/datastore-usage", headers=site.login("archiver")).data[0]
    assert full["total"] >= full["used"] + full["avail"]


def test_creation_needs_the_right_on_all_stores(site: Site) -> None:
    RunningServer(site.roots.base).grant("/datastore/new", "archiver@pbs", "Admin")
    assert ask(site, "POST", user="archiver", name="new", path="/nowhere").status == 403


@pytest.mark.parametrize(
    ("parameters", "status", "text"),
    [
        ({"name": "main", "path": "/x"}, 400, f"{FAILED} - 'name': datastore 'main' already exists."),
        ({"name": "new", "path": "x"}, 400, f"{FAILED} - 'path': expected an absolute path, 'x' is not"),
        ({"name": "new", "path": "/"}, 400, "a datastore cannot be created in the root directory"),
        (
            {"name": "new", "path": "/x", "backing-device": "12345678-1234-1234-1234-123456789abc"},
            501,
            "only datastores in local directories are supported by this version",
        ),
        (
            {"name": "new", "path": "/x", "backend": "type=s3,client=c,bucket=b"},
            501,
            "only datastores in local directories are supported by this version",
        ),
    ],
)
def test_creation_refused_at_once(site: Site, parameters: dict[str, object], status: int, text: str) -> None:
    answer = site.call("POST", CONFIG, parameters, headers=site.login("admin"))
    assert (answer.status, answer.text) == (status, text)


def test_stores_do_not_nest(site: Site) -> None:
    inside = ask(site, "POST", name="new", path=f"{site.roots.base}/main/sub")
    assert (inside.status, "lie within each other" in inside.text) == (400, True)
    (site.roots.base / "full").mkdir()
    (site.roots.base / "full/file").touch()
    full = ask(site, "POST", name="new", path=f"{site.roots.base}/full")
    assert (full.status, full.text.startswith("datastore path not empty")) == (400, True)


def test_a_task_that_fails_leaves_nothing(site: Site, tmp_path: Path) -> None:
    lay_out_store(tmp_path / "broken")
    answer = ask(site, "POST", name="new", path=tmp_path / "broken", reuse_datastore=1)
    assert "cannot reuse datastore" in (task_end(site, answer.data) or "")
    assert "new" not in configured(site)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_made_used_destroyed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_time, "PAUSE_SECONDS", 0.1)
    with memory_directory() as directory:
        path = directory / "new"
        made = ask(site, "POST", name="new", path=path, keep_daily=7, prune_schedule="daily")
        assert task_end(site, made.data) == "OK"
        assert ":create-datastore:new:admin@pbs:" in made.data
        assert ask(site, "GET", "/new").data == {"name": "new", "path": str(path)}
        assert "keep-daily 7" in (site.roots.config_dir / "prune.cfg").read_text()
        headers = site.login("admin")
        assert site.call("GET", "/api2/json/admin/datastore/new/groups", headers=headers).data == []
        with site.registry.datastores.using("new", Operation.READ):
            refused = ask(site, "DELETE", "/new", destroy_data=1)
            assert "while 1 read and 0 write operations run" in (task_end(site, refused.data) or "")
        assert (path / ".chunks/ffff").is_dir()
        gone = ask(site, "DELETE", "/new", destroy_data=1)
        assert task_end(site, gone.data) == "OK"
        assert not path.exists()
        assert "new" not in configured(site)


def test_removal_keeps_the_data(site: Site) -> None:
    site.registry.datastores.get("main", Operation.READ)
    answer = ask(site, "DELETE", "/main")
    assert task_end(site, answer.data) == "OK"
    assert configured(site) == {}
    assert (site.roots.base / "main/.lock").exists()
    site.registry.datastores.close_idle()
    missing = ask(site, "DELETE", "/main")
    assert (missing.status, missing.text) == (404, "no such datastore 'main'")
    assert ask(site, "GET", "/main").status == 400
