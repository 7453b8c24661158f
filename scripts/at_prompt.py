"""Answer the password prompts of a program that insists on a terminal."""

import os
import pty
from collections.abc import Mapping, Sequence
from pathlib import Path

from local_server import BIN


def answer_prompts(
    password: str, command: Sequence[str | Path], environment: Mapping[str, str], directory: Path
) -> tuple[int, str]:
    """Run one of our commands in `directory`, type `password` at each prompt; its exit code and what it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(directory)
        os.execve(BIN / command[0], [str(word) for word in command], dict(environment))
    shown = b""
    answered = 0
    while data := _read(terminal):
        shown += data
        while shown.count(b"assword: ") > answered:
            os.write(terminal, password.encode() + b"\n")
            answered += 1
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode(errors="replace")


def _read(terminal: int) -> bytes:
    """Read what is there; nothing at the end, which a terminal tells by an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
