"""A running server with the store `main`, and the client's command line set up for it as for a user."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from command_runner import Outcome, Runner
from pbstore.config.roots import Roots
from running_server import RunningServer

PASSWORD = "Archiver12345"


class BackupSite:
    """The server and one client host; `work` is the client's folder, `wrapper` starts the server."""

    def __init__(self, work: Path, store: Path, certificate: Roots, client: Runner, *, wrapper: Sequence[str] = ()):
        self.work = work
        self.store = store
        self.client = client
        self.server = RunningServer(work / "server", wrapper)
        for path in (certificate.certificate, certificate.certificate_key):
            shutil.copy2(path, self.server.roots.config_dir / path.name)
        self.server.add_datastore("main", store)
        self.server.create_user("archiver@pbs", PASSWORD)
        self.server.grant("/datastore/main", "archiver@pbs", "DatastoreAdmin")
        self.server.start()

    @property
    def environment(self) -> dict[str, str]:
        """What a user would export."""
        return {
            "PBS_REPOSITORY": f"archiver@pbs@127.0.0.1:{self.server.port}:main",
            "PBS_PASSWORD": PASSWORD,
            "PBS_FINGERPRINT": self.server.fingerprint,
            "XDG_CONFIG_HOME": str(self.work / "config"),
            "XDG_CACHE_HOME": str(self.work / "cache"),
        }

    def run(self, *words: str | Path, **environment: str) -> Outcome:
        """Run the client; `environment` overrides what is exported."""
        return self.client(*words, environment=self.environment | environment)

    def succeed(self, *words: str | Path, **environment: str) -> Outcome:
        """Run the client, which must succeed."""
        outcome = self.run(*words, **environment)
        assert outcome.exit_code == 0, outcome.stderr
        return outcome

    def error(self, *words: str | Path, **environment: str) -> str:
        """Run the client, which must fail with one line and exit code 255; the line."""
        outcome = self.run(*words, **environment)
        assert outcome.exit_code == 255, outcome
        lines = [line for line in outcome.stderr.splitlines() if line.startswith("Error: ")]
        assert len(lines) == 1, outcome.stderr
        return lines[0]

    def start(self, *words: str | Path) -> "subprocess.Popen[bytes]":
        """Start the client as a process of its own."""
        return subprocess.Popen(
            self.client.command(*words),
            env=self.client.variables(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def snapshots(self, group: str) -> list[Path]:
        """The snapshot directories of a group that are there, finished or not."""
        place = self.store / group
        return sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []

    def has_no_snapshots(self, group: str) -> bool:
        """Whether a group has none; waits for the server to notice that the client has gone."""
        deadline = time.monotonic() + 20
        while self.snapshots(group) and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self.snapshots(group)

    def chunk_count(self) -> int:
        """How many chunks the store has."""
        return sum(len(files) for _, _, files in os.walk(self.store / ".chunks"))


def newest(snapshots: list[Path]) -> str:
    """`type/id/time` of the last of some snapshot directories."""
    return "/".join(snapshots[-1].parts[-3:])
