"""Commands that change what is on the server, as the original's captures have them, on a store of our own."""

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_runner import Runner
from memory_directory import memory_directory
from pbstore.cli.proxmox_backup_client.main import PROGRAM
from pbstore.config.roots import Roots
from pbstore.datastore.creation import create_datastore
from reference.client_runs import ClientRun, OriginalSite, client_runs
from running_server import RunningServer

# Many runs of the real program.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
FIRST = 1780300800
TIME = "2026-06-01T08:00:00Z"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots) -> Iterator[OriginalSite]:
    """An empty store, called as the one that the original's commands changed."""
    work = tmp_path_factory.mktemp("client-changes")
    (work / "vm.conf").write_text("memory: 512\n")
    server = RunningServer(work / "server")
    for path in (server_certificate.certificate, server_certificate.certificate_key):
        shutil.copy2(path, server.roots.config_dir / path.name)
    with memory_directory() as directory:
        create_datastore(directory / "scratch", [])
        stores = {"scratch": directory / "scratch"}
        yield OriginalSite(server, work, Runner(PROGRAM, installed=True), stores, "scratch")
        server.stop(signal.SIGKILL)


def captured(fixtures: Path, name: str) -> list[ClientRun]:
    return client_runs(fixtures / "cli" / f"{name}.txt")


def succeed(site: OriginalSite, *words: str | Path) -> str:
    outcome = site.run(*words)
    assert outcome.exit_code == 0, outcome.stderr
    return outcome.stdout


def back_up(site: OriginalSite, group: str, *options: str, time: int = FIRST) -> None:
    backup_type, _, backup_id = group.partition("/")
    names = ("--backup-type", backup_type, "--backup-id", backup_id, "--backup-time", str(time))
    succeed(site, "backup", f"vm.conf:{site.home / 'vm.conf'}", *names, *options)


def check(site: OriginalSite, run: ClientRun) -> None:
    """The same output, messages and exit code."""
    outcome = site.replay(run)
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (run.exit_code, run.stdout, run.stderr), run.name


def test_owners(site: OriginalSite, fixtures_423: Path) -> None:
    back_up(site, "host/g1")
    site.server.create_token("test@pbs!tok")
    runs = captured(fixtures_423, "change-owner")
    assert len(runs) == 2
    for run in runs:
        check(site, run)
    assert '"owner":"test@pbs!tok"' in succeed(site, "list", "--output-format", "json")
    succeed(site, "change-owner", "host/g1", "test@pbs")


def test_notes_and_protection(site: OriginalSite, fixtures_423: Path) -> None:
    back_up(site, "host/prot")
    back_up(site, "ct/101")
    for name in ("notes", "protected"):
        for run in captured(fixtures_423, name):
            check(site, run)
    error = site.run("snapshot", "forget", f"host/prot/{TIME}").stderr
    assert error == "Error: failed to delete snapshot - cannot remove protected snapshot\n"
    succeed(site, "snapshot", "protected", "update", f"host/prot/{TIME}", "no")
    assert succeed(site, "forget", f"host/prot/{TIME}") == ""


def test_groups_are_forgotten_after_a_question(site: OriginalSite, fixtures_423: Path) -> None:
    back_up(site, "host/forget")
    refused = captured(fixtures_423, "group-forget")[0]
    outcome = site.run("group", "forget", "host/forget")
    assert outcome.stdout == refused.stdout.replace("host/g1", "host/forget")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    succeed(site, "snapshot", "protected", "update", f"host/forget/{TIME}", "true")
    answered = answer(site, "y\n", "group", "forget", "host/forget")
    assert answered.returncode == 255
    assert answered.stdout == 'Delete group "host/forget" with 1 snapshot(s)? [y/N]: '
    assert answered.stderr == "Error: group only partially deleted due to protected snapshots\n"
    succeed(site, "snapshot", "protected", "update", f"host/forget/{TIME}", "false")
    answered = answer(site, "Y\n", "group", "forget", "host/forget")
    assert answered.stdout.endswith("[y/N]: Successfully deleted group!\n")
    assert site.run("group", "forget", "host/forget").stderr == "Error: Unable to find backup group!\n"


def answer(site: OriginalSite, text: str, *words: str) -> "subprocess.CompletedProcess[str]":
    command, environment = site.client.command(*words), site.client.variables(site.environment)
    return subprocess.run(command, env=environment, input=text, capture_output=True, text=True, check=False)


def test_namespaces_and_moves(site: OriginalSite, fixtures_423: Path) -> None:
    for namespace in ("b", "b/a", "b/a/x", "c", "c/tgt"):
        assert succeed(site, "namespace", "create", namespace) == ""
    back_up(site, "host/g4", "--ns", "c/tgt", time=FIRST - 86400)
    back_up(site, "host/g4")
    back_up(site, "host/n1", "--ns", "b/a")
    back_up(site, "host/n2", "--ns", "b/a/x")
    moved, missing = captured(fixtures_423, "group-move")
    assert words_of(site.replay(moved).stdout) == words_of(moved.stdout)
    check(site, missing)
    moved, listed = captured(fixtures_423, "namespace-move")
    assert words_of(site.replay(moved).stdout) == words_of(moved.stdout)
    assert sorted(site.replay(listed).stdout.splitlines()) == sorted(listed.stdout.splitlines())
    kept, deleted = captured(fixtures_423, "namespace-delete")
    check(site, kept)
    check(site, deleted)
    assert succeed(site, "namespace", "list") == "b\n"


