"""`proxmox-backup-manager datastore` beside what the original 4.2.3 printed."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from command_runner import Outcome, Runner
from memory_directory import memory_directory
from pbstore.cli.proxmox_backup_manager.main import PROGRAM as MANAGER
from pbstore.config.datastore_cfg import DatastoreFile
from pbstore.config.maintenance_mode import Operation
from pbstore.config.roots import Roots
from pbstore.datastore.active_operations import ActiveOperations
from pbstore.tasks.task_index import TaskIndex

_RUN = re.compile(
    r"^\$ proxmox-backup-manager (.*?)\n--- stdout\n(.*?)--- stderr\n(.*?)--- exit (\d+)$", re.DOTALL | re.MULTILINE
)


@pytest.fixture
def manager(pytestconfig: pytest.Config) -> Runner:
    return Runner(MANAGER, installed=pytestconfig.getoption("--installed"))


@pytest.fixture
def environment(fixtures_423: Path, tmp_path: Path) -> dict[str, str]:
    """The configuration that was recorded while `scratch` was offline."""
    roots = Roots.below(tmp_path)
    roots.prepare()
    (roots.config_dir / "datastore.cfg").write_bytes(
        (fixtures_423 / "cli/maintenance-offline.datastore.cfg").read_bytes()
    )
    return {"PBSTORE_ROOT": str(tmp_path)}


def recorded_runs(fixtures: Path, name: str) -> dict[str, tuple[str, str, int]]:
    """Standard output, standard error and exit code by command."""
    text = (fixtures / "cli" / f"{name}.txt").read_text()
    return {command: (stdout, stderr, int(code)) for command, stdout, stderr, code in _RUN.findall(text)}


def words(command: str) -> list[str]:
    return command.split()


@pytest.mark.parametrize(
    ("capture", "command"),
    [
        ("mgr-datastore-list", "datastore list"),
        ("mgr-datastore-show", "datastore show fix42"),
        ("mgr-datastore-show", "datastore show fix42 --output-format json"),
        ("mgr-datastore-show", "datastore show fix42 --output-format json-pretty"),
        ("maintenance-offline", "datastore show scratch"),
        ("cli-errors", "datastore show nope"),
        ("cli-errors", "datastore create fix42 /x"),
    ],
)
def test_same_output(
    fixtures_423: Path, manager: Runner, environment: dict[str, str], capture: str, command: str
) -> None:
    ours = manager(*words(command), environment=environment)
    assert (ours.stdout, ours.stderr, ours.exit_code) == recorded_runs(fixtures_423, capture)[command]


@pytest.mark.parametrize("output_format", ["json", "json-pretty"])
def test_the_same_list(fixtures_423: Path, manager: Runner, environment: dict[str, str], output_format: str) -> None:
    manager("datastore", "update", "scratch", "--delete", "maintenance-mode", environment=environment)
    command = f"datastore list --output-format {output_format}"
    ours = json.loads(manager(*words(command), environment=environment).stdout)
    theirs = json.loads(recorded_runs(fixtures_423, "mgr-datastore-list")[command][0])
    assert ours == sorted(theirs, key=lambda item: item["name"])


def test_maintenance_is_set_and_ended(manager: Runner, environment: dict[str, str]) -> None:
    """As recorded in `maintenance-set`, but for messages with a comma, which the original cannot store."""

    def update(*options: str) -> Outcome:
        return manager("datastore", "update", "scratch", *options, environment=environment)

    def mode() -> object:
        roots = Roots.below(Path(environment["PBSTORE_ROOT"]))
        return DatastoreFile(roots).load().get("scratch").values.get("maintenance-mode")

    for option, stored in (
        ("read-only", "read-only"),
        ('type=offline,message="disk swap"', 'offline,message="disk swap"'),
        ("offline,message=swap", "offline,message=swap"),
        ('type=offline,message="disk swap, back soon"', 'offline,message="disk swap%2C back soon"'),
    ):
        outcome = update("--maintenance-mode", option)
        assert (outcome.exit_code, outcome.stdout, outcome.stderr, mode()) == (0, "", "", stored)
    assert update("--delete", "maintenance-mode").exit_code == 0
    assert mode() is None
    assert update("--maintenance-mode", "siesta").exit_code == 255
    wrong_digest = update("--comment", "x", "--digest", "0" * 64)
    assert "detected modified configuration" in wrong_digest.stderr


def test_removal_leaves_the_directory(manager: Runner, environment: dict[str, str]) -> None:
    outcome = manager("datastore", "remove", "scratch", "--keep-job-configs", environment=environment)
    assert (outcome.exit_code, outcome.stdout) == (0, "Removing datastore from config...\nTASK OK\n")
    assert "scratch" not in manager("datastore", "list", environment=environment).stdout
    assert manager("datastore", "remove", "scratch", environment=environment).exit_code == 255


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_store_is_made_taken_over_and_destroyed(
    fixtures_423: Path, manager: Runner, environment: dict[str, str]
) -> None:
    roots = Roots.below(Path(environment["PBSTORE_ROOT"]))

    def datastore(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Each in a process of its own, as the id of a task has the process in it."""
        command = manager.command("datastore", *arguments)
        variables = manager.variables(environment)
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    with memory_directory() as directory:
        path = directory / "new"
        made = datastore("create", "new", path, "--comment", "a comment", "--keep-last", "3")
        recorded = recorded_runs(fixtures_423, "datastore-create")["datastore create bad /srv/fx42/ds2"]
        assert (made.stdout, made.stderr, made.returncode) == recorded
        assert datastore("remove", "new").returncode == 0
        refused = datastore("create", "again", path)
        assert (refused.returncode, "take it over with reuse-datastore" in refused.stderr) == (255, True)
        assert datastore("create", "again", path, "--reuse-datastore").stdout.endswith("TASK OK\n")
        with ActiveOperations(roots.operations_dir).running("again", Operation.READ):
            busy = datastore("remove", "again", "--destroy-data")
        assert busy.returncode == 255
        assert busy.stderr.startswith("Error: task failed (status cannot destroy datastore 'again' while 1 read and 0")
        assert datastore("remove", "again", "--destroy-data").stdout.endswith("TASK OK\n")
        assert not path.exists()
    ended = [(task.upid.worker_type, task.end.status) for task in TaskIndex(roots.tasks_dir).finished()]
    assert [kind for kind, _ in reversed(ended)] == [
        "create-datastore",
        "delete-datastore",
        "create-datastore",
        "delete-datastore",
        "delete-datastore",
    ]
    assert next(status for _, status in ended) == "OK"
