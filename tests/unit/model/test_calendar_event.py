"""Calendar events: the examples of config-files.md 8.1."""

from datetime import UTC, datetime

import pytest

from local_zone import local_zone
from pbstore.errors import FormatError
from pbstore.model.calendar_event import CalendarEvent


def following(text: str, count: int = 1, after: int = 0) -> list[str]:
    event = CalendarEvent.parse(text)
    found = []
    for _ in range(count):
        moment = event.next_after(after)
        assert moment is not None
        assert moment > after
        found.append(datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S"))
        after = moment
    return found


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", "1970-01-01 01:00:00"),
        ("*", "1970-01-01 00:01:00"),
        ("*:*", "1970-01-01 00:01:00"),
        ("*:*:*", "1970-01-01 00:00:01"),
        ("*:3:5", "1970-01-01 00:03:05"),
        ("mon 2:50", "1970-01-05 02:50:00"),
        ("thu", "1970-01-08 00:00:00"),
        ("4..10/2:0", "1970-01-01 04:00:00"),
        ("5,10:4,8", "1970-01-01 05:04:00"),
        ("10,5:8,4", "1970-01-01 05:04:00"),
        ("*:0/15", "1970-01-01 00:15:00"),
        ("02-29", "1972-02-29 00:00:00"),
        ("2020-07-31", "2020-07-31 00:00:00"),
        ("Sat *-1..7 15:00", "1970-01-03 15:00:00"),
        ("*-05", "1970-01-05 00:00:00"),
        ("daily", "1970-01-02 00:00:00"),
        ("weekly", "1970-01-05 00:00:00"),
        ("monthly", "1970-02-01 00:00:00"),
        ("quarterly", "1970-04-01 00:00:00"),
        ("yearly", "1971-01-01 00:00:00"),
        ("Monday..Wednesday 1:00", "1970-01-05 01:00:00"),
        ("fri..mon 1:00", "1970-01-02 01:00:00"),
        ("5/0:0", "1970-01-01 05:00:00"),
    ],
)
def test_the_next_one(text: str, expected: str) -> None:
    assert following(f"{text} UTC") == [expected]


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("4..10/2:0", "1970-01-01 05:00:00", "1970-01-01 06:00:00"),
        ("4..10/2:0", "1970-01-01 11:00:00", "1970-01-02 04:00:00"),
        ("2020-7..9-2/2", "2020-07-31 00:00:00", "2020-08-02 00:00:00"),
        ("mon..fri 8..17,22:0/15", "2026-06-05 17:45:00", "2026-06-05 22:00:00"),
        ("mon..fri 8..17,22:0/15", "2026-06-05 22:45:00", "2026-06-08 08:00:00"),
    ],
)
def test_the_next_one_after(text: str, after: str, expected: str) -> None:
    assert following(f"{text} UTC", after=at(after)) == [expected]


def test_a_row() -> None:
    hours = ["05", "07", "09", "11", "13", "15", "17", "19", "21", "23"]
    assert following("5/2:0 UTC", 10) == [f"1970-01-01 {hour}:00:00" for hour in hours]


@pytest.mark.parametrize("text", ["2021-02-29", "02-30", "1980-01-01"])
def test_never(text: str) -> None:
    assert CalendarEvent.parse(f"{text} UTC").next_after(at("2021-01-01 00:00:00")) is None


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "UTC", "frday", "mo", "10..5:0", "24:0", "0:60", "13-01", "01-32", "2200-01-01", "1..2..3", "1/",
        "a b", "1:2:3:4", "mon,", "1,,2", "*..5", "x" * 2000, "-1", "1-2-3-4", "daily 5:00", "1:\n2",
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(FormatError, match="unable to parse calendar event"):
        CalendarEvent.parse(text)


def test_local_time_goes_on_where_clocks_change() -> None:
    with local_zone("Europe/Berlin"):
        event = CalendarEvent.parse("2:30")
        moments = [at("2026-03-27 12:00:00")]
        for _ in range(3):
            following_moment = event.next_after(moments[-1])
            assert following_moment is not None
            moments.append(following_moment)
    # 2:30 does not exist on the 29th: the clock shows 3:30 then.
    texts = [datetime.fromtimestamp(moment, UTC).strftime("%d %H:%M") for moment in moments[1:]]
    assert texts == ["28 01:30", "29 01:30", "30 00:30"]
