"""Run a command line in this process, or as the installed program with `--installed`, and keep what it printed."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pbstore.cli.program import Program, run_program


@dataclass(frozen=True)
class Outcome:
    """Exit code and output of a command line."""

    exit_code: int
    stdout: str
    stderr: str


class Runner:
    """Runs one program; the environment is only what the test gives."""

    def __init__(self, program: Program, *, installed: bool):
        self.program = program
        self.installed = installed

    def __call__(self, *words: str | Path, environment: Mapping[str, str] | None = None) -> Outcome:
        arguments = [str(word) for word in words]
        variables = {"HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TZ": "UTC", **(environment or {})}
        return self._as_process(arguments, variables) if self.installed else self._here(arguments, variables)

    def _here(self, arguments: list[str], environment: Mapping[str, str]) -> Outcome:
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
        stdin = io.StringIO()
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            kept, sys.stdin = sys.stdin, stdin
            try:
                exit_code = run_program(self.program, arguments, environment)
            finally:
                sys.stdin = kept
        stdout, stderr = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[attr-defined]
        return Outcome(exit_code, stdout, stderr)

    def _as_process(self, arguments: list[str], environment: Mapping[str, str]) -> Outcome:
        path = shutil.which(self.program.name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
        assert path is not None, f"{self.program.name} is not installed beside {sys.executable}"
        done = subprocess.run(
            [path, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        return Outcome(done.returncode, done.stdout, done.stderr)
