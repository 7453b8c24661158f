"""Time a command as a whole: wall seconds and CPU seconds of it and its children."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """What a run cost. `server_cpu_seconds` is what another process spent for it meanwhile."""

    wall_seconds: float
    cpu_seconds: float
    server_cpu_seconds: float = 0.0

    @property
    def total_cpu_seconds(self) -> float:
        """CPU of both sides."""
        return self.cpu_seconds + self.server_cpu_seconds


def measure(command: Sequence[str | Path], environment: Mapping[str, str]) -> Measured:
    """Run the command to its end, silently.

    Raises:
        RuntimeError: it failed; the text has what it printed.
    """
    before = os.times()
    start = time.perf_counter()
    done = subprocess.run(command, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    wall = time.perf_counter() - start
    after = os.times()
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.decode(errors='replace')}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(wall, cpu)
