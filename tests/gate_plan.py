"""What a gate in front of the disk does: the plan that `system_call_gate.py` follows."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

KILL = "KILL"
GROWING = (
    "openat",
    "open",
    "write",
    "pwrite64",
    "writev",
    "ftruncate",
    "fallocate",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
)
"""Calls for which a full disk has no room."""
NAMING = ("rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir")
SYNCING = ("fsync", "fdatasync", "syncfs")
ALL_CHANGES = (*GROWING, *NAMING, *SYNCING)


@dataclass(frozen=True)
class Plan:
    """Do `action` (`KILL` or the name of an error) at the `at`-th change that fits; `stays`: at all later ones too.

    A change fits if it is one of `calls` on something in one of the directories `below`. Files are opened only where
    they are made or emptied; `at` = 0 only counts.
    """

    name: str = ""
    below: Sequence[str] = ()
    calls: Sequence[str] = ALL_CHANGES
    at: int = 0
    action: str = KILL
    stays: bool = False

    def fits(self, call: str, path: str) -> bool:
        """Whether a change counts."""
        return call in self.calls and any(path == top or path.startswith(f"{top}/") for top in self.below)

    def acts_at(self, count: int) -> bool:
        """Whether something happens to the `count`-th change."""
        return count == self.at or (self.stays and 0 < self.at <= count)

    @classmethod
    def parse(cls, text: str) -> "Plan":
        """Read what `render` wrote."""
        return cls(**json.loads(text))

    def render(self) -> str:
        """As text."""
        return json.dumps(asdict(self))
