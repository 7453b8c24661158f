r"""Id of a task of the backup server (tasks-and-jobs.md 1).

`UPID:pbs1:00000C3F:00002A1B:0000001C:6553F100:backup:store1\x3avm-100:root@pam:`
"""

import re
from dataclasses import dataclass
from typing import Self

from pbstore.errors import FormatError
from pbstore.model.auth_id import AuthId
from pbstore.model.unit_name import escape_unit_name, unescape_unit_name

MIN_LENGTH = 36
MAX_LENGTH = 1024
NODE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?")
_WORD = re.compile(r"[^:\s/\x00-\x1f\x7f]+")
"""A type. It becomes part of a file's name, so it holds no slash, although the original's grammar has no such rule."""
PATTERN = re.compile(
    rf"UPID:({NODE.pattern}):([0-9A-Fa-f]{{8}}):([0-9A-Fa-f]{{8,9}}):([0-9A-Fa-f]{{8,16}}):([0-9A-Fa-f]{{8}})"
    rf":({_WORD.pattern}):([^:\s]*):([^:\s]+):"
)


@dataclass(frozen=True)
class Upid:
    """Who does what since when: `process_start` in jiffies since boot, `start_time` in seconds since 1970.

    `worker_id` is the plain text, empty if there is none; only `str()` escapes it.
    """

    node: str
    pid: int
    process_start: int
    task_id: int
    start_time: int
    worker_type: str
    worker_id: str
    auth_id: AuthId

    def __post_init__(self) -> None:
        if not NODE.fullmatch(self.node):
            raise FormatError(f"invalid node name {self.node!r}")
        if not _WORD.fullmatch(self.worker_type):
            raise FormatError(f"invalid worker type {self.worker_type!r}")
        bounds = ((self.pid, 8), (self.process_start, 9), (self.task_id, 16), (self.start_time, 8))
        if not all(0 <= value < 16**digits for value, digits in bounds):
            raise FormatError("invalid UPID: a number is out of range")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form.

        Raises:
            FormatError: not of the form.
        """
        match = PATTERN.fullmatch(text) if len(text) <= MAX_LENGTH else None
        if not match:
            raise FormatError(f"invalid UPID {text[:80]!r}")
        node, pid, process_start, task_id, start_time, worker_type, worker_id, auth_id = match.groups()
        return cls(
            node,
            int(pid, 16),
            int(process_start, 16),
            int(task_id, 16),
            int(start_time, 16),
            worker_type,
            unescape_unit_name(worker_id),
            AuthId.parse(auth_id),
        )

    def __str__(self) -> str:
        numbers = f"{self.pid:08X}:{self.process_start:08X}:{self.task_id:08X}:{self.start_time:08X}"
        return f"UPID:{self.node}:{numbers}:{self.worker_type}:{escape_unit_name(self.worker_id)}:{self.auth_id}:"
