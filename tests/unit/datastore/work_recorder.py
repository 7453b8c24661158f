"""A task's log that remembers."""

from dataclasses import dataclass, field

from pbstore.errors import AbortedError


@dataclass
class WorkRecorder:
    """What work reports; `aborts_after` is the number of looks at the wish to stop that are let through."""

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    aborts_after: int | None = None

    def log(self, text: str) -> None:
        """Remember a line."""
        self.lines.append(text)

    def warn(self, text: str) -> None:
        """Remember a warning."""
        self.warnings.append(text)

    def check_abort(self) -> None:
        """Stop the work when it is time."""
        if self.aborts_after is not None:
            self.aborts_after -= 1
            if self.aborts_after < 0:
                raise AbortedError("abort requested - aborting task")
