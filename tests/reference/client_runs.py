"""Command lines that the original client ran, what it printed, and a server of ours with the store it ran on."""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from command_runner import Outcome, Runner
from running_server import RunningServer

PASSWORDS = {"test@pbs": "Test12345", "reader@pbs": "Reader12345", "nobody@pbs": "Nobody12345"}
_RUN = re.compile(r"^\$ (.*?)\n--- stdout\n(.*?)--- stderr\n(.*?)--- exit (\d+)$", re.DOTALL | re.MULTILINE)
_PROGRAM = "proxmox-backup-client"


@dataclass(frozen=True)
class ClientRun:
    """One command line, without the program's name, and what the original did."""

    words: tuple[str, ...]
    stdout: str
    stderr: str
    exit_code: int
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The command line."""
        return shlex.join(self.words)

    @property
    def error(self) -> str:
        """The line that says what went wrong."""
        return next(line for line in self.stderr.splitlines() if line.startswith("Error: "))


def client_runs(capture: Path) -> list[ClientRun]:
    """The runs of the client in a file of captured command lines."""
    found = []
    for line, stdout, stderr, exit_code in _RUN.findall(capture.read_text()):
        words, variables = shlex.split(line), {}
        if words[0] == "env":
            name, value = words[1].split("=", 1)
            variables, words = {name: value}, words[2:]
        if words[0] == _PROGRAM:
            found.append(ClientRun(tuple(words[1:]), stdout, stderr, int(exit_code), variables))
    return found


class OriginalSite:
    """A server of ours that serves stores of the original, and the client as a process of its own."""

    def __init__(self, server: RunningServer, home: Path, client: Runner, stores: dict[str, Path], default: str):
        """Configure the accounts of the recorded server and start ours."""
        self.server = server
        self.home = home
        self.client = client
        self.default = default
        for userid, password in PASSWORDS.items():
            server.create_user(userid, password)
        server.grant("/", "test@pbs", "Admin")
        server.grant(f"/datastore/{default}", "reader@pbs", "DatastoreReader")
        for name, path in stores.items():
            server.add_datastore(name, path)
        server.start()

    @property
    def environment(self) -> dict[str, str]:
        """What the original ran with, but for the address."""
        return {
            "PBS_REPOSITORY": self.repository("test@pbs"),
            "PBS_PASSWORD": PASSWORDS["test@pbs"],
            "PBS_FINGERPRINT": self.server.fingerprint,
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
        }

    def repository(self, user: str, store: str | None = None) -> str:
        """A repository on this server."""
        return f"{user}@localhost:{self.server.port}:{store or self.default}"

    def moved(self, word: str) -> str:
        """A repository of the recorded server becomes one of ours."""
        match = re.fullmatch(r"(\S+@\S+)@localhost:(\w+)", word)
        return word if match is None else self.repository(match[1], match[2])

    def run(self, *words: str | Path, **variables: str) -> Outcome:
        """Run the client."""
        moved = [self.moved(word) if isinstance(word, str) else word for word in words]
        return self.client(*moved, environment=self.environment | variables)

    def replay(self, run: ClientRun, *more: str | Path) -> Outcome:
        """Run what the original ran."""
        return self.run(*run.words, *more, **run.variables)
