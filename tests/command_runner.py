"""Run a command line in this process, or as the installed program with `--installed`, and keep what it printed."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pbstore.cli.program import Program, run_program


@dataclass(frozen=True)
class Outcome:
    """Exit code and output of a command line."""

    exit_code: int
    raw_stdout: bytes
    stderr: str

    @property
    def stdout(self) -> str:
        """Standard output as text."""
        return self.raw_stdout.decode()


class Runner:
    """Runs one program; the environment is only what the test gives."""

    def __init__(self, program: Program, *, installed: bool = False):
        self.program = program
        self.installed = installed

    def __call__(self, *words: str | Path, environment: Mapping[str, str] | None = None) -> Outcome:
        """Run it with nothing on standard input."""
        arguments = [str(word) for word in words]
        variables = self.variables(environment)
        return self._as_process(arguments, variables) if self.installed else self._here(arguments, variables)

    def command(self, *words: str | Path) -> list[str]:
        """The command line as a process of its own."""
        if self.installed:
            path = shutil.which(self.program.name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
            assert path is not None, f"{self.program.name} is not installed beside {sys.executable}"
            start = [path]
        else:
            module = f"pbstore.cli.{self.program.name.replace('-', '_')}.main"
            start = [sys.executable, "-c", f"from {module} import main; main()"]
        return [*start, *(str(word) for word in words)]

    def variables(self, environment: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a process: what the test gives, and the little that every program needs."""
        always = {"HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": os.pathsep.join(sys.path)}
        return {**always, **(environment or {})}

    def _here(self, arguments: list[str], environment: Mapping[str, str]) -> Outcome:
        with tempfile.TemporaryFile("w+b") as raw_stdout, tempfile.TemporaryFile("w+b") as raw_stderr:
            stdout = io.TextIOWrapper(raw_stdout, encoding="utf-8", write_through=True)
            stderr = io.TextIOWrapper(raw_stderr, encoding="utf-8", write_through=True)
            kept, sys.stdin = sys.stdin, io.StringIO()
            try:
                with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
                    exit_code = run_program(self.program, arguments, environment)
            finally:
                sys.stdin = kept
            stdout.flush()
            stderr.flush()
            outputs = []
            for raw in (raw_stdout, raw_stderr):
                raw.seek(0)
                outputs.append(raw.read())
            stdout.detach()
            stderr.detach()
        return Outcome(exit_code, outputs[0], outputs[1].decode())

    def _as_process(self, arguments: list[str], environment: Mapping[str, str]) -> Outcome:
        command = self.command(*arguments)
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr.decode())
