"""Lists of groups, snapshots, files and namespaces, and who sees what of them (rest-api.md 5)."""

import pytest

from pbstore._core import SessionGrant, seal_blob
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import write_notes
from pbstore.datastore.namespaces import create_namespace
from pbstore.datastore.snapshots import set_protected
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace
from unit.datastore.snapshot_factory import ROOT, make_snapshot
from unit.server.application_site import START, Answer, Site

STORE = "/api2/json/admin/datastore/main"
ARCHIVER = AuthId.parse("archiver@pbs")
FIRST, SECOND = int(START), int(START) + 86400
ELSA = {"backup-type": "host", "backup-id": "elsa", "backup-time": FIRST}
VM = {"backup-type": "vm", "backup-id": "100", "backup-time": FIRST}


@pytest.fixture
def datastore(site: Site) -> Datastore:
    """host/elsa of archiver@pbs (two finished, one running), vm/100 of somebody else, a namespace with ct/101."""
    datastore = site.registry.datastores.get("main", Operation.WRITE)
    make_snapshot(datastore, "host/elsa/2026-06-01T08:00:00Z", owner=ARCHIVER)
    set_protected(datastore, ROOT, make_snapshot(datastore, "host/elsa/2026-06-02T08:00:00Z", owner=ARCHIVER), True)
    make_snapshot(datastore, "host/elsa/2026-06-03T08:00:00Z", owner=ARCHIVER, finished=False)
    make_snapshot(datastore, "vm/100/2026-06-01T08:00:00Z")
    write_notes(datastore, ROOT, BackupGroup.parse("vm/100"), "first line\nsecond line\n")
    create_namespace(datastore, Namespace.parse("ns1"))
    create_namespace(datastore, Namespace.parse("ns1/sub"))
    make_snapshot(datastore, "ct/101/2026-06-01T08:00:00Z", namespace=Namespace.parse("ns1"))
    return datastore


def get(site: Site, user: str, path: str, parameters: dict[str, object] | None = None) -> Answer:
    return site.call("GET", f"{STORE}/{path}", parameters, headers=site.login(user))


@pytest.mark.usefixtures("datastore")
def test_groups(site: Site) -> None:
    assert get(site, "admin", "groups").data == [
        {
            "backup-type": "host",
            "backup-id": "elsa",
            "last-backup": SECOND,
            "backup-count": 2,
            "files": ["vm.conf.blob", "index.json.blob"],
            "owner": "archiver@pbs",
        },
        {
            "backup-type": "vm",
            "backup-id": "100",
            "last-backup": FIRST,
            "backup-count": 1,
            "files": ["vm.conf.blob", "index.json.blob"],
            "owner": "john@pbs",
            "comment": "first line\n",
        },
    ]


@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize("path", ["groups", "snapshots"])
def test_with_backup_alone_only_own_groups_are_seen(site: Site, path: str) -> None:
    assert {item["backup-id"] for item in get(site, "archiver", path).data} == {"elsa"}
    assert {item["backup-id"] for item in get(site, "admin", path).data} == {"elsa", "100"}


def test_a_group_without_snapshots_is_listed(site: Site, datastore: Datastore) -> None:
    """D2: with zeros instead of a date."""
    (datastore.path / "host/empty").mkdir()
    item = next(item for item in get(site, "admin", "groups").data if item["backup-id"] == "empty")
    assert (item["backup-count"], item["last-backup"], item["files"]) == (0, 0, [])


@pytest.mark.usefixtures("datastore")
def test_snapshots_list_the_manifest_of_finished_ones(site: Site) -> None:
    """C9: and those in progress have neither size nor manifest."""
    running, protected, oldest = get(site, "admin", "snapshots", {"backup-type": "host", "backup-id": "elsa"}).data
    assert running["files"] == [{"filename": "vm.conf.blob"}]
    assert "size" not in running
    assert [file["filename"] for file in oldest["files"]] == ["vm.conf.blob", "index.json.blob"]
    assert oldest["size"] == sum(file["size"] for file in oldest["files"])
    assert (protected["protected"], oldest["protected"], oldest["owner"]) == (True, False, "archiver@pbs")


