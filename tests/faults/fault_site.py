"""A server whose disk does what a test says, a client in front of it, and what a failure must not leave."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from backup_site import PASSWORD, BackupSite
from command_runner import Runner
from disk_traces import held_locks, temporary_files
from gate_control import Change, GateControl, gate_command
from gate_plan import Plan
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.config.roots import Roots
from running_server import Answer

FIRST_TIME = 1_780_300_800
STORE = "/admin/datastore/main"
MAX_CHANGES = 400
PATIENCE_SECONDS = 20
ResultT = TypeVar("ResultT")


class FaultSite(BackupSite):
    """The server runs behind a gate; `work` has its directories, the client's, and what is backed up."""

    def __init__(self, work: Path, store: Path, certificate: Roots):
        self.gate = GateControl(work / "gate")
        super().__init__(work, store, certificate, Runner(CLIENT), wrapper=gate_command(work / "gate"))
        self.server.grant("/", "archiver@pbs", "Admin")
        self._headers: Mapping[str, str] = {}
        self._time = FIRST_TIME
        self.content = 0
        self._temporary: set[Path] = set()
        self.image, self.conf, self.tree = work / "disk.img", work / "vm.conf", work / "tree"
        self.tree.mkdir()
        self.change_sources()

    # What is backed up

    def change_sources(self) -> None:
        """Let the next backup have something new everywhere, and something old."""
        self.content += 1
        self.image.write_bytes(image_content(self.content))
        self.conf.write_bytes(conf_content(self.content))
        (self.tree / "file").write_bytes(file_content(self.content))

    def backup_words(self, backup_id: str) -> list[str]:
        """The command line of the next backup."""
        self._time += 60
        specs = [f"disk.img:{self.image}", f"vm.conf:{self.conf}", f"root.pxar:{self.tree}"]
        return ["backup", *specs, "--backup-id", backup_id, "--backup-time", str(self._time)]

    def assert_restorable(self, snapshot: str, *options: str | Path, content: int | None = None) -> None:
        """Restore a backup and compare it with what it was made of: the present sources, or those of a number."""
        number = self.content if content is None else content
        target = self.work / "back"
        for name, expected in (("disk.img", image_content(number)), ("vm.conf", conf_content(number))):
            self.succeed("restore", snapshot, name, target, *options)
            assert target.read_bytes() == expected
            target.unlink()
        self.succeed("restore", snapshot, "root.pxar", target, *options)
        assert (target / "file").read_bytes() == file_content(number)
        shutil.rmtree(target)

    # Requests of an administrator

    def request(self, method: str, path: str, parameters: Mapping[str, object] | None = None) -> Answer:
        """Call the REST interface."""
        if not self._headers:
            self._headers = self.server.login("archiver@pbs", PASSWORD)
        return self.server.request(method, f"/api2/json{path}", parameters, headers=self._headers)

    def run_task(self, path: str, parameters: Mapping[str, object]) -> tuple[Answer, str]:
        """Start a task on the store and wait for its end; the answer, and its log."""
        answer = self.request("POST", f"{STORE}/{path}", parameters)
        if answer.status != 200:
            return answer, ""
        (log,) = self.server.roots.tasks_dir.glob(f"*/{answer.data}")
        wait_until(lambda: self._has_ended(str(answer.data), log))
        return answer, log.read_text()

    def _has_ended(self, upid: str, log: Path) -> bool:
        """Whether a task has, by its log, by the list of finished tasks, or because that could not be written."""
        archive = self.server.roots.tasks_dir / "archive"
        is_listed = archive.exists() and upid in archive.read_text()
        is_unlisted = f"cannot note the end of task '{upid}'" in self.server.log.read_text()
        return "TASK " in log.read_text() or is_listed or is_unlisted

    def active_tasks(self) -> str:
        """The list of running tasks."""
        path = self.server.roots.tasks_dir / "active"
        return path.read_text() if path.exists() else ""

    # Faults

    def failures(self, plan: Plan, attempt: Callable[[], ResultT]) -> Iterator[tuple[Change, ResultT]]:
        """Repeat `attempt` while its first, its second, ... change that fits the plan fails, until none is left."""
        for number in range(1, MAX_CHANGES):
            name = self.gate.set(replace(plan, at=number))
            result = attempt()
            wait_until(lambda: not held_locks(self.server.roots.locks_dir))
            self.gate.open()
            changes = self.gate.changes(name)
            self._temporary |= {Path(change.path) for change in changes if ".tmp_" in change.path}
            struck = [change for change in changes if change.action is not None]
            if not struck:
                return
            yield struck[0], result
        raise AssertionError("it does not come to an end")

    def assert_clean(self) -> None:
        """Nothing is held, nothing is listed as running, nothing has a temporary name, and no chunk had one."""
        wait_until(lambda: not held_locks(self.server.roots.locks_dir))
        wait_until(lambda: not self.active_tasks())
        assert temporary_files(self.store, self.server.root) == []
        assert [path for path in self._temporary if path.exists()] == []
        self._temporary.clear()


def image_content(number: int) -> bytes:
    """An image of two chunks, of which the first is always the same."""
    return b"the same".ljust(4 << 20, b".") + b"image %d" % number * 1000


def conf_content(number: int) -> bytes:
    """A configuration file."""
    return b"number %d\n" % number


def file_content(number: int) -> bytes:
    """The one file of the tree."""
    return b"file %d" % number * 500


def wait_until(condition: Callable[[], object]) -> None:
    """Look every moment until it holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def files_below(directory: Path) -> dict[str, bytes]:
    """Names and contents below a directory, without chunks and lock files; directories end in `/`."""
    found = {}
    for place, inner, names in os.walk(directory):
        inner[:] = [name for name in inner if name != ".chunks"]
        where = Path(place)
        found[f"{where.relative_to(directory)}/"] = b""
        for name in names:
            if not name.endswith((".lck", ".lock")):
                found[str((where / name).relative_to(directory))] = (where / name).read_bytes()
    return found
