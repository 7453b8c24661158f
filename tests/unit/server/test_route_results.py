"""Every route is called so that it succeeds, and what it answers is what its description says.

`Site` holds each answer of each test to the descriptions; here is at least one successful call of every route.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from pbstore import _core
from pbstore._core import Request
from pbstore.api.result import Session
from pbstore.config.maintenance_mode import Operation
from pbstore.model.auth_id import AuthId
from pbstore.server.methods.all_methods import ROUTES
from unit.datastore.archive_factory import make_archive_snapshot, make_archives
from unit.datastore.snapshot_factory import make_snapshot
from unit.server.application_site import Answer, Site
from unit.server.conftest import lay_out_store
from unit.server.described_answers import check_answer, misfits

STORE = "/admin/datastore/main"
GROUP = {"backup-type": "host", "backup-id": "elsa"}
SNAPSHOT = {**GROUP, "backup-time": 1780300800}
FILE = {**SNAPSHOT, "file-name": "vm.conf.blob"}
TREE = {**SNAPSHOT, "backup-id": "tree", "archive-name": "split.mpxar", "filepath": "L2V0Yw=="}
TOKEN = "/access/users/carol@pbs/token/tok"
GRANT = {"path": "/", "role": "Audit", "auth-id": "carol@pbs"}
UPID = "UPID:pbs1:00000001:00000001:00000001:6B000000:garbage_collection:main:root@pam:"
CALLED_ELSEWHERE = {("GET", "/access/tfa/{userid}/{id}"), ("POST", "/access/vncticket")}
"""What needs a second factor or a ticket of a terminal: the tests of those call it."""
Parameters = Mapping[str, object]
NONE: Parameters = {}


def reading(upid: str) -> list[tuple[str, str, Parameters]]:
    """What changes nothing."""
    task = f"/nodes/localhost/tasks/{quote(upid, safe='')}"
    calls: list[tuple[str, Parameters]] = [
        *((path, NONE) for path in ("/version", "/ping", "/access/acl", "/access/roles")),
        *((path, NONE) for path in ("/access/domains", "/access/permissions", "/config/datastore")),
        *((f"/config/access/{name}", NONE) for name in ("pam", "pbs")),
        *((f"/access/users{path}", NONE) for path in ("/carol@pbs", "/carol@pbs/token")),
        *((path, NONE) for path in ("/access/tfa", "/access/tfa/carol@pbs", "/nodes/localhost/identity")),
        ("/access/users", {"include_tokens": 1}),
        (TOKEN, {}),
        ("/config/datastore/main", {}),
        ("/admin/datastore", {}),
        ("/status/datastore-usage", {}),
        (f"{STORE}/status", {"verbose": 1}),
        *((f"{STORE}/{name}", NONE) for name in ("active-operations", "groups", "snapshots", "namespace")),
        *((f"{STORE}/{name}", SNAPSHOT) for name in ("files", "notes", "protected")),
        *((f"{STORE}/{name}", FILE) for name in ("download", "download-decoded")),
        *((f"{STORE}/{name}", TREE) for name in ("catalog", "pxar-file-download")),
        (f"{STORE}/group-notes", GROUP),
        ("/nodes/localhost/tasks", {}),
        (f"{task}/status", {}),
        (f"{task}/log", {"test-status": 1}),
        (f"{task}/log", {"download": 1}),
    ]
    return [("GET", path, parameters) for path, parameters in calls]


CHANGING: list[tuple[str, str, Parameters]] = [
    ("POST", "/access/ticket", {"username": "admin@pbs", "password": "Admin12345"}),
    ("DELETE", "/access/ticket", {}),
    ("POST", "/access/users", {"userid": "carol@pbs", "password": "Carol12345", "email": "carol@example.org"}),
    ("PUT", "/access/users/carol@pbs", {"comment": "a user"}),
    ("PUT", "/access/users/carol@pbs/unlock-tfa", {}),
    ("POST", TOKEN, {"expire": 0}),
    ("PUT", TOKEN, {"comment": "a token"}),
    ("PUT", TOKEN, {"regenerate": 1}),
    ("PUT", "/access/acl", GRANT),
    (
        "PUT",
        "/access/password",
        {"userid": "carol@pbs", "password": "C12345678", "confirmation-password": "Admin12345"},
    ),
    ("PUT", "/config/access/pam", {"comment": "the system"}),
    ("PUT", "/config/access/pbs", {"default": 1}),
    ("PUT", "/config/datastore/main", {"tuning": "sync-level=none"}),
    ("PUT", f"{STORE}/notes", {**SNAPSHOT, "notes": "some"}),
    ("PUT", f"{STORE}/group-notes", {**GROUP, "notes": "some"}),
    ("PUT", f"{STORE}/protected", {**SNAPSHOT, "protected": 1}),
    ("POST", f"{STORE}/change-owner", {**GROUP, "new-owner": "admin@pbs"}),
    ("POST", f"{STORE}/namespace", {"name": "ns1"}),
    ("POST", f"{STORE}/prune", {**GROUP, "keep-last": 1, "dry-run": 1}),
    ("POST", f"{STORE}/prune", {**GROUP, "keep-last": 1, "use-task": 1}),
    ("POST", f"{STORE}/prune-datastore", {"keep-last": 1}),
    ("POST", f"{STORE}/verify", {}),
]
REMOVING: list[tuple[str, str, Parameters]] = [
    ("POST", f"{STORE}/move-namespace", {"ns": "ns1", "target-ns": "ns2"}),
    ("POST", f"{STORE}/move-group", {**GROUP, "target-ns": "ns3"}),
    ("DELETE", f"{STORE}/snapshots", {**SNAPSHOT, "backup-id": "anna"}),
    ("DELETE", f"{STORE}/groups", {**GROUP, "backup-id": "otto"}),
    ("DELETE", "/config/datastore/main", {}),
    ("DELETE", TOKEN, {}),
    ("DELETE", "/access/users/carol@pbs", {}),
]


class Calls:
    """Calls routes and remembers which."""

    def __init__(self, site: Site):
        self.site = site
        self.headers = site.login("admin")
        self.called: set[tuple[str, str]] = set()

    def __call__(self, http_method: str, path: str, parameters: Parameters, body: bytes | None = None) -> Answer:
        full = f"/api2/json{path}"
        answer = self.site.call(http_method, full, parameters, headers=self.headers, body=body)
        assert answer.status == 200, (http_method, path, answer)
        method = ROUTES.find(http_method, path).method
        self.called.add((http_method, method.path))
        assert self.site.registry.tasks.wait_all(30)
        return answer

    def as_superuser(self, path: str) -> None:
        request = Request(method="GET", path=f"/api2/json{path}")
        status, headers, body = self.site.application.handle_for(AuthId.parse("root@pam"), request)
        assert status == 200
        check_answer("GET", request.path, headers, body)
        self.called.add(("GET", path))


def test_each_route_answers_as_it_is_described(site: Site, tmp_path: Path) -> None:
    call = Calls(site)
    datastore = site.registry.datastores.get("main", Operation.WRITE)
    for name in ("elsa", "anna", "otto"):
        make_snapshot(datastore, f"host/{name}/2026-06-01T08:00:00Z", owner=AuthId.parse("admin@pbs"))
    archives = make_archives(tmp_path / "archives")
    make_archive_snapshot(datastore, "host/tree/2026-06-01T08:00:00Z", archives, owner=AuthId.parse("admin@pbs"))
    for step in CHANGING:
        call(*step)
    call("POST", f"{STORE}/upload-backup-log", SNAPSHOT, body=_core.seal_blob(b"log"))
    lay_out_store(tmp_path / "second")
    second = {"name": "second", "path": tmp_path / "second", "reuse-datastore": 1}
    upid = call("POST", "/config/datastore", second).data
    for step in reading(upid):
        call(*step)
    call("DELETE", f"/nodes/localhost/tasks/{quote(upid, safe='')}", {})
    for ns in ("ns2", "ns3"):
        call("POST", f"{STORE}/namespace", {"name": ns})
    call("DELETE", f"{STORE}/namespace", {"ns": "ns2"})
    for step in REMOVING:
        call(*step)
    call.as_superuser("/nodes")
    answering = {(route.http_method, route.path) for route in ROUTES if not isinstance(route.result.data, Session)}
    assert call.called == answering - CALLED_ELSEWHERE


def test_inner_nodes_answer_as_they_are_described(site: Site) -> None:
    for route in ROUTES.directories:
        path = route.path.replace("{store}", "main").replace("{node}", "localhost")
        path = path.replace("{upid}", quote(UPID, safe="")).rstrip("/")
        assert site.call("GET", f"/api2/json{path}", headers=site.login("admin")).data


def test_a_misfit_is_noticed() -> None:
    version = ROUTES.find("GET", "/version").method
    good = {"data": {"version": "4.2", "release": "3", "repoid": "x"}}
    assert misfits(version, good) == []
    assert misfits(version, {**good, "total": 1})
    assert misfits(version, {"data": {**good["data"], "more": 1}})
    assert misfits(version, {"data": {"version": "4.2", "release": 3, "repoid": "x"}})
    assert misfits(version, {"data": None})
