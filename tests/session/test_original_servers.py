"""What we must get along with on servers of release 4.2, one test a fact: D1 to D12 (version-4.md 0.2).

D11, archives split by clients of 4.x, needs such archives: it is in tests/reference/test_split_snapshots.py. The server
is a real front on TLS that answers as such a server does; where both ends are ours, it is `pbstore serve`.
"""

import hashlib
import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_runner import Outcome, Runner
from front_site import BACKUP, Recorder, Site
from pbstore._core import Connection, FixedIndex, Request, Session, SessionGrant
from pbstore.cli.proxmox_backup_client.main import PROGRAM
from pbstore.datastore.manifest_file import read_manifest, update_manifest
from pbstore.errors import ServerError
from pbstore.format.manifest import Manifest
from pbstore.session.backup_session import BackupSession
from running_server import RunningServer
from session.session_script import CHUNK_BYTES, ROOT, Calls, Made, Store, first, then

EXPIRED = "__Host-PBSAuthCookie=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; SameSite=Lax; HttpOnly; Path=/;"
USER, PASSWORD = "archiver@pbs", "Archiver12345"
Response = tuple[int, list[tuple[str, str]], bytes]


def data(value: object, *headers: tuple[str, str]) -> Response:
    return 200, [("content-type", "application/json;charset=UTF-8"), *headers], json.dumps({"data": value}).encode()


@pytest.fixture
def fingerprint(certificate: tuple[Path, Path]) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate[0].read_text())
    digits = hashlib.sha256(der).hexdigest()
    return ":".join(digits[place : place + 2] for place in range(0, 64, 2))


class Client:
    """The client's command line in front of a scripted server: `answers` by method and path."""

    def __init__(self, site: Site, fingerprint: str, work: Path):
        self.answers: dict[str, Response] = {"POST /api2/json/access/ticket": data(TICKET)}
        self._run = Runner(PROGRAM)
        self._environment = {
            "PBS_REPOSITORY": f"{USER}@127.0.0.1:{site.address[1]}:main",
            "PBS_PASSWORD": PASSWORD,
            "PBS_FINGERPRINT": fingerprint,
            "XDG_CONFIG_HOME": str(work / "config"),
            "XDG_CACHE_HOME": str(work / "cache"),
        }
        site.application.respond = self._respond
        site.application.grant = self._respond

    def __call__(self, *words: str | Path) -> Outcome:
        return self._run(*words, environment=self._environment)

    def _respond(self, request: Request) -> Any:
        return self.answers.get(f"{request.method} {request.path}", (404, [], b"not scripted"))


TICKET = {"ticket": f"PBS:{USER}:00000000::x", "CSRFPreventionToken": "00000000:y", "username": USER}
GROUPS = "GET /api2/json/admin/datastore/main/groups"


@pytest.fixture
def client(site: Site, fingerprint: str, tmp_path: Path) -> Client:
    return Client(site, fingerprint, tmp_path)


def test_d1_unknown_cookies_are_ignored(client: Client) -> None:
    cookies = [("set-cookie", "Other=1; Path=/"), ("set-cookie", EXPIRED)]
    client.answers["POST /api2/json/access/ticket"] = data(TICKET, *cookies)
    client.answers[GROUPS] = data([], *cookies)
    assert client("list").exit_code == 0
    client.answers[GROUPS] = 401, [("set-cookie", EXPIRED)], b"authentication failed - invalid ticket"
    outcome = client("list")
    assert (outcome.exit_code, outcome.stdout) == (255, "")
    assert "authentication failed - invalid ticket" in outcome.stderr


def test_d2_a_group_without_snapshots_has_no_date(client: Client) -> None:
    item = {"backup-type": "host", "backup-id": "empty", "backup-count": 0, "last-backup": 0, "files": []}
    client.answers[GROUPS] = data([{**item, "owner": USER}])
    outcome = client("list")
    assert outcome.exit_code == 0, outcome.stderr
    assert "host/empty" in outcome.stdout
    assert "1970" not in outcome.stdout


def open_recorded(site: Site, fingerprint: str, calls: Calls, script: Any = None) -> tuple[Session, Recorder]:
    """Open a session of the client's core in front of one of ours, or of a script; what was called is recorded."""
    answer: Any = script or calls.session.handle
    recorder = Recorder(answer)
    assert isinstance(calls.session, BackupSession)
    chunks = calls.session._chunks
    site.application.grant = lambda request: SessionGrant(BACKUP, chunks, recorder)
    connection = Connection("127.0.0.1", site.address[1], fingerprint=fingerprint)
    return connection.open_session("/api2/json/backup?store=main", BACKUP, []), recorder


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes([1]) * CHUNK_BYTES + bytes([3]) * 1000)
    return path


def test_d3_the_size_is_told_and_the_checksum_is_that_of_all_chunks(
    site: Site, fingerprint: str, store: Store, base: Made, image: Path
) -> None:
    """`reuse-csum` would need the size and as many chunks as before; our client reuses by digests instead."""
    calls = store.backup(then(base.snapshot))
    session, recorder = open_recorded(site, fingerprint, calls)
    previous = FixedIndex.parse(session.request("GET", "previous", "archive-name=disk.img.fidx"))
    stats = session.upload_image(image, "disk.img.fidx", key=None, previous=previous)
    assert (stats.size, stats.uploaded_chunk_count) == (CHUNK_BYTES + 1000, 1)
    (created,) = (
        json.loads(body) for method, path, _, _, body in recorder.calls if path == "/fixed_index" and method == "POST"
    )
    assert created == {"archive-name": "disk.img.fidx", "size": CHUNK_BYTES + 1000}
    index = FixedIndex.parse((store.directory(then(base.snapshot)) / "disk.img.fidx").read_bytes())
    assert index.csum == stats.csum
    session.close()


