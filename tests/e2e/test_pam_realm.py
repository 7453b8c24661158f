"""Logins of the realm `pam` with real users of a system, through the helper, and a server that has given up root."""

import json
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from memory_directory import memory_directory
from pbstore.access.pam_realm import FAILURE_SECONDS, PamRealm
from pbstore.client.local_server import LocalServer
from pbstore.config.file_kind import service_owner
from pbstore.config.roots import Roots
from pbstore.config.user_cfg import UserConfig, UserFile
from pbstore.datastore.creation import create_datastore
from pbstore.model.auth_id import AuthId
from pbstore.privileged.root_helper import RootHelper, start_root_helper
from private_system import PrivateSystem, require_private_system
from running_server import RunningServer
from unit.server.application_site import Answer, Site

pytestmark = [pytest.mark.root, pytest.mark.slow]
API = "/api2/json/access"
PASSWORD = "Correct-horse-1"


@pytest.fixture(scope="module")
def system() -> Iterator[PrivateSystem]:
    """Users: `pbsanna`, the locked `pbslocked` and the expired `pbsexpired`; root has a password."""
    require_private_system()
    directory = Path(tempfile.mkdtemp(prefix="pbstore-system-"))
    try:
        directory.chmod(0o755)
        system = PrivateSystem(directory)
        for name in ("pbsanna", "pbslocked", "pbsexpired", "pbsoff"):
            system.add_user(name, PASSWORD)
        system.run("usermod", "--lock", "pbslocked")
        system.run("usermod", "--expiredate", "2001-01-01", "pbsexpired")
        system.run("chpasswd", text="root:Root-horse-1\n")
        yield system
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="module")
def helper(system: PrivateSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RootHelper]:
    helper = start_root_helper(tmp_path_factory.mktemp("config"), uid=0, wrapper=system.wrapper)
    yield helper
    helper.close()


@dataclass
class PamSite:
    """An application whose realm `pam` is the private system's; what the realm sleeps is in `slept`."""

    site: Site
    slept: list[float]

    def log_in(self, user: str, password: str) -> Answer:
        return self.site.call("POST", f"{API}/ticket", {"username": user, "password": password})

    @property
    def last_reason(self) -> str:
        return self.site.auth_log[-1].partition("msg=")[2]


@pytest.fixture
def pam(helper: RootHelper, tmp_path: Path) -> Iterator[PamSite]:
    roots = Roots.below(tmp_path)
    roots.prepare()
    with UserFile(roots).edit() as edit:
        for name in ("pbsanna", "pbslocked", "pbsexpired", "pbsghost"):
            edit.put_user(UserConfig(user=AuthId.parse(f"{name}@pam").user))
        edit.put_user(UserConfig(user=AuthId.parse("pbsoff@pam").user, enable=False))
    slept: list[float] = []
    site = Site(roots, pam=PamRealm(helper, sleep=slept.append, monotonic=lambda: 0.0))
    yield PamSite(site, slept)
    site.registry.close()


def test_a_user_of_the_system_logs_in(pam: PamSite) -> None:
    data = pam.log_in("pbsanna@pam", PASSWORD).data
    assert data["username"] == "pbsanna@pam"
    headers = {"cookie": f"PBSAuthCookie={data['ticket']}"}
    assert pam.site.call("GET", "/api2/json/version", headers=headers).status == 200
    assert pam.site.auth_log[-1].endswith("successful auth for user 'pbsanna@pam'")
    assert pam.log_in("root@pam", "Root-horse-1").status == 200
    assert pam.slept == []


