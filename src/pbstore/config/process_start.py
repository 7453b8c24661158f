"""When a process started: tells a running one from another that got its id later."""

import os
from pathlib import Path

PROC = Path("/proc")


def process_start(pid: int | None = None) -> int | None:
    """Return the start of a process (this one by default) in jiffies since boot; None if there is no such process."""
    try:
        text = (PROC / str(os.getpid() if pid is None else pid) / "stat").read_text(errors="replace")
        # The name of the program may contain blanks and brackets: count from the last bracket on.
        return int(text.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
