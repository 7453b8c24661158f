"""`garbage-collect` against the answers of 4.2.3: the log as it comes, the end, Ctrl-C."""

import hashlib
import re
import signal
import ssl
import subprocess
from pathlib import Path

import pytest

from command_runner import Runner
from pbstore.cli.proxmox_backup_client.main import PROGRAM
from pbstore.config.roots import Roots
from task_stand_in import UPID, TaskStandIn, serving

CLIENT = Runner(PROGRAM, installed=True)


def environment(port: int, roots: Roots, home: Path) -> dict[str, str]:
    return {
        "PBS_REPOSITORY": f"test@pbs@127.0.0.1:{port}:fix42",
        "PBS_PASSWORD": "Test12345",
        "PBS_FINGERPRINT": hashlib.sha256(ssl.PEM_cert_to_DER_cert(roots.certificate.read_text())).digest().hex(":"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }


@pytest.fixture
def gc_log(fixtures_423: Path) -> list[str]:
    """The first and last lines of a real log, with the times that the server puts in front."""
    capture = (fixtures_423 / "cli" / "gc-run.txt").read_text()
    printed = capture.partition("--- stdout\n")[2].partition("--- stderr")[0].splitlines()
    return [f"2026-11-23T05:17:00+00:00: {line}" for line in (*printed[:2], printed[-1])]


def test_the_log_is_shown_as_it_comes(gc_log: list[str], server_certificate: Roots, tmp_path: Path) -> None:
    task = TaskStandIn(gc_log)
    with serving(task, server_certificate.certificate, server_certificate.certificate_key) as port:
        outcome = CLIENT("garbage-collect", environment=environment(port, server_certificate, tmp_path))
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stdout.splitlines() == [re.sub(r"^\S+ ", "", line) for line in gc_log]
    assert outcome.stdout.startswith("starting garbage collection on store fix42\n")
    assert ("POST", "admin/datastore/fix42/gc") in task.calls


def test_as_json_it_is_the_id_of_the_task(gc_log: list[str], server_certificate: Roots, tmp_path: Path) -> None:
    with serving(TaskStandIn(gc_log), server_certificate.certificate, server_certificate.certificate_key) as port:
        variables = environment(port, server_certificate, tmp_path)
        outcome = CLIENT("garbage-collect", "--output-format", "json", environment=variables)
    assert (outcome.exit_code, outcome.stdout) == (0, f'"{UPID}"\n')


def test_a_failed_task_fails_the_command(server_certificate: Roots, tmp_path: Path) -> None:
    task = TaskStandIn(["2026-11-23T05:17:00+00:00: TASK ERROR: disk gone"], "disk gone")
    with serving(task, server_certificate.certificate, server_certificate.certificate_key) as port:
        outcome = CLIENT("garbage-collect", environment=environment(port, server_certificate, tmp_path))
    assert (outcome.exit_code, outcome.stderr) == (255, "Error: task failed (status disk gone)\n")
    assert outcome.stdout == "TASK ERROR: disk gone\n"


def test_ctrl_c_stops_the_task(server_certificate: Roots, tmp_path: Path) -> None:
    task = TaskStandIn(["2026-11-23T05:17:00+00:00: starting"], runs_until_stopped=True)
    with serving(task, server_certificate.certificate, server_certificate.certificate_key) as port:
        # Who starts the tests in the background of a script has the signal ignored.
        process = subprocess.Popen(
            ("env", "--default-signal=INT", *CLIENT.command("garbage-collect")),
            env=CLIENT.variables(environment(port, server_certificate, tmp_path)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "starting\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert task.is_stopped.is_set()
    assert process.returncode == 255
    assert stderr == "got shutdown request (SIGINT)\nError: task failed (status task aborted)\n"
