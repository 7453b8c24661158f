"""The system calls of a program, recorded by strace: what was done in which order."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TRACED = ("pwrite64", "rename", "renameat", "renameat2", "fsync", "fdatasync", "syncfs", "unlink", "unlinkat", "rmdir")
_WHOLE = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\((?P<text>.*)\) += (?P<result>-?\d+)")
_BEGUN = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\((?P<text>.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(?P<thread>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<text>.*)\) += (?P<result>-?\d+)")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_DESCRIPTOR = re.compile(r"^\d+<(.*?)>(?:, |$)")


@dataclass(frozen=True)
class SystemCall:
    """A call that succeeded; `begin` and `end` are places in the record: other calls may have run in between."""

    name: str
    text: str
    begin: int
    end: int

    @property
    def path(self) -> str:
        """What it was done to: the file of a descriptor, or the first path."""
        match = _DESCRIPTOR.match(self.text)
        return match[1] if match else self.strings[0]

    @property
    def strings(self) -> list[str]:
        """The arguments in quotes, as strace wrote them."""
        return _STRING.findall(self.text)

    def is_before(self, other: "SystemCall") -> bool:
        """Whether it was over when the other one began."""
        return self.end < other.begin


def find_strace() -> str:
    """The program; skips the test where there is none."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("no strace here, so system calls can neither be recorded nor stopped: apt-get install strace")
    return program


def strace(record: Path) -> list[str]:
    """The command that records what is behind it."""
    options = ["-D", "-f", "--seccomp-bpf", "-y", "-x", "-s", "200000"]
    return [find_strace(), *options, "-e", f"trace={','.join(TRACED)}", "-o", str(record)]


def read_record(record: Path) -> list[SystemCall]:
    """All calls of all threads that succeeded, in the order of their end."""
    return list(_parse(record.read_text(errors="replace").splitlines()))


def _parse(lines: list[str]) -> Iterator[SystemCall]:
    begun: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        if match := _BEGUN.match(line):
            begun[match["thread"]] = (number, match["text"])
        elif match := _RESUMED.match(line):
            start, text = begun.pop(match["thread"])
            if int(match["result"]) >= 0:
                yield SystemCall(match["name"], text + match["text"], start, number)
        elif (match := _WHOLE.match(line)) and int(match["result"]) >= 0:
            yield SystemCall(match["name"], match["text"], number, number)


def the_one(calls: list[SystemCall], fits: Callable[[SystemCall], bool]) -> SystemCall:
    """The only call that fits."""
    found = [call for call in calls if fits(call)]
    assert len(found) == 1, found
    return found[0]
