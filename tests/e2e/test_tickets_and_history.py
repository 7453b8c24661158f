"""What the client remembers between runs and renews during one: tickets, fingerprints, repositories."""

import json
import threading
from pathlib import Path

import pytest

from backup_site import PASSWORD, BackupSite
from pbstore import _core
from pbstore.client.login import request_ticket, ticket_credentials
from pbstore.client.repository import RepositorySpec
from pbstore.client.server import Server
from pbstore.client.ticket_cache import Ticket
from pbstore.client.ticket_renewal import TicketRenewal
from pbstore.model.auth_id import AuthId

pytestmark = pytest.mark.slow


def test_a_ticket_is_renewed_while_the_program_runs(site: BackupSite) -> None:
    connection = _core.Connection("127.0.0.1", site.server.port, fingerprint=site.server.fingerprint)
    user = AuthId.parse("archiver@pbs")
    ticket = request_ticket(connection, user, PASSWORD)
    credentials = ticket_credentials(ticket)
    server = Server(connection, RepositorySpec.parse(site.environment["PBS_REPOSITORY"]), credentials)
    background = _core.Connection("127.0.0.1", site.server.port, fingerprint=site.server.fingerprint)
    is_renewed, before = threading.Event(), credentials.headers

    def renew(old: Ticket) -> Ticket:
        new = request_ticket(background, user, old.ticket)
        is_renewed.set()
        return new

    renewal = TicketRenewal(credentials, ticket, renew, interval_seconds=0.01)
    renewal.start()
    try:
        assert is_renewed.wait(20)
    finally:
        renewal.stop()
    assert credentials.headers is not before
    assert server.status()["total"] > 0


def test_a_server_that_is_away_does_not_end_the_renewal(site: BackupSite) -> None:
    calls, is_over = [], threading.Event()

    def renew(old: Ticket) -> Ticket:
        calls.append(old)
        if len(calls) == 1:
            raise ConnectionResetError
        is_over.set()
        return Ticket("new", "token")

    credentials = ticket_credentials(Ticket("old", "token"))
    renewal = TicketRenewal(credentials, Ticket("old", "token"), renew, interval_seconds=0.001)
    renewal.start()
    assert is_over.wait(20)
    renewal.stop()
    assert "new" in str(credentials.headers)


def test_login_and_logout_share_the_cache_of_the_original(site: BackupSite, tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    folder = {"XDG_RUNTIME_DIR": str(runtime)}
    assert "the ticket is not kept" in site.succeed("login").stderr
    assert site.succeed("login", **folder).stderr == ""
    path = runtime / "proxmox-backup" / "tickets"
    assert path.stat().st_mode & 0o777 == 0o600
    entry = json.loads(path.read_text())["127.0.0.1"]["archiver@pbs"]
    assert set(entry) == {"timestamp", "ticket", "token"}
    assert entry["ticket"].startswith("PBS:archiver@pbs:")
    without_password = {name: value for name, value in site.environment.items() if name != "PBS_PASSWORD"} | folder
    assert site.client("status", environment=without_password).exit_code == 0
    site.succeed("logout", **folder)
    assert "archiver@pbs" not in path.read_text()
    refused = site.client("status", environment=without_password)
    assert (refused.exit_code, refused.stderr) == (255, "Error: no password input mechanism available\n")


def test_repositories_are_counted_for_completion(site: BackupSite) -> None:
    site.succeed("status")
    site.succeed("status")
    repository = site.environment["PBS_REPOSITORY"]
    counts = json.loads((site.work / "cache" / "proxmox-backup" / "repo-list").read_text())
    assert counts[repository] >= 2
    line = "proxmox-backup-client list --repository arch"
    completed = site.run("bashcomplete", "proxmox-backup-client", "arch", COMP_LINE=line, COMP_POINT=str(len(line)))
    assert completed.stdout == f"{repository}\n"


def test_completion_asks_the_server(site: BackupSite, tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("x")
    site.succeed("backup", f"a.conf:{tmp_path / 'a.conf'}", "--backup-id", "completed", "--backup-time", "1700000000")
    site.succeed("namespace", "create", "complete-me")

    def complete(line: str, word: str) -> list[str]:
        variables = {"COMP_LINE": f"p {line}", "COMP_POINT": str(len(line) + 2)}
        return site.run("bashcomplete", "p", word, "", **variables).stdout.splitlines()

    snapshot = "host/completed/2023-11-14T22:13:20Z"
    assert complete("group forget host/comp", "host/comp") == ["host/completed"]
    assert complete("forget host/comp", "host/comp") == [snapshot]
    assert complete(f"restore {snapshot} ", "") == ["a.conf", "index.json"]
    assert complete("list --ns comp", "comp") == ["complete-me"]
    assert complete("namespace delete ", "") == ["complete-me"]
    assert complete("group move host/completed --target-ns=c", "c") == ["complete-me"]
    # Where the shell takes what is behind a colon for a word of its own, only that is completed.
    assert complete("forget host/completed/2023-11-14T22:", "") == ["13:20Z"]
    assert any(task.startswith("UPID:") for task in complete("task log ", ""))


def test_systemd_credentials_are_used_where_variables_are_not_set(site: BackupSite, tmp_path: Path) -> None:
    variables = dict(site.environment)
    for name, credential in (
        ("PBS_REPOSITORY", "repository"),
        ("PBS_PASSWORD", "password"),
        ("PBS_FINGERPRINT", "fingerprint"),
    ):
        (tmp_path / f"proxmox-backup-client.{credential}").write_text(variables.pop(name) + "\n")
    variables["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    assert site.client("status", environment=variables).exit_code == 0
    # A variable, in whichever form, comes first.
    (tmp_path / "secret").write_text("wrong\n")
    refused = site.client("status", environment={**variables, "PBS_PASSWORD_FILE": str(tmp_path / "secret")})
    assert "permission check failed" in refused.stderr
    assert refused.exit_code == 255