def test_d4_after_a_failed_close_nothing_is_finished(
    site: Site, fingerprint: str, store: Store, base: Made, image: Path
) -> None:
    calls = store.backup(then(base.snapshot))

    def script(method: str, path: str, query: str, content_type: str | None, body: bytes) -> Any:
        if path == "/fixed_close":
            return 400, [], b"wrong chunk count"
        return calls.session.handle(method, path, query, content_type, body)

    session, recorder = open_recorded(site, fingerprint, calls, script)
    with pytest.raises(ServerError, match="wrong chunk count"):
        session.upload_image(image, "disk.img.fidx", key=None)
    session.close()
    recorder.wait()
    paths = [path for _, path, *_ in recorder.calls]
    assert paths.count("/fixed_close") == 1
    assert "/finish" not in paths


@pytest.fixture
def served(make_server: Callable[..., RunningServer], tmp_path: Path) -> RunningServer:
    """Our server with an empty store and an administrator."""
    server, store = make_server(), tmp_path / "store"
    (store / ".chunks").mkdir(parents=True)
    (store / ".lock").touch()
    server.add_datastore("main", store)
    server.create_user(USER, PASSWORD)
    server.grant("/", USER, "Admin")
    server.start()
    return server


def test_d5_removals_answer_with_counts(served: RunningServer) -> None:
    """Snapshots that are protected are an error unless told otherwise."""
    group = served.root.parent / "store/host/elsa"
    for name, protected in (("2026-06-01T08:00:00Z", True), ("2026-06-02T08:00:00Z", False)):
        (group / name).mkdir(parents=True)
        (group / name / "index.json.blob").touch()
        if protected:
            (group / name / ".protected").touch()
    (group / "owner").write_text(f"{USER}\n")
    login, path = served.login(USER, PASSWORD), "/api2/json/admin/datastore/main/groups"
    parameters = {"backup-type": "host", "backup-id": "elsa"}
    refused = served.request("DELETE", path, parameters, headers=login)
    assert (refused.status, refused.text) == (400, "group only partially deleted due to protected snapshots")
    tolerated = served.request("DELETE", path, {**parameters, "error-on-protected": "false"}, headers=login)
    assert tolerated.data == {"removed-groups": 0, "removed-snapshots": 0, "protected-snapshots": 1}


@pytest.mark.slow
def test_d6_a_call_in_a_session_may_take_long(site: Site, fingerprint: str, store: Store, base: Made) -> None:
    """Far longer than connecting or logging in may take; longer times are left to the absence of any limit."""
    calls = store.backup(then(base.snapshot))

    def script(*call: Any) -> Any:
        time.sleep(20)
        return calls.session.handle(*call)

    session, _ = open_recorded(site, fingerprint, calls, script)
    assert json.loads(session.request("GET", "previous_backup_time"))["data"] == base.snapshot.backup_time
    session.close()


@pytest.mark.parametrize(
    "text",
    ["datastore 'main' is not mounted", "datastore 'main' is unavailable: offline maintenance mode: new disk"],
)
def test_d7_why_a_store_is_not_available_reaches_the_user(client: Client, tmp_path: Path, text: str) -> None:
    client.answers[GROUPS] = client.answers["GET /api2/json/backup"] = 400, [], text.encode()
    (tmp_path / "a.conf").write_text("a")
    for words in (["list"], ["backup", f"a.conf:{tmp_path / 'a.conf'}"]):
        outcome = client(*words)
        assert outcome.exit_code == 255
        assert outcome.stderr.splitlines()[-1] == f"Error: {text}"


def test_d8_a_chain_of_causes_is_shown_whole(client: Client) -> None:
    text = "unable to open chunk store 'main': \"/mnt/x/.chunks\": ENOENT: No such file or directory"
    client.answers[GROUPS] = 400, [], text.encode()
    assert client("list").stderr.splitlines()[-1] == f"Error: {text}"


def test_d9_a_password_is_changed_by_its_own_call(served: RunningServer) -> None:
    served.create_user("john@pbs", "Before12345")
    login = served.login(USER, PASSWORD)
    ignored = served.request("PUT", "/api2/json/access/users/john@pbs", {"password": "After12345"}, headers=login)
    assert ignored.status == 200
    served.login("john@pbs", "Before12345")
    parameters = {"userid": "john@pbs", "password": "After12345", "confirmation-password": PASSWORD}
    assert served.request("PUT", "/api2/json/access/password", parameters, headers=login).status == 200
    served.login("john@pbs", "After12345")


def test_d10_new_passwords_have_at_least_eight_characters(served: RunningServer) -> None:
    served.create_user("john@pbs", "Before12345")
    login = served.login(USER, PASSWORD)
    for password, status in (("1234567", 400), ("12345678", 200)):
        parameters = {"userid": "john@pbs", "password": password, "confirmation-password": PASSWORD}
        assert served.request("PUT", "/api2/json/access/password", parameters, headers=login).status == status


def test_d12_unknown_members_of_a_manifest_are_kept(store: Store) -> None:
    """By a backup, and by everything that changes a manifest later."""
    foreign = {"key-fingerprint": None, "from-the-future": {"nested": [1, "two"]}}
    snapshot = first(store)
    calls = store.backup(snapshot)
    manifest = Manifest(snapshot)
    manifest.unprotected.update(foreign)
    calls.blob("index.json.blob", manifest.encode())
    assert calls.call("POST", "finish").data is None
    update_manifest(store.datastore, ROOT, snapshot, lambda kept: kept.unprotected.update(notes="a line"))
    kept, _ = read_manifest(store.datastore, ROOT, snapshot)
    assert kept.unprotected["notes"] == "a line"
    assert kept.unprotected["from-the-future"] == foreign["from-the-future"]
