"""Type at a program that runs on a real terminal of its own."""

import os
import pty
import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

PROMPT = rb"assword[^:]*: |\(y/n\): "


def type_at(
    command: Sequence[str],
    answers: Sequence[bytes],
    environment: Mapping[str, str],
    *,
    directory: Path | None = None,
) -> tuple[int, str]:
    """Run the command, give one answer at each prompt, return its exit code and what the terminal showed."""
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        command,
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env=environment,
        cwd=directory,
        start_new_session=True,
    )
    os.close(secondary)
    # A prompt that never comes must fail the test, not hang it.
    guard = threading.Timer(40, process.kill)
    guard.start()
    shown, waiting = b"", list(answers)
    try:
        while data := _read(primary):
            shown += data
            if waiting and len(re.findall(PROMPT, shown)) > len(answers) - len(waiting):
                os.write(primary, waiting.pop(0))
    finally:
        process.wait()
        guard.cancel()
        os.close(primary)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""
