"""Following the log of a task until it ends, as the original's programs do: one look a second (tasks-and-jobs.md 3)."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from pbstore.client.answers import number_of, rows_of, text_of
from pbstore.errors import ProtocolError

LINES_A_LOOK = 500
PAUSE_SECONDS = 1.0
_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[+-]\d{2}:\d{2}|Z): ")


class TaskServer(Protocol):
    """What is needed of a server."""

    def get(self, path: str) -> Any:
        """The `data` of an answer."""

    def get_envelope(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A whole answer."""

    def delete(self, path: str) -> Any:
        """The `data` of the answer to a DELETE."""


def task_path(upid: str) -> str:
    """Where the server has a task."""
    return f"nodes/localhost/tasks/{quote(upid, safe='')}"


class TaskFollower:
    """One task; `show` gets each line of its log without the time. `run` may be called again after an interruption."""

    def __init__(self, server: TaskServer, upid: str, show: Callable[[str], None]):
        self._server = server
        self._path = task_path(upid)
        self._show = show
        self._next_line = 1

    def run(self) -> str:
        """Show lines until the task has ended, and return how: `OK`, `WARNINGS: n`, `unknown` or an error.

        Raises:
            ServerError, ConnectionFailedError, ProtocolError: the server cannot be asked.
        """
        while self._look():
            time.sleep(PAUSE_SECONDS)
        status = self._server.get(f"{self._path}/status")
        if not isinstance(status, dict):
            raise ProtocolError("the server's status of a task is no object")
        return text_of(status, "exitstatus") if "exitstatus" in status else "unknown"

    def stop(self) -> None:
        """Ask the task to stop; `run` sees its end."""
        self._server.delete(self._path)

    def _look(self) -> bool:
        """Show what is there by now; return whether more may come."""
        while True:
            wanted = {"start": self._next_line, "limit": LINES_A_LOOK, "test-status": 1}
            answer = self._server.get_envelope(f"{self._path}/log", wanted)
            lines = rows_of(answer.get("data"))
            for line in lines:
                if number_of(line, "n") != self._next_line:
                    raise ProtocolError(f"the server's log of a task skips line {self._next_line}")
                self._next_line += 1
                self._show(_TIME.sub("", text_of(line, "t")))
            if len(lines) < LINES_A_LOOK:
                return bool(answer.get("active"))


def is_success(exit_status: str) -> bool:
    """Whether a task did what it should, if with warnings."""
    return exit_status == "OK" or exit_status.startswith("WARNINGS")