@pytest.mark.parametrize(
    ("user", "password", "reason"),
    [
        ("pbsanna@pam", "wrong", "Authentication failure"),
        ("pbsanna@pam", "", "invalid credentials"),
        ("pbsanna@pam", f"{PASSWORD}\0", "invalid credentials"),
        ("pbsanna@pam", "x" * 5000, "invalid credentials"),
        ("pbslocked@pam", PASSWORD, "Authentication failure"),
        ("pbsexpired@pam", PASSWORD, "User account has expired"),
        ("pbsoff@pam", PASSWORD, "user account disabled or expired."),
        ("daemon@pam", PASSWORD, "user account disabled or expired."),
        ("pbsanna@nowhere", PASSWORD, "user account disabled or expired."),
        ("pbsghost@pam", PASSWORD, "*"),
    ],
)
def test_refused(pam: PamSite, user: str, password: str, reason: str) -> None:
    answer = pam.log_in(user, password)
    assert (answer.status, answer.text) == (401, "permission check failed.")
    assert reason in ("*", pam.last_reason)
    assert PASSWORD not in pam.site.roots.auth_log.read_text()
    if user.endswith("@pam"):
        # Neither the kind of refusal nor the way to it shows in the time.
        assert pam.slept == [FAILURE_SECONDS]


def test_logins_do_not_wait_for_each_other(pam: PamSite) -> None:
    users = ["pbsanna@pam", "pbslocked@pam", "root@pam"] * 3
    with ThreadPoolExecutor(len(users)) as pool:
        answers = list(pool.map(lambda user: pam.log_in(user, PASSWORD).status, users))
    assert answers == [200, 401, 401] * 3


def test_passwords_are_changed_by_those_who_give_one(pam: PamSite) -> None:
    def change(caller: str, **fields: str) -> tuple[int, str]:
        parameters = {"userid": "pbsanna@pam", "password": "Brand-new-1", **fields}
        data = pam.log_in(caller, passwords[caller]).data
        headers = {"cookie": f"PBSAuthCookie={data['ticket']}", "csrfpreventiontoken": data["CSRFPreventionToken"]}
        answer = pam.site.call("PUT", f"{API}/password", parameters, headers=headers)
        return answer.status, answer.text

    passwords = {"pbsanna@pam": PASSWORD, "root@pam": "Root-horse-1"}
    for caller in passwords:
        assert change(caller) == (401, "missing password")
        assert change(caller, **{"confirmation-password": "wrong"}) == (401, "permission check failed.")
    own = {"confirmation-password": PASSWORD}
    assert change("pbsanna@pam", userid="pbsghost@pam", **own) == (403, "permission check failed")
    root = {"confirmation-password": "Root-horse-1"}
    assert change("root@pam", userid="pbsnone@pam", **root) == (400, "no such user 'pbsnone@pam'")
    assert change("root@pam", userid="pbsghost@pam", **root)[0] == 400
    assert change("pbsanna@pam", **own) == (200, '{"data":null}')
    assert pam.log_in("pbsanna@pam", PASSWORD).status == 401
    passwords["pbsanna@pam"] = "Brand-new-1"
    assert change("root@pam", password=PASSWORD, **root) == (200, '{"data":null}')
    assert pam.log_in("pbsanna@pam", PASSWORD).status == 200


def test_an_admin_without_the_password_sets_none(pam: PamSite) -> None:
    """The right to change users is not enough here: with it one could become root of the machine."""
    files = RunningServer(pam.site.roots.base)
    files.create_user("admin@pbs", "Admin12345")
    files.grant("/", "admin@pbs", "Admin")
    fields = {"userid": "root@pam", "password": "Brand-new-1", "confirmation-password": "Admin12345"}
    answer = pam.site.call("PUT", f"{API}/password", fields, headers=pam.site.login("admin"))
    assert (answer.status, answer.text) == (403, "permission check failed")
    assert pam.log_in("root@pam", "Root-horse-1").status == 200


@pytest.fixture
def humble_server(system: PrivateSystem, server_certificate: Roots) -> Iterator[RunningServer]:
    """A server that gives up root, everything of it where its user can reach it."""
    service = service_owner()
    if service is None:
        pytest.skip("needs the user 'backup'")
    if not all(parent.stat().st_mode & 0o001 for parent in Path(__file__).resolve().parents):
        pytest.skip("needs a checkout that every user can read")
    directory = Path(tempfile.mkdtemp(prefix="pbstore-humble-"))
    directory.chmod(0o755)
    server = RunningServer(directory, wrapper=system.wrapper)
    for source, target in (
        (server_certificate.certificate, server.roots.certificate),
        (server_certificate.certificate_key, server.roots.certificate_key),
    ):
        shutil.copy2(source, target)
        os.chown(target, 0, service[1])
    server.create_user("pbsanna@pam")
    server.create_user("john@pbs", "John12345")
    server.grant("/", "john@pbs", "Admin")
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


