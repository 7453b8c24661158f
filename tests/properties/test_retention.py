"""The selection of snapshots beside a slow twin written from the specification alone (datastore-layout.md 6)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_zone import local_zone
from pbstore.datastore.retention import Candidate, Mark, Retention, select
from pbstore.model.backup import BackupGroup, Snapshot

GROUP = BackupGroup.parse("host/elsa")
ZONES = ("UTC", "Europe/Vienna", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu")
FORMS = {"hourly": "%Y/%m/%d/%H", "daily": "%Y/%m/%d", "weekly": "%G/%V", "monthly": "%Y/%m", "yearly": "%Y"}
NAMES = ("last", *FORMS)


def twin(candidates: list[Candidate], options: dict[str, int], zone: str) -> list[str]:
    """The marks, newest first: step by step over plain lists."""
    ordered = sorted(candidates, key=lambda one: one.snapshot.backup_time, reverse=True)
    marks = ["" for _ in ordered]
    for place, one in enumerate(ordered):
        if not one.is_finished:
            marks[place] = "keep-partial" if place == 0 else "remove"
    for name in NAMES:
        if name not in options:
            continue
        ids = []
        for one in ordered:
            when = datetime.fromtimestamp(one.snapshot.backup_time, UTC)
            ids.append(when.isoformat() if name == "last" else when.astimezone(ZoneInfo(zone)).strftime(FORMS[name]))
        already = [ids[place] for place, mark in enumerate(marks) if mark == "keep"]
        chosen: list[str] = []
        for place, one in enumerate(ordered):
            if marks[place]:
                continue
            if one.is_protected:
                marks[place] = "protected"
            elif ids[place] in already:
                continue
            elif ids[place] in chosen:
                marks[place] = "remove"
            elif len(chosen) == options[name]:
                break
            else:
                chosen.append(ids[place])
                marks[place] = "keep"
    if not options:
        marks = ["keep" if one.is_finished else "keep-partial" for one in ordered]
    return ["protected" if one.is_protected else mark or "remove" for mark, one in zip(marks, ordered, strict=True)]


def times() -> st.SearchStrategy[int]:
    """Close to each other, also around changes of the clock, or anywhere."""
    changes = [1711846800, 1729990800, 1696089600, 1712404800, 1325239200]
    near = st.builds(
        lambda change, steps, odd: change + steps * 1800 + odd,
        st.sampled_from(changes),
        st.integers(-400, 400),
        st.sampled_from([0, 0, 1, 59]),
    )
    return near | st.integers(1, 4_000_000_000)


@st.composite
def groups(draw: st.DrawFn) -> list[Candidate]:
    """Snapshots in any order; most are finished and unprotected."""
    often = st.sampled_from([True, True, True, True, False])
    drawn = draw(st.sets(times(), max_size=40))
    return [
        Candidate(Snapshot(GROUP, time), draw(often), not draw(often)) for time in draw(st.permutations(sorted(drawn)))
    ]


OPTIONS = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 6))


@pytest.mark.parametrize("zone", ZONES)
@given(candidates=groups(), options=OPTIONS)
def test_same_as_the_twin(zone: str, candidates: list[Candidate], options: dict[str, int]) -> None:
    with local_zone(zone):
        marks = select(candidates, Retention(**options))
    assert [str(mark) for mark in marks.values()] == twin(candidates, options, zone)


@given(candidates=groups(), options=OPTIONS)
def test_what_always_holds(candidates: list[Candidate], options: dict[str, int]) -> None:
    marks = select(candidates, Retention(**options))
    assert set(marks) == {one.snapshot for one in candidates}
    for one in candidates:
        assert (marks[one.snapshot] is Mark.PROTECTED) == one.is_protected
    finished = [one.snapshot for one in candidates if one.is_finished and not one.is_protected]
    if finished:
        assert marks[max(finished)] is Mark.KEEP
    if options:
        assert list(marks.values()).count(Mark.KEEP) <= sum(options.values())
    else:
        assert Mark.REMOVE not in marks.values()
