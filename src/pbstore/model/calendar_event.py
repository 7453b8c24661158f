"""Calendar events: when something is to happen again and again (config-files.md 8.1)."""

import re
import time
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self

from pbstore.errors import FormatError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_YEAR = 2199
SHORTCUTS = {
    "minutely": "*:*",
    "hourly": "*:00",
    "daily": "00:00",
    "weekly": "mon 00:00",
    "monthly": "*-01 00:00",
    "quarterly": "01,04,07,10-01 00:00",
    "semiannually": "01,07-01 00:00",
    "semi-annually": "01,07-01 00:00",
    "yearly": "01-01 00:00",
    "annually": "01-01 00:00",
}
MAX_LENGTH = 1024
_FIELD = r"[0-9*/.,]+"
_EVENT = re.compile(
    rf"(?P<weekdays>[a-z]+(?:(?:,|\.\.)[a-z]+)*)?\s*"
    rf"(?:(?:(?P<years>{_FIELD})-)?(?P<months>{_FIELD})-(?P<days>{_FIELD})(?=\s|$))?\s*"
    rf"(?:(?:(?P<hours>{_FIELD}):)?(?P<minutes>{_FIELD})(?::(?P<seconds>{_FIELD}))?)?"
)
_ITEM = re.compile(r"(?:(\*)|([0-9]{1,4})(?:\.\.([0-9]{1,4}))?)(?:/([0-9]{1,4}))?")


@dataclass(frozen=True)
class CalendarEvent:
    """The values that each part of the time may have; `None` years are all of them. Monday is 0."""

    weekdays: frozenset[int]
    years: frozenset[int] | None
    months: tuple[int, ...]
    days: tuple[int, ...]
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]
    is_utc: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `[WEEKDAYS] [[YEARS-]MONTHS-DAYS] [[HOURS:]MINUTES[:SECONDS]] [UTC]` or a word like `daily`.

        Raises:
            FormatError: not of that form, or a value that no calendar has.
        """
        body = text.strip().lower()
        is_utc = body.endswith(" utc")
        body = body.removesuffix(" utc").strip()
        body = SHORTCUTS.get(body, body)
        match = _EVENT.fullmatch(body)
        if not body or len(text) > MAX_LENGTH or match is None:
            raise FormatError(f"unable to parse calendar event {text[:80]!r}")
        try:
            return cls._from_parts(match.groupdict(), is_utc)
        except ValueError as error:
            raise FormatError(f"unable to parse calendar event {text[:80]!r}: {error}") from None

    @classmethod
    def _from_parts(cls, parts: dict[str, str | None], is_utc: bool) -> Self:
        weekdays, years = parts["weekdays"], parts["years"]
        has_time = parts["minutes"] is not None
        return cls(
            weekdays=frozenset(range(7)) if weekdays is None else _weekdays(weekdays),
            years=None if years in (None, "*") else frozenset(_values(str(years), 1970, MAX_YEAR)),
            months=_values(parts["months"] or "*", 1, 12),
            days=_values(parts["days"] or "*", 1, 31),
            hours=_values(parts["hours"] or ("*" if has_time else "0"), 0, 23),
            minutes=_values(parts["minutes"] or "0", 0, 59),
            seconds=_values(parts["seconds"] or "0", 0, 59),
            is_utc=is_utc,
        )

    def next_after(self, last: int) -> int | None:
        """Return the first matching second behind `last`, both since 1970; None if there is none before 2200."""
        moment = datetime.fromtimestamp(last + 1, UTC) if self.is_utc else datetime.fromtimestamp(last + 1)
        to_epoch = _utc_epoch if self.is_utc else _local_epoch
        day = self._next_day(moment.date())
        while day is not None:
            found = self._first_in_day(day, last, to_epoch)
            if found is not None:
                return found
            day = self._next_day(day + timedelta(days=1))
        return None

    def _next_day(self, day: date) -> date | None:
        while day.year <= MAX_YEAR:
            if self.years is not None and day.year not in self.years:
                later = [year for year in self.years if year > day.year]
                if not later:
                    return None
                day = date(min(later), 1, 1)
            elif day.month not in self.months:
                day = day.replace(day=1) + timedelta(days=monthrange(day.year, day.month)[1])
            elif day.day in self.days and day.weekday() in self.weekdays:
                return day
            else:
                day += timedelta(days=1)
        return None

    def _first_in_day(self, day: date, last: int, to_epoch: Callable[[date, int, int, int], int]) -> int | None:
        for hour in self.hours:
            if to_epoch(day, hour, self.minutes[-1], self.seconds[-1]) <= last:
                continue
            for minute in self.minutes:
                if to_epoch(day, hour, minute, self.seconds[-1]) <= last:
                    continue
                for second in self.seconds:
                    epoch = to_epoch(day, hour, minute, second)
                    if epoch > last:
                        return epoch
        return None


def _utc_epoch(day: date, hour: int, minute: int, second: int) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC).timestamp())


def _local_epoch(day: date, hour: int, minute: int, second: int) -> int:
    return int(time.mktime((day.year, day.month, day.day, hour, minute, second, 0, 0, -1)))


def _weekdays(text: str) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        first, dots, last = item.partition("..")
        start = _weekday(first)
        length = (_weekday(last) - start) % 7 if dots else 0
        found |= {(start + offset) % 7 for offset in range(length + 1)}
    return frozenset(found)


def _weekday(name: str) -> int:
    for number, weekday in enumerate(WEEKDAYS):
        if len(name) >= 3 and weekday.startswith(name):
            return number
    raise ValueError(f"no weekday is called {name!r}")


def _values(text: str, low: int, high: int) -> tuple[int, ...]:
    found: set[int] = set()
    for item in text.split(","):
        found |= set(_item(item, low, high))
    return tuple(sorted(found))


def _item(text: str, low: int, high: int) -> Sequence[int]:
    match = _ITEM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no value, range or step")
    star, first_text, last_text, step_text = match.groups()
    step = int(step_text or 1)
    first = low if star else int(first_text)
    is_open = star or (step_text is not None and step > 0)
    last = int(last_text) if last_text is not None else high if is_open else first
    if not low <= first <= high or not low <= last <= high:
        raise ValueError(f"{text!r} is not between {low} and {high}")
    if first > last:
        raise ValueError(f"range {text!r} ends before it begins")
    return range(first, last + 1, step) if step else (first,)
