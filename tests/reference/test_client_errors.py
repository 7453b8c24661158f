"""Wrong input of the original client's captures: one line of ours, and the same exit code."""

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_runner import Runner
from pbstore.cli.proxmox_backup_client.main import PROGRAM
from pbstore.config.roots import Roots
from reference.client_runs import ClientRun, OriginalSite, client_runs
from running_server import RunningServer

FINGERPRINT = ":".join(["00"] * 32)
# What the original says, and the beginning of what ours says instead.
OTHER = {
    "Error: permission check failed.": "Error: login as 'test@pbs' failed - permission check failed.",
    "Error: archive not found in manifest": "Error: manifest does not contain file 'nope.pxar.didx'",
    "Error: unable to access '/nonexistent' - No such file or directory (os error 2)": (
        "Error: unable to access '/nonexistent' - No such file or directory"
    ),
    "Error: missing permissions 'Datastore.Backup' on '/datastore/fix42'": "Error: permission check failed",
}


@pytest.fixture(scope="module")
def site(
    datastore_423: Path, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[OriginalSite]:
    """The store, copied, behind a server of ours."""
    work = tmp_path_factory.mktemp("client-errors")
    shutil.copytree(datastore_423, work / "store", symlinks=True)
    (work / "etc").mkdir()
    server = RunningServer(work / "server")
    for path in (server_certificate.certificate, server_certificate.certificate_key):
        shutil.copy2(path, server.roots.config_dir / path.name)
    yield OriginalSite(server, work, Runner(PROGRAM, installed=True), {"fix42": work / "store"}, "fix42")
    server.stop(signal.SIGKILL)


def errors_of(fixtures: Path) -> list[ClientRun]:
    return [run for run in client_runs(fixtures / "cli" / "cli-errors.txt") if run.exit_code != 0]


def is_about_the_command(run: ClientRun) -> bool:
    return "\nUsage:" in run.stderr


# Many runs of the real program.
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_wrong_input_gives_one_line_and_the_same_exit_code(site: OriginalSite, fixtures_423: Path) -> None:
    runs = [run for run in errors_of(fixtures_423) if not is_about_the_command(run)]
    assert len(runs) == 15
    ours = {"/srv/fx42/src/etc": str(site.home / "etc"), "/srv/fx42/out/keys": str(fixtures_423 / "keys")}
    for run in runs:
        if "PBS_FINGERPRINT" in run.variables:
            continue
        words = [_replaced(word, ours) for word in run.words]
        outcome = site.run(*words, **run.variables)
        assert (outcome.exit_code, outcome.stdout) == (run.exit_code, "")
        lines = [line for line in outcome.stderr.splitlines() if line.startswith("Error: ")]
        assert lines == [OTHER.get(run.error, run.error)], run.name
        assert outcome.stderr.count("\n") == run.stderr.count("\n")


@pytest.mark.parametrize("text", ["00:11", FINGERPRINT])
def test_another_fingerprint(site: OriginalSite, fixtures_423: Path, text: str) -> None:
    (run,) = [run for run in errors_of(fixtures_423) if run.variables.get("PBS_FINGERPRINT") == text]
    outcome = site.replay(run)
    assert (outcome.exit_code, outcome.stdout) == (run.exit_code, "")
    *before, error = outcome.stderr.splitlines()
    if text == "00:11":
        assert not before
        assert error == "Error: PBS_FINGERPRINT: invalid fingerprint '00:11': expected 32 hex pairs joined by ':'"
    else:
        assert before == run.stderr.splitlines()[:2]
        assert error.startswith("Error: Certificate fingerprint was not confirmed.")
        assert site.server.fingerprint in error


def test_commands_that_are_none(site: OriginalSite, fixtures_423: Path) -> None:
    """The same lists, but for what we do not have yet."""
    runs = [run for run in errors_of(fixtures_423) if is_about_the_command(run)]
    assert [run.words for run in runs] == [("backup", "x.foo:/etc"), (), ("snapshot",), ("snapshot", "lisst")]
    wrong_source, *others = runs
    outcome = site.replay(wrong_source)
    assert outcome.exit_code == wrong_source.exit_code
    assert outcome.stderr.splitlines()[:2] == wrong_source.stderr.splitlines()[:2]
    assert _options(wrong_source.stderr) <= _options(outcome.stderr)
    for run in others:
        outcome = site.replay(run)
        assert outcome.exit_code == run.exit_code
        assert outcome.stderr == _without_missing(run.stderr), run.name


def _options(usage: str) -> set[str]:
    return set(re.findall(r"^ (--[a-z0-9-]+) ", usage, re.MULTILINE)) - {"--rate", "--burst"}


def _without_missing(text: str) -> str:
    text = re.sub(r"^proxmox-backup-client (catalog shell|map|mount|unmap) .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r" (map|mount|unmap),", "", text)


def _replaced(word: str, ours: dict[str, str]) -> str:
    for old, new in ours.items():
        word = word.replace(old, new)
    return word