def words_of(log: str) -> list[str]:
    """A task log without the path of the store."""
    return re.sub(r'"/\S+?/((ns|host)/\S*)"', r'"\1"', log).splitlines()


@pytest.mark.parametrize(("command", "text"), [("create", "is always present"), ("delete", "cannot be deleted")])
def test_the_root_namespace(site: OriginalSite, command: str, text: str) -> None:
    # Which namespace is changed is not left to a variable.
    outcome = site.run("namespace", command, PBS_NAMESPACE="somewhere")
    assert (outcome.exit_code, outcome.stderr) == (255, f"Error: root namespace {text}\n")


def test_logs_are_uploaded(site: OriginalSite, fixtures_423: Path) -> None:
    back_up(site, "host/encsplit")
    back_up(site, "ct/102")
    log = site.home / "client.log"
    log.write_text("all went well\n" * 100)
    with_key, plain = captured(fixtures_423, "upload-log")
    key = ("--keyfile", fixtures_423 / "keys" / "enc.json")
    outcome = site.run("snapshot", "upload-log", f"host/encsplit/{TIME}", log, *key)
    assert (outcome.exit_code, outcome.stdout) == (0, with_key.stdout)
    assert outcome.stderr == f"Using encryption key from '{key[1]}'..\n"
    outcome = site.run("upload-log", f"ct/102/{TIME}", log, "--crypt-mode=none")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, plain.stdout, plain.stderr)
    again = site.run("upload-log", f"ct/102/{TIME}", log)
    assert again.exit_code == 255
    assert again.stderr.startswith("Error: ")
    files = succeed(site, "files", f"ct/102/{TIME}", "--output-format=json")
    assert "client.log.blob" in files


def test_tasks(site: OriginalSite) -> None:
    back_up(site, "host/tasks")
    table = succeed(site, "task", "list", "--all")
    (upid,) = re.findall(r"UPID:\S*:backup:scratch\\x3ahost-tasks:test@pbs:", table)
    assert table.splitlines()[1].split() == ["│", "starttime", "│", "endtime", "│", "upid", "│", "status", "│"]
    log = succeed(site, "task", "log", upid)
    assert log.startswith("starting new backup on datastore 'scratch'")
    assert log.endswith("TASK OK\n")
    assert succeed(site, "task", "list") == ""
    outcome = site.run("task", "log", upid.replace("tasks", "nope"))
    assert outcome.exit_code == 255
    assert outcome.stderr.count("\n") == 1


def test_prune(site: OriginalSite) -> None:
    for day in range(3):
        back_up(site, "host/prune", time=FIRST + day * 86400)
    verdicts = [f"host/prune/2026-06-0{day}T08:00:00Z" for day in (1, 2, 3)]
    table = succeed(site, "prune", "host/prune", "--keep-last", "1")
    assert [verdict in table for verdict in verdicts] == [True] * 3
    assert table.count(" remove ") == 2
    assert succeed(site, "snapshots", "host/prune", "--output-format", "json").count("backup-time") == 1


def test_maintenance(site: OriginalSite, fixtures_423: Path) -> None:
    datastore_cfg = site.server.roots.config_dir / "datastore.cfg"
    kept = datastore_cfg.read_text()
    datastore_cfg.write_text(kept.rstrip("\n") + "\n\tmaintenance-mode offline,message=swap\n")
    try:
        for run in captured(fixtures_423, "maintenance-offline"):
            words = [word.replace("/srv/fx42/src", str(site.home)) for word in run.words]
            outcome = site.run(*words)
            assert outcome.exit_code == run.exit_code
            assert outcome.stderr.splitlines()[-1] == run.stderr.splitlines()[-1]
    finally:
        datastore_cfg.write_text(kept)


def test_an_empty_store(site: OriginalSite) -> None:
    succeed(site, "namespace", "create", "empty")
    for words in (("list",), ("snapshot", "list")):
        assert succeed(site, *words, "--ns", "empty") == ""


def test_garbage_collection_is_refused_as_the_server_says(site: OriginalSite) -> None:
    outcome = site.run("garbage-collect")
    assert (outcome.exit_code, outcome.stdout) == (255, "")
    assert outcome.stderr.startswith("Error: ")


def test_benchmark(site: OriginalSite) -> None:
    outcome = site.run("benchmark", "--output-format", "json", "--no-cache")
    assert outcome.exit_code == 0, outcome.stderr
    assert '"tls":{"speed":' in outcome.stdout
    assert re.search(r"^Uploaded \d+ chunks in \d seconds\.$", outcome.stderr, re.MULTILINE)
    assert "benchmark" not in succeed(site, "list")
