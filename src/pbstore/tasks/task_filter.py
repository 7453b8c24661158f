"""Which tasks a list is to show (rest-api.md 8)."""

from dataclasses import dataclass, field

from pbstore.model.upid import Upid
from pbstore.tasks.task_log import UNKNOWN, TaskEnd

OK, WARNING, ERROR = "ok", "warning", "error"
STATUS_KINDS = (OK, WARNING, ERROR, UNKNOWN)
_STORE_PART = {
    "backup": 0,
    "garbage_collection": 0,
    "prune": 0,
    "prunejob": 0,
    "syncjob": 2,
    "verificationjob": 0,
    "verify": 0,
    "verify_group": 0,
    "verify_snapshot": 0,
}
"""Where the id of a task names its store; tasks of other types belong to none, even if they concern one."""


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """Everything, unless told. `since` and `until` are about the start; `user` and `worker_type` are parts of names."""

    store: str | None = None
    only_running: bool = False
    only_errors: bool = False
    user: str | None = None
    worker_type: str | None = None
    since: int | None = None
    until: int | None = None
    status_kinds: frozenset[str] = field(default_factory=frozenset)

    def matches(self, upid: Upid, end: TaskEnd | None) -> bool:
        """Whether a task is shown; `end` is None while it runs."""
        return self._matches_start(upid) and self._matches_end(end)

    def ends_before(self, end: TaskEnd) -> bool:
        """Whether a task that ended then, and all that ended earlier, began before `since`."""
        return self.since is not None and end.end_time < self.since

    def _matches_start(self, upid: Upid) -> bool:
        return (
            (self.store is None or store_of(upid) == self.store)
            and (self.user is None or self.user in str(upid.auth_id))
            and (self.worker_type is None or self.worker_type in upid.worker_type)
            and (self.since is None or upid.start_time >= self.since)
            and (self.until is None or upid.start_time <= self.until)
        )

    def _matches_end(self, end: TaskEnd | None) -> bool:
        if end is None:
            return not self.only_errors and not self.status_kinds
        kind = status_kind(end)
        return (
            not self.only_running
            and (not self.only_errors or kind in (ERROR, UNKNOWN))
            and (not self.status_kinds or kind in self.status_kinds)
        )


def status_kind(end: TaskEnd) -> str:
    """Return which of STATUS_KINDS an end is."""
    if end.is_success:
        return OK if end.status == "OK" else WARNING
    return UNKNOWN if end.status == UNKNOWN else ERROR


def store_of(upid: Upid) -> str | None:
    """Return the datastore that a task belongs to."""
    place = _STORE_PART.get(upid.worker_type)
    parts = upid.worker_id.split(":")
    return parts[place] if place is not None and place < len(parts) else None
