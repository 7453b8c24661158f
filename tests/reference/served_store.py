"""A store of an original, copied and served by a real server of ours, and what the original's own server answered."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from pbstore.config.roots import Roots
from running_server import Answer, RunningServer

USER, PASSWORD = "test@pbs", "Test12345"


class ServedStore:
    """The server; `test@pbs` may do everything."""

    def __init__(self, root: Path, name: str, datastore: Path, certificate: Roots):
        self.path = root / name
        shutil.copytree(datastore, self.path)
        self.server = RunningServer(root / "server")
        for file in ("certificate", "certificate_key"):
            shutil.copy2(getattr(certificate, file), getattr(self.server.roots, file))
        self.server.create_user(USER, PASSWORD)
        self.server.grant("/", USER, "Admin")
        self.server.add_datastore(name, self.path)
        self.server.start()
        self.headers = self.server.login(USER, PASSWORD)

    def get(self, target: str) -> Answer:
        """Ask for something below `/api2/json` whose query is encoded already."""
        return self.server.request("GET", f"/api2/json{target.removeprefix('/api2/json')}", headers=self.headers)


@dataclass(frozen=True)
class RecordedDownload:
    """A request that was answered with bytes."""

    target: str
    size: int
    sha256: str


def recorded_download(fixtures: Path, name: str) -> RecordedDownload:
    """Look a download up by its name."""
    index = (fixtures / "api" / "INDEX.txt").read_text()
    match = re.search(rf"^{name}: GET (\S+) .*body (\d+) bytes sha256 ([0-9a-f]{{64}})", index, re.M)
    assert match is not None, f"no download is called {name}"
    return RecordedDownload(match[1], int(match[2]), match[3])
