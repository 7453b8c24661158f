"""What a session needs of its worker task: lines in the log, and one end."""

from typing import Protocol


class SessionTask(Protocol):
    """A worker task that the session ends."""

    def log(self, text: str) -> None:
        """Add a line to the task log."""

    @property
    def abort_requested(self) -> bool:
        """Whether somebody wants the session to end."""

    def finish(self, error: str | None) -> None:
        """End the task, with the message of its failure if it failed."""


def end_message(task: SessionTask, reason: str | None) -> str | None:
    """Return why a session failed when its connection ended with `reason`; None for an orderly end."""
    if task.abort_requested:
        return "task aborted"
    return None if reason is None else f"connection error: {reason}"