@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize(
    ("parameters", "ids"),
    [
        ({"backup-type": "vm"}, {"100"}),
        ({"backup-id": "elsa"}, {"elsa"}),
        ({"ns": "ns1"}, {"101"}),
        ({"ns": ""}, {"elsa", "100"}),
        ({"ns": "ns1/sub"}, set()),
    ],
)
def test_snapshots_are_filtered(site: Site, parameters: dict[str, object], ids: set[str]) -> None:
    """C10: the empty namespace is the root."""
    assert {item["backup-id"] for item in get(site, "admin", "snapshots", parameters).data} == ids


@pytest.mark.usefixtures("datastore")
def test_a_missing_group_is_an_enoent(site: Site) -> None:
    """C12: clients look for this text to print a short message."""
    answer = get(site, "admin", "snapshots", {"backup-type": "host", "backup-id": "nogroup"})
    assert answer.status == 400
    assert "ENOENT: No such file or directory" in answer.text


@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize("path", ["groups", "snapshots"])
def test_a_missing_namespace(site: Site, path: str) -> None:
    assert get(site, "admin", path, {"ns": "nope"}).status == 400


@pytest.mark.usefixtures("datastore")
def test_files(site: Site) -> None:
    items = get(site, "archiver", "files", ELSA).data
    assert [(item["filename"], item["crypt-mode"]) for item in items] == [
        ("vm.conf.blob", "none"),
        ("index.json.blob", "none"),
    ]
    refused = get(site, "archiver", "files", VM)
    assert (refused.status, refused.text) == (400, "backup owner check failed (archiver@pbs != john@pbs)")
    missing = get(site, "admin", "files", {**ELSA, "backup-time": 5})
    assert (missing.status, "ENOENT: No such file or directory" in missing.text) == (400, True)


@pytest.mark.usefixtures("datastore")
def test_download(site: Site) -> None:
    answer = get(site, "archiver", "download", {**ELSA, "file-name": "vm.conf.blob"})
    assert answer.headers == {"content-type": "application/octet-stream"}
    assert answer.file_size == len(seal_blob(b"content"))
    assert f'" 200 {answer.file_size} ' in site.access_log[-1]
    assert get(site, "archiver", "download", {**VM, "file-name": "vm.conf.blob"}).status == 400
    assert get(site, "admin", "download", {**ELSA, "file-name": "nope.blob"}).status == 400
    assert get(site, "admin", "download", {**ELSA, "file-name": "../../owner"}).status == 400


@pytest.mark.usefixtures("datastore")
def test_namespaces(site: Site) -> None:
    assert get(site, "admin", "namespace").data == [{"ns": ""}, {"ns": "ns1"}, {"ns": "ns1/sub"}]
    assert get(site, "admin", "namespace", {"parent": "ns1"}).data == [{"ns": "ns1"}, {"ns": "ns1/sub"}]
    assert get(site, "admin", "namespace", {"parent": "", "max-depth": 1}).data == [{"ns": ""}, {"ns": "ns1"}]
    assert get(site, "admin", "namespace", {"parent": "nope"}).data == [{"ns": "nope"}]


@pytest.mark.usefixtures("datastore")
def test_status(site: Site) -> None:
    data = get(site, "admin", "status", {"verbose": 1}).data
    assert data["counts"] == {
        "ct": {"groups": 1, "snapshots": 1},
        "host": {"groups": 1, "snapshots": 2},
        "vm": {"groups": 1, "snapshots": 1},
        "other": None,
    }
    assert data["total"] >= data["used"] + data["avail"] > 0
    assert (data["backend-type"], data["gc-status"]["upid"]) == ("filesystem", None)
    assert set(get(site, "archiver", "status").data) == {"total", "used", "avail", "backend-type"}
    own = get(site, "archiver", "status", {"verbose": 1}).data["counts"]
    assert (own["host"], own["vm"]) == ({"groups": 1, "snapshots": 2}, None)


def test_list_of_stores(site: Site) -> None:
    def stores(user: str) -> object:
        return site.call("GET", "/api2/json/admin/datastore", headers=site.login(user)).data

    item = {
        "store": "main",
        "comment": "the store",
        "mount-status": "nonremovable",
        "backend-type": "filesystem",
    }
    assert stores("admin") == stores("archiver") == [item]
    assert stores("nobody") == []


