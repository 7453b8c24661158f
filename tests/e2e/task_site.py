"""A server with a store full of small snapshots, and the manager beside it."""

from pathlib import Path
from typing import Any

from command_runner import Outcome, Runner
from pbstore.cli.proxmox_backup_manager.main import PROGRAM
from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.datastore.datastore import Datastore
from pbstore.model.backup import BackupGroup, Snapshot
from running_server import RunningServer
from unit.datastore.verifiable_snapshot import make_verifiable

GROUP = BackupGroup.parse("vm/100")
FIRST = 1_780_300_800
DAY = 86400
STORE = "/api2/json/admin/datastore/main"
TASKS = "/api2/json/nodes/localhost/tasks"
PASSWORD = "Admin12345"


class TaskSite:
    """The server with the datastore `main`; it is not running yet."""

    def __init__(self, server: RunningServer, store: Path):
        self.server = server
        self.store = store
        (store / ".chunks").mkdir(parents=True)
        (store / ".lock").touch()
        server.add_datastore("main", store)
        server.create_user("admin@pbs", PASSWORD)
        server.grant("/", "admin@pbs", "Admin")

    def fill(self, count: int) -> list[Snapshot]:
        """Write a snapshot a day, while the server is not running; each has a chunk of its own and a common one."""
        config = DatastoreConfig("main", {"path": str(self.store)})
        datastore = Datastore.open(config, self.server.roots.locks_dir)
        try:
            snapshots = [Snapshot(GROUP, FIRST + day * DAY) for day in range(count)]
            for number, snapshot in enumerate(snapshots, start=256):
                make_verifiable(datastore, str(snapshot), (b"a", number.to_bytes(2, "big")))
            return snapshots
        finally:
            datastore.close()

    def manager(self, *words: str) -> Outcome:
        """Run the manager beside the server."""
        return Runner(PROGRAM)(*words, environment={"PBSTORE_ROOT": str(self.server.root)})

    def login(self) -> dict[str, str]:
        """Headers of the administrator."""
        return self.server.login("admin@pbs", PASSWORD)

    def start_task(self, path: str, parameters: dict[str, object]) -> str:
        """Start a task on the store; its id."""
        answer = self.server.request("POST", f"{STORE}/{path}", parameters, headers=self.login())
        assert answer.status == 200, answer.text
        return str(answer.data)

    def log(self, upid: str) -> list[str]:
        """The lines that a task has written by now, without their time."""
        (path,) = self.server.roots.tasks_dir.glob(f"*/{upid}")
        return [line[27:] for line in path.read_text().splitlines()]

    def listed(self) -> list[dict[str, Any]]:
        """The snapshots that the server lists, oldest first."""
        query = {"backup-type": "vm", "backup-id": "100"}
        answer = self.server.request("GET", f"{STORE}/snapshots", query, headers=self.login())
        assert answer.status == 200, answer.text
        return sorted(answer.data, key=lambda item: int(item["backup-time"]))

    def verified_count(self) -> int:
        """How many of them were verified, all of them well."""
        states = [item["verification"]["state"] for item in self.listed() if "verification" in item]
        assert set(states) <= {"ok"}
        return len(states)
