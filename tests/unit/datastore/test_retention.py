"""Which snapshots are kept: the vectors of datastore-layout.md 6, and local time."""

from collections.abc import Iterator

import pytest

from local_zone import local_zone
from pbstore.datastore.retention import Candidate, Mark, Retention, select
from pbstore.model.backup import Snapshot


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    """The vectors are those of UTC."""
    with local_zone("UTC"):
        yield


def snapshot(text: str) -> Snapshot:
    """`2019-11-15T09:39:15`, seconds may be left out."""
    return Snapshot.parse(f"vm/100/{text if text.count(':') == 2 else f'{text}:00'}Z")


def chosen(names: str, retention: Retention, *, unfinished: str = "", protected: str = "") -> dict[str, Mark]:
    """Select among finished, unfinished and protected snapshots; what stays, by the text of its time."""
    candidates = [Candidate(snapshot(name)) for name in names.split()]
    candidates += [Candidate(snapshot(name), is_finished=False) for name in unfinished.split()]
    candidates += [Candidate(snapshot(name), is_protected=True) for name in protected.split()]
    marks = select(candidates, retention)
    assert list(marks) == sorted(marks, reverse=True)
    return {one.time_text[:16]: mark for one, mark in marks.items() if mark is not Mark.REMOVE}


DAY = "2019-11-15T09:39:15 2019-11-15T10:39:15 2019-11-15T10:49:15 2019-11-15T10:59:15"
B = f"{DAY} 2019-12-30T22:00 2019-12-31T22:00 2020-01-01T22:00"
DEC_30, DEC_31, JAN_1 = "2019-12-30T22:00", "2019-12-31T22:00", "2020-01-01T22:00"


@pytest.mark.parametrize(
    ("retention", "kept"),
    [
        (Retention(daily=2), [JAN_1, DEC_31]),
        (Retention(last=2, daily=1), [JAN_1, DEC_31, DEC_30]),
        (Retention(weekly=2, monthly=1), [JAN_1, "2019-11-15T10:59"]),
        (Retention(hourly=1, yearly=1), [JAN_1, DEC_31]),
        (Retention(last=100), [f"{text[:16]}" for text in reversed(B.split())]),
    ],
)
def test_vectors(retention: Retention, kept: list[str]) -> None:
    assert chosen(B, retention) == dict.fromkeys(kept, Mark.KEEP)


def test_only_the_newest_of_all_may_be_unfinished() -> None:
    kept = chosen(B, Retention(last=1), unfinished="2020-01-02T01:00 2019-12-31T23:00")
    assert kept == {"2020-01-02T01:00": Mark.KEEP_PARTIAL, JAN_1: Mark.KEEP}
    assert chosen(B, Retention(last=1), unfinished="2019-12-31T23:00") == {JAN_1: Mark.KEEP}


def test_protected_ones_use_up_no_slot() -> None:
    kept = chosen(f"{DEC_30} {DEC_31}", Retention(last=1), protected=JAN_1)
    assert kept == {JAN_1: Mark.PROTECTED, DEC_31: Mark.KEEP}
    kept = chosen(JAN_1, Retention(last=1), protected=DEC_30)
    assert kept == {JAN_1: Mark.KEEP, DEC_30: Mark.PROTECTED}


def test_protection_saves_unfinished_ones() -> None:
    old = Candidate(snapshot(DEC_30), is_finished=False, is_protected=True)
    marks = select([old, Candidate(snapshot(JAN_1))], Retention(last=1))
    assert marks == {snapshot(JAN_1): Mark.KEEP, snapshot(DEC_30): Mark.PROTECTED}


def test_hours() -> None:
    names = " ".join(f"2019-11-15T{time}:15" for time in ("09:39", "10:49", "10:59", "11:39", "11:49", "11:59"))
    assert list(chosen(names, Retention(hourly=3))) == ["2019-11-15T11:59", "2019-11-15T10:59", "2019-11-15T09:39"]


def test_nothing_set_keeps_everything() -> None:
    assert Retention().keeps_all
    kept = chosen(f"{DEC_30} {DEC_31}", Retention(), unfinished="2019-12-01T00:00", protected=JAN_1)
    assert kept == {
        JAN_1: Mark.PROTECTED,
        DEC_31: Mark.KEEP,
        DEC_30: Mark.KEEP,
        "2019-12-01T00:00": Mark.KEEP_PARTIAL,
    }


def test_no_snapshots() -> None:
    assert select([], Retention(last=1)) == {}


def test_days_are_those_of_the_local_zone() -> None:
    """21:30 and 22:30 UTC lie on two days in Vienna (in summer: UTC+2), on one in UTC."""
    names = "2024-07-01T21:30 2024-07-01T22:30"
    assert list(chosen(names, Retention(daily=2))) == ["2024-07-01T22:30"]
    with local_zone("Europe/Vienna"):
        assert list(chosen(names, Retention(daily=2))) == ["2024-07-01T22:30", "2024-07-01T21:30"]


def test_the_hour_that_comes_twice_is_one_hour() -> None:
    """In Vienna 2024-10-27 02:30 comes at 00:30 and at 01:30 UTC."""
    names = "2024-10-26T23:30 2024-10-27T00:30 2024-10-27T01:30"
    with local_zone("Europe/Vienna"):
        assert list(chosen(names, Retention(hourly=3))) == ["2024-10-27T01:30", "2024-10-26T23:30"]


def test_the_end_of_time() -> None:
    with local_zone("Pacific/Kiritimati"):
        assert list(chosen("9999-12-31T23:59:59", Retention(yearly=1, weekly=1))) == ["9999-12-31T23:59"]
