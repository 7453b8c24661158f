"""What a session needs of its worker task: lines in the log, and one end."""

from typing import Protocol


class SessionTask(Protocol):
    """A worker task that the session ends."""

    def log(self, text: str) -> None:
        """Add a line to the task log."""

    def finish(self, error: str | None) -> None:
        """End the task, with the message of its failure if it failed."""
