"""The test's end of a gate in front of the disk (`system_call_gate.py`): sets its plan, reads its record."""

import json
import platform
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gate_plan import Plan

GATE = Path(__file__).with_name("system_call_gate.py")


def gate_command(directory: Path) -> list[str]:
    """The beginning of a command line whose program is to be behind the gate; skips where the gate does not work."""
    if platform.machine() != "x86_64":
        pytest.skip("the gate in front of the disk knows the system calls of x86_64 only")
    return [sys.executable, str(GATE), str(directory)]


@dataclass(frozen=True)
class Change:
    """A change that fitted; `action` is what happened to it instead."""

    plan: str
    count: int
    call: str
    path: str
    action: str | None


class GateControl:
    """The test's end: sets plans, reads the record."""

    def __init__(self, directory: Path):
        directory.mkdir(parents=True)
        self._directory = directory
        self._names = 0

    def set(self, plan: Plan) -> str:
        """Follow a plan from now on; its name, under which its changes are found."""
        self._names += 1
        named = replace(plan, name=str(self._names))
        fresh = self._directory / "plan.new"
        fresh.write_text(named.render())
        fresh.replace(self._directory / "plan")
        return named.name

    def open(self) -> None:
        """Let everything through."""
        self.set(Plan())

    def changes(self, name: str) -> list[Change]:
        """What fitted the plan of this name."""
        lines = (self._directory / "record").read_text().splitlines()
        return [change for line in lines if (change := Change(*json.loads(line))).plan == name]
