"""Command lines that the original `proxmox-backup-debug` ran, and what it did."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from command_runner import Runner

RUN = re.compile(
    r"^\$ proxmox-backup-debug (.*?)\n--- stdout\n(.*?)--- stderr\n(.*?)--- exit (\d+)$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class CapturedRun:
    """A command line of the original, and what it did."""

    words: list[str]
    stdout: str
    stderr: str
    exit_code: int

    def moved(self, replacements: dict[str, Path]) -> "CapturedRun":
        """The same with our paths in place of the original's."""

        def replace(text: str) -> str:
            for old, new in replacements.items():
                text = re.sub(rf"{re.escape(old)}(?=[/\s\"])", str(new), text + " ")[:-1]
            return text

        return CapturedRun(
            [replace(word) for word in self.words], replace(self.stdout), replace(self.stderr), self.exit_code
        )


def captured_runs(path: Path) -> list[CapturedRun]:
    runs = [CapturedRun(shlex.split(a), b, c, int(d)) for a, b, c, d in RUN.findall(path.read_text())]
    assert len(runs) == path.read_text().count("\n--- exit ")
    return runs


def check_run(debug: Runner, run: CapturedRun) -> None:
    """Run it; of an error, ours may say more at the end of the line, and lists without order are sorted by us."""
    outcome = debug(*run.words)
    assert outcome.exit_code == run.exit_code, outcome.stderr
    if run.stdout.startswith("{"):
        expected, found = json.loads(run.stdout), json.loads(outcome.stdout)
        assert found == {**expected, "referenced-by": sorted(expected["referenced-by"])}
        assert outcome.stdout == json.dumps(found, indent=2, sort_keys=True) + "\n"
    else:
        assert outcome.stdout == run.stdout
    if run.exit_code == 0:
        assert outcome.stderr == run.stderr
    else:
        assert outcome.stderr.startswith(run.stderr.rstrip("\n"))
        assert outcome.stderr.count("\n") == 1
