"""Which snapshots of a group to keep: the selection alone, without a disk (datastore-layout.md 6)."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pbstore.model.backup import Snapshot


class Mark(StrEnum):
    """What becomes of a snapshot; the text is that of the task log of one group."""

    KEEP = "keep"
    KEEP_PARTIAL = "keep-partial"
    REMOVE = "remove"
    PROTECTED = "protected"


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How many snapshots to keep, by what they are counted. Nothing set keeps everything."""

    last: int | None = None
    hourly: int | None = None
    daily: int | None = None
    weekly: int | None = None
    monthly: int | None = None
    yearly: int | None = None

    @property
    def options(self) -> Iterator[tuple[str, int]]:
        """Yield what is set, in the order in which it is applied."""
        for name in _KEYS:
            count: int | None = getattr(self, name)
            if count is not None:
                yield name, count

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is set."""
        return next(self.options, None) is None


@dataclass(frozen=True)
class Candidate:
    """A snapshot with what the selection asks of it."""

    snapshot: Snapshot
    is_finished: bool = True
    is_protected: bool = False


def select(candidates: Iterable[Candidate], retention: Retention) -> dict[Snapshot, Mark]:
    """Return the mark of each snapshot of one group, newest first. Periods are those of the local time zone."""
    newest_first = sorted(candidates, key=lambda candidate: candidate.snapshot, reverse=True)
    if retention.keeps_all:
        marks = {one.snapshot: Mark.KEEP if one.is_finished else Mark.KEEP_PARTIAL for one in newest_first}
    else:
        marks = _mark_unfinished(newest_first)
        for name, count in retention.options:
            _apply(newest_first, marks, _KEYS[name], count)
    return {
        one.snapshot: Mark.PROTECTED if one.is_protected else marks.get(one.snapshot, Mark.REMOVE)
        for one in newest_first
    }


def _mark_unfinished(newest_first: Sequence[Candidate]) -> dict[Snapshot, Mark]:
    """Keep an unfinished snapshot only where nothing is newer: its backup may be running."""
    return {
        one.snapshot: Mark.REMOVE if position else Mark.KEEP_PARTIAL
        for position, one in enumerate(newest_first)
        if not one.is_finished
    }


def _apply(
    newest_first: Sequence[Candidate], marks: dict[Snapshot, Mark], key_of: Callable[[Snapshot], str], count: int
) -> None:
    """Keep the newest snapshot of each of `count` periods that no earlier option has covered.

    The other snapshots of such a period are removed for good: a coarser option does not get them back.
    """
    covered = {key_of(snapshot) for snapshot, mark in marks.items() if mark is Mark.KEEP}
    selected: set[str] = set()
    for one in newest_first:
        if one.snapshot in marks:
            continue
        key = key_of(one.snapshot)
        if one.is_protected:
            marks[one.snapshot] = Mark.PROTECTED
        elif key in selected:
            marks[one.snapshot] = Mark.REMOVE
        elif key not in covered:
            if len(selected) >= count:
                return
            selected.add(key)
            marks[one.snapshot] = Mark.KEEP


def _period(form: str) -> Callable[[Snapshot], str]:
    return lambda snapshot: time.strftime(form, time.localtime(snapshot.backup_time))


_KEYS: dict[str, Callable[[Snapshot], str]] = {
    "last": lambda snapshot: snapshot.time_text,
    "hourly": _period("%Y/%m/%d/%H"),
    "daily": _period("%Y/%m/%d"),
    "weekly": _period("%G/%V"),
    "monthly": _period("%Y/%m"),
    "yearly": _period("%Y"),
}
