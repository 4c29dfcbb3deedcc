"""The desk's calendar: when somebody is there, and moments counted in the time that they are.

Spans are kept in the desk's own wall time and turned into moments day by day, so that a change of clocks lengthens or
shortens the night and never the working day.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
#: how far to look for an open hour before the calendar counts as one that never opens
_HORIZON_DAYS = 400
_MIDNIGHT_AFTER = "24:00"

_SPAN = re.compile(r"(\d{1,2}:\d{2})-(\d{1,2}:\d{2})")
_WEEKDAYS = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)(?:-(mon|tue|wed|thu|fri|sat|sun))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one day in wall time; an `end` of midnight is the end of that day."""

    start: time
    end: time

    @property
    def lasts_until_midnight(self) -> bool:
        return self.end == time.min


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """`week` has a span or several for each day (0 is Monday) on which the desk is open."""

    zone: ZoneInfo
    week: Mapping[int, Sequence[Span]]
    holidays: frozenset[date] = frozenset()

    def is_open(self, at: datetime) -> bool:
        return any(start <= at < end for start, end in self._around(at))

    def opens(self, at: datetime) -> datetime:
        """`at` while the desk is open, else the next moment it opens. `at` again for a calendar that never does."""
        for start, end in self._from(at):
            if at < end:
                return max(at, start)
        return at

    def after(self, at: datetime, working: timedelta) -> datetime:
        """The moment at which so much working time has passed since `at`."""
        left = working
        for start, end in self._from(at):
            begun = max(start, at)
            if begun >= end:
                continue
            if left <= end - begun:
                return begun + left
            left -= end - begun
        return at + working

    def before(self, at: datetime, working: timedelta) -> datetime:
        """The moment from which so much working time passes until `at`."""
        left = working
        for start, end in self._back_from(at):
            until = min(end, at)
            if until <= start:
                continue
            if left <= until - start:
                return until - left
            left -= until - start
        return at - working

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The working time from one moment to a later one."""
        total = timedelta()
        for opened, closed in self._from(start):
            if opened >= end:
                break
            total += max(timedelta(), min(closed, end) - max(opened, start))
        return total

    def shift_end(self, at: datetime) -> datetime | None:
        """When the desk closes for the day that `at` lies in; None while it is closed. A break at noon ends no shift."""
        today = at.astimezone(self.zone).date()
        for day in (today - _DAY, today):
            spans = list(self._on(day))
            if any(start <= at < end for start, end in spans):
                return max(end for _, end in spans)
        return None

    # --- spans as moments --------------------------------------------------------------------------------------------

    def _on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if day in self.holidays:
            return
        for span in self.week.get(day.weekday(), ()):
            start = self._moment(day, span.start)
            end = self._moment(day + _DAY, time.min) if span.lasts_until_midnight else self._moment(day, span.end)
            if start < end:
                yield start, end

    def _moment(self, day: date, wall: time) -> datetime:
        return datetime.combine(day, wall, tzinfo=self.zone).astimezone(UTC)

    def _around(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        today = at.astimezone(self.zone).date()
        for day in (today - _DAY, today):
            yield from self._on(day)

    def _from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        first = at.astimezone(self.zone).date() - _DAY
        for number in range(_HORIZON_DAYS):
            yield from self._on(first + number * _DAY)

    def _back_from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        last = at.astimezone(self.zone).date()
        for number in range(_HORIZON_DAYS):
            yield from reversed(list(self._on(last - number * _DAY)))


def read_hours(text: str) -> Mapping[int, Sequence[Span]]:
    """`Mon-Fri 09:00-12:00 13:00-18:00; Sat 10:00-14:00` as a week. Raises ValueError with what is wrong.

    A shift through the night is two spans: `Mon 22:00-24:00; Tue 00:00-06:00`.
    """
    week: dict[int, list[Span]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        days, *spans = part.split()
        match = _WEEKDAYS.fullmatch(days)
        if match is None or not spans:
            raise ValueError(f"{part!r} is not like 'Mon-Fri 09:00-18:00'")
        first = _DAYS.index(match[1].lower())
        last = _DAYS.index((match[2] or match[1]).lower())
        for offset in range((last - first) % 7 + 1):
            week.setdefault((first + offset) % 7, []).extend(_span(span) for span in spans)
    if not week:
        raise ValueError("names no hours, like 'Mon-Fri 09:00-18:00'")
    for day, found in week.items():
        found.sort(key=lambda span: span.start)
        for earlier, later in itertools.pairwise(found):
            if earlier.lasts_until_midnight or later.start < earlier.end:
                raise ValueError(f"spans of {_DAYS[day].capitalize()} overlap")
    return MappingProxyType({day: tuple(found) for day, found in week.items()})


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not like 09:00-18:00")
    try:
        start = time.fromisoformat(match[1].zfill(5))
        end = time.min if match[2] == _MIDNIGHT_AFTER else time.fromisoformat(match[2].zfill(5))
    except ValueError:
        raise ValueError(f"{text!r} holds a time that no clock shows") from None
    if match[2] != _MIDNIGHT_AFTER and end <= start:
        raise ValueError(f"{text!r} ends before it begins; a shift through the night is two spans, with 24:00")
    return Span(start, end)


def read_holidays(text: str) -> frozenset[date]:
    """`2026-10-01..2026-10-07, 2026-12-25` as days. Raises ValueError with what is wrong."""
    found: set[date] = set()
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        first, dots, last = part.partition("..")
        try:
            start = date.fromisoformat(first.strip())
            end = date.fromisoformat(last.strip()) if dots else start
        except ValueError:
            raise ValueError(
                f"{part!r} is not a day like 2026-10-01, nor a range like 2026-10-01..2026-10-07"
            ) from None
        if end < start or (end - start).days > _HORIZON_DAYS:
            raise ValueError(f"{part!r} ends before it begins, or lasts longer than a year")
        found.update(start + number * _DAY for number in range((end - start).days + 1))
    return frozenset(found)


#: nobody configured anything: working days in Shanghai, where the platform is
DEFAULT_HOURS = "Mon-Fri 09:00-18:00"
DEFAULT_ZONE = "Asia/Shanghai"


def usual_hours() -> WorkingHours:
    """The calendar when nothing is configured."""
    return WorkingHours(ZoneInfo(DEFAULT_ZONE), read_hours(DEFAULT_HOURS))
