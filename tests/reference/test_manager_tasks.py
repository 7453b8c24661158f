"""The manager's commands about tasks beside what the original 4.2.3 printed, byte for byte."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_runner import Runner
from local_zone import local_zone
from pbstore.cli.proxmox_backup_manager.main import PROGRAM
from pbstore.server.control_socket import control_socket
from reference.recorded_server import RecordedServer
from unpack import unpack

COMMAND = "task list --all --limit 8"


def runs_of(capture: Path) -> dict[str, tuple[str, int]]:
    """Standard output and exit status by command line of a file of captured runs."""
    runs = re.findall(
        r"^\$ \S+ (.*?)\n--- stdout\n(.*?)--- stderr\n.*?--- exit (\d+)$", capture.read_text(), re.DOTALL | re.MULTILINE
    )
    return {command: (stdout, int(status)) for command, stdout, status in runs}


@pytest.fixture
def manager(fixtures_423: Path, tmp_path: Path) -> Iterator[Runner]:
    """The manager beside a server whose last tasks are those that the original listed."""
    captured = runs_of(fixtures_423 / "cli/mgr-task-list.txt")
    newest = json.loads(captured[f"{COMMAND} --output-format json"][0])[0]["upid"]
    tasks = unpack(fixtures_423 / "var-log-proxmox-backup.tar.xz", tmp_path / "logs") / "proxmox-backup/tasks"
    before, line, _ = (tasks / "archive").read_text().partition(f"{newest} ")
    (tasks / "archive").write_text(f"{before}{line}6B03CC0E OK\n")
    root = tmp_path / "server"
    shutil.copytree(tasks, root / "var/log/proxmox-backup/tasks")
    with local_zone("UTC"):
        server = RecordedServer(root, {})
        with control_socket(server.site.application, server.site.roots.control_socket):
            yield Runner(PROGRAM)
        server.site.registry.close()


@pytest.mark.parametrize("form", ["", " --output-format json", " --output-format json-pretty"])
def test_same_list(fixtures_423: Path, manager: Runner, tmp_path: Path, form: str) -> None:
    words = f"{COMMAND}{form}".split()
    outcome = manager(*words, environment={"PBSTORE_ROOT": str(tmp_path / "server")})
    assert (outcome.stdout, outcome.exit_code) == runs_of(fixtures_423 / "cli/mgr-task-list.txt")[f"{COMMAND}{form}"]
    assert outcome.stderr == ""


def test_the_log_of_a_failed_verification(fixtures_423: Path, manager: Runner, tmp_path: Path) -> None:
    """Printed as by the command that had started it."""
    (path,) = (tmp_path / "server/var/log/proxmox-backup/tasks").glob("*/UPID:*:000000A0:*:verify:bad:root@pam:")
    outcome = manager("task", "log", path.name, environment={"PBSTORE_ROOT": str(tmp_path / "server")})
    # In the log the store lies elsewhere than in what was recorded of it.
    printed = outcome.stdout.replace("/tmp/fx42/", "/srv/fx42/")  # noqa: S108
    assert (printed, outcome.exit_code) == runs_of(fixtures_423 / "cli/bad-verify.txt")["verify bad"]
    assert outcome.stderr == "Error: task failed (status verification failed - please check the log for details)\n"
