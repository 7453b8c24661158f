"""What a running backup or restore tells whoever watches it."""

from typing import Protocol

from pbstore import _core


class Reporter(Protocol):
    """Takes log lines and the counters of the transfer that is running; called from the working thread."""

    def info(self, text: str) -> None:
        """A line for the log."""

    def warn(self, text: str) -> None:
        """A warning line for the log."""

    def opened(self, session: _core.Session) -> None:
        """A session is open: closing it is how whoever watches can stop what waits for the server."""

    def begin(self, title: str) -> _core.Progress:
        """A transfer starts; return the counters it shall use. Its warnings are among their lines, from there on.

        Raises:
            AbortedError: the work was cancelled meanwhile.
        """

    def end(self) -> None:
        """The transfer is over: log the lines that wait in its counters."""
