"""What long work on a datastore needs of its worker task."""

from typing import Protocol


class WorkLog(Protocol):
    """A worker task as the work sees it."""

    def log(self, text: str) -> None:
        """Add a line."""

    def warn(self, text: str) -> None:
        """Add a line that counts as warning."""

    def check_abort(self) -> None:
        """Return unless the work shall stop.

        Raises:
            AbortedError: it shall.
        """