def log_upload(site: Site, snapshot: dict[str, object], blob: bytes) -> Answer:
    return site.call("POST", f"{STORE}/upload-backup-log", snapshot, headers=site.login("archiver"), body=blob)


def test_the_clients_log_is_stored_once(site: Site, datastore: Datastore) -> None:
    assert log_upload(site, ELSA, seal_blob(b"log")).data is None
    path = datastore.path / "host/elsa/2026-06-01T08:00:00Z/client.log.blob"
    assert path.read_bytes() == seal_blob(b"log")
    again = log_upload(site, ELSA, seal_blob(b"other"))
    assert (again.status, again.text) == (400, "backup already contains a log.")


@pytest.mark.usefixtures("datastore")
def test_logs_are_blobs_of_own_backups(site: Site) -> None:
    assert log_upload(site, ELSA, b"no blob at all").status == 400
    assert log_upload(site, VM, seal_blob(b"log")).status == 400
    assert log_upload(site, {**ELSA, "backup-time": 5}, seal_blob(b"log")).status == 400


# Upgrades


def upgrade(site: Site, user: str, path: str, **changes: object) -> Answer | SessionGrant:
    protocol = "proxmox-backup-protocol-v1" if path == "backup" else "proxmox-backup-reader-protocol-v1"
    parameters = {"store": "main", "backup-type": "host", "backup-id": "elsa", "backup-time": SECOND + 60}
    headers = {"upgrade": protocol, **site.login(user)}
    return site.upgrade(f"/api2/json/{path}", {**parameters, **changes}, headers)


@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize(
    ("user", "path", "changes", "status", "text"),
    [
        ("nobody", "backup", {}, 403, "permission check failed"),
        ("archiver", "backup", {"ns": "no/such"}, 404, "namespace not found"),
        ("admin", "backup", {}, 400, "backup owner check failed (admin@pbs != archiver@pbs)"),
        ("archiver", "backup", {"backup-time": FIRST}, 400, "backup timestamp is older than last backup."),
        ("admin", "backup", {"store": "nostore"}, 400, "no such datastore 'nostore'"),
        ("nobody", "reader", {}, 400, "no permissions on /datastore/main"),
        (
            "archiver",
            "reader",
            {"backup-type": "vm", "backup-id": "100", "backup-time": FIRST},
            400,
            "backup owner check failed (archiver@pbs != john@pbs)",
        ),
    ],
)
def test_refused_sessions(site: Site, user: str, path: str, changes: dict[str, object], status: int, text: str) -> None:
    site.now = float(SECOND + 60)
    answer = upgrade(site, user, path, **changes)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.text) == (status, text)
    assert f'" {status} ' in site.access_log[-1]


@pytest.mark.usefixtures("datastore")
def test_a_clock_that_is_wrong_is_told(site: Site) -> None:
    answer = upgrade(site, "archiver", "backup")
    assert isinstance(answer, Answer)
    assert "ahead of the server's clock" in answer.text


@pytest.mark.usefixtures("datastore")
def test_upgrade_headers(site: Site) -> None:
    login = site.login("archiver")
    parameters = {"store": "main", **ELSA}
    for headers, text in (({}, "missing Upgrade header"), ({"upgrade": "websocket"}, "invalid protocol name")):
        answer = site.upgrade("/api2/json/backup", parameters, {**login, **headers})
        assert isinstance(answer, Answer)
        assert (answer.status, answer.text) == (400, text)
    plain = site.call(
        "GET", "/api2/json/reader", parameters, headers={**login, "upgrade": "proxmox-backup-reader-protocol-v1"}
    )
    assert plain.text == "missing Upgrade header"


@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize(
    ("path", "changes"), [("backup", {"no-cache": "true", "debug": "true"}), ("reader", {"backup-time": FIRST})]
)
def test_a_granted_session_is_a_task(site: Site, path: str, changes: dict[str, object]) -> None:
    """C3: with `no-cache` too. A grant that is dropped ends its session."""
    site.now = float(SECOND + 60)
    grant = upgrade(site, "archiver", path, **changes)
    assert isinstance(grant, SessionGrant)
    (task,) = site.registry.tasks.running()
    assert task.upid.worker_type == path
    assert task.upid.worker_id == ("main:host/elsa" if path == "backup" else f"main:host/elsa/{FIRST:08X}")
    assert '" 101 0 ' in site.access_log[-1]
