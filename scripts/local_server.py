"""A `pbstore serve` of our own on loopback, everything below one folder: for the demonstration and the benches."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
READY = re.compile(
    r"https://(?P<host>[^/\s]+):(?P<port>\d+).*?(?P<fingerprint>[0-9a-f]{2}(?::[0-9a-f]{2}){31})", re.DOTALL
)


def free_port(wanted: int) -> int:
    """The wanted port on 127.0.0.1, or if it is taken 0, which means any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


class LocalServer:
    """The running server: `port`, `fingerprint` of its certificate, `pid`."""

    def __init__(self, folder: Path, wanted_port: int = 0):
        self.environment = {**os.environ, "PBSTORE_ROOT": str(folder)}
        self.log = folder / "serve.log"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        listen = f"127.0.0.1:{free_port(wanted_port)}"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [BIN / "pbstore", "serve", "--listen", listen],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        ready = ""
        assert self._process.stdout is not None
        while not (match := READY.search(ready)):
            line = self._process.stdout.readline()
            if not line:
                lines = self.log.read_text().splitlines() or ["it said nothing"]
                raise SystemExit(f"Error: the server did not start: {lines[-1]}")
            ready += line
        self.port = int(match["port"])
        self.fingerprint = match["fingerprint"]

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process still lives."""
        return self._process.poll() is None

    def cpu_seconds(self) -> float:
        """User and system time that the server has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait(self) -> int:
        """Wait until the server ends."""
        return self._process.wait()

    def stop(self) -> None:
        """Ask the server to end, and see it done."""
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