def owners(directory: Path) -> dict[str, tuple[str, int]]:
    """User and mode of each file."""
    found = {}
    for path in sorted(directory.iterdir()):
        status = path.lstat()
        found[path.name] = (pwd.getpwuid(status.st_uid).pw_name, stat.S_IMODE(status.st_mode))
    return found


@pytest.fixture
def store(humble_server: RunningServer) -> Iterator[Path]:
    """A datastore `main` of the humble server."""
    with memory_directory() as directory:
        directory.chmod(0o755)
        create_datastore(directory / "main", [])
        humble_server.add_datastore("main", directory / "main")
        yield directory / "main"
        humble_server.stop()


@pytest.mark.timeout(180)
def test_a_server_without_root(humble_server: RunningServer, store: Path) -> None:
    server = humble_server
    server.start("--give-up-root")
    uids = Path(f"/proc/{server.pid}/status").read_text()
    backup = pwd.getpwnam("backup")
    assert f"Uid:\t{backup.pw_uid}\t{backup.pw_uid}\t{backup.pw_uid}\t{backup.pw_uid}" in uids
    assert f"Gid:\t{backup.pw_gid}\t{backup.pw_gid}\t{backup.pw_gid}\t{backup.pw_gid}" in uids
    assert "CapEff:\t0000000000000000" in uids
    server.login("pbsanna@pam", PASSWORD)
    john = server.login("john@pbs", "John12345")
    # Configuration is read and written with the owners that it has in an original.
    created = server.request("POST", f"{API}/users", {"userid": "new@pbs", "password": "Brand-new-1"}, headers=john)
    assert created.status == 200, created
    server.login("new@pbs", "Brand-new-1")
    token = server.request("POST", f"{API}/users/new@pbs/token/t1", {}, headers=john)
    assert token.status == 200, token
    here = owners(server.roots.config_dir)
    assert here["user.cfg"] == here["acl.cfg"] == here["proxy.key"] == here["csrf.key"] == ("root", 0o640)
    assert here["shadow.json"] == here["authkey.key"] == ("root", 0o600)
    assert here["token.shadow"] == ("backup", 0o640)
    assert here[".user.lck"] == ("backup", 0o660)
    assert owners(server.roots.run_dir)["control.sock"] == ("backup", 0o600)
    assert json.loads(server.request("GET", "/api2/json/admin/datastore/main/status", headers=john).body)["data"]
    made = server.request("POST", "/api2/json/admin/datastore/main/namespace", {"name": "ns1"}, headers=john)
    assert made.status == 200, made
    assert owners(store)["ns"][0] == "backup"
    assert LocalServer(server.roots.control_socket).get("version")["release"] == "3"
    assert server.stop() == 0


def test_without_the_helper_it_is_said_what_is_missing(server: RunningServer) -> None:
    server.create_user("pbsanna@pam")
    answer = server.request("POST", f"{API}/ticket", {"username": "pbsanna@pam", "password": PASSWORD})
    assert answer.status == 401
    assert "realm 'pam' needs the root helper: start the server as root" in server.roots.auth_log.read_text()


def test_a_directory_of_another_user_is_named(humble_server: RunningServer) -> None:
    os.chown(humble_server.roots.state_dir, 0, 0)
    process = humble_server.spawn("--listen", "127.0.0.1:0", "--give-up-root")
    assert process.communicate(timeout=30)[0] == ""
    assert process.returncode == 255
    expected = f"Error: {humble_server.roots.state_dir} has to belong to user 'backup': chown -R backup: "
    assert expected in humble_server.log.read_text()
