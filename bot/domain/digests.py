"""Digests: what ends soon, who is told when, and in which order. Days are the reader's own calendar days.

A reader hears of an end weekly from 30 days before it, then 14, 7, 3 and 1 days before, and on the day. What was told is not
kept for each grant: the day of the reader's last digest says which of these days were passed since, so that whoever slept
through some of them is told once, with the present number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from zoneinfo import ZoneInfo

from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import EXPIRING_WITHIN
from bot.domain.notices import StoreRef

#: days before an end from which on it is spoken of every week
HORIZON = EXPIRING_WITHIN.days
#: days before an end at which it is told whatever the weekday; 0 is the day itself
MILESTONES = (14, 7, 3, 1, 0)
#: days after which an end is history
PAST = 7
#: days before an end from which on the desk hears of it when nobody has reacted
IGNORED_WITHIN = 3
#: how long *snooze* lasts
SNOOZE = timedelta(days=7)
#: how long a link that was asked for counts as a reaction; afterwards it came to nothing
LINK_COUNTS = timedelta(days=7)

DEFAULT_HOUR = 9
#: Monday
DEFAULT_WEEKDAY = 0
#: a morning that was slept through is made up for within so many hours, on the same day; afterwards the next one counts
LATEST = 12


class Quieting(StrEnum):
    """What a person can press under a digest."""

    SNOOZE = "snooze"
    #: no word until it has ended
    KNOW = "know"


@dataclass(frozen=True, slots=True)
class Quiet:
    """One person wants no word of one end."""

    user_id: str
    ends_at: datetime
    #: None: until it has ended
    until: datetime | None
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """A grant with the moment it ends."""

    seller_id: str
    store: StoreRef
    feature: FeatureKey
    ends_at: datetime
    #: since when it stands as it does; an older digest could not know of it
    since: datetime
    quiets: tuple[Quiet, ...] = ()

    def days_left(self, today: date, zone: ZoneInfo) -> int:
        """Calendar days of the reader's; negative once it has ended."""
        return (self.ends_at.astimezone(zone).date() - today).days


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who is told what ends: a member in their DM, or the desk in its channel (then without a seller)."""

    team_id: str
    recipient: str
    seller_id: str | None
    #: an IANA name; empty for a person whose zone nobody has asked for yet
    tz: str = "UTC"
    hour: int = DEFAULT_HOUR
    weekday: int = DEFAULT_WEEKDAY
    #: their own day of the last digest
    last_day: date | None = None
    #: the next morning to think of them; None: they want no digests
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of a digest: in so many days, this stops for these stores."""

    feature: FeatureKey
    days_left: int
    endings: tuple[Ending, ...]

    @property
    def stores(self) -> int:
        return len(self.endings)


# --- mornings --------------------------------------------------------------------------------------------------------


def next_morning(after: datetime, *, zone: ZoneInfo, hour: int) -> datetime:
    """The next moment after `after` at which clocks there show `hour`. An hour that a clock change leaves out comes an hour
    later, one that it repeats comes once.
    """
    day = after.astimezone(zone).date()
    while (morning := _at(day, hour, zone)) <= after:
        day += timedelta(days=1)
    return morning


def is_morning(now: datetime, *, zone: ZoneInfo, hour: int) -> bool:
    """Whether `now` is the reader's morning, or so little later that it still counts."""
    local = now.astimezone(zone)
    return _at(local.date(), hour, zone) <= now and local.hour < hour + LATEST


def _at(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


# --- what to say -----------------------------------------------------------------------------------------------------


def plan(endings: Sequence[Ending], reader: Reader, *, now: datetime) -> tuple[Ending, ...]:
    """What the reader's digest of today speaks of, soonest first; nothing when there is nothing new to say.

    One reason is enough to write; then everything that ends soon is in it, so that it need not be told tomorrow.
    """
    zone = ZoneInfo(reader.tz)
    today = now.astimezone(zone).date()
    told: list[tuple[Ending, int]] = []
    reason = False
    for ending in endings:
        left = ending.days_left(today, zone)
        if left > HORIZON or is_quiet(ending, reader.recipient, left=left, now=now):
            continue
        due = _is_due(ending, reader, left=left, today=today, zone=zone, now=now)
        reason = reason or due
        if due or left >= 0:
            told.append((ending, left))
    return in_order(ending for ending, _ in told) if reason else ()


def is_quiet(ending: Ending, user_id: str, *, left: int, now: datetime) -> bool:
    """Whether the person asked for silence about this end. The end itself breaks an *I know*."""
    for quiet in ending.quiets:
        if quiet.user_id == user_id and quiet.ends_at == ending.ends_at:
            return left > 0 if quiet.until is None else now < quiet.until
    return False


def _is_due(ending: Ending, reader: Reader, *, left: int, today: date, zone: ZoneInfo, now: datetime) -> bool:
    """Whether a day on which this end is told lies between the last digest and today."""
    known_on = ending.since.astimezone(zone).date()
    last = reader.last_day
    never = last is None or known_on >= last
    before = HORIZON + 1 if last is None or never else left + (today - last).days
    if any(left <= milestone < before for milestone in MILESTONES):
        return True
    if left > MILESTONES[0]:
        weekday = today - timedelta(days=(today.weekday() - reader.weekday) % 7)
        fresh = weekday >= known_on if last is None or never else weekday > last
        if fresh and left + (today - weekday).days <= HORIZON:
            return True
    return left >= 0 and _has_woken(ending, reader, now=now, zone=zone)


def _has_woken(ending: Ending, reader: Reader, *, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a snooze ran out since the last digest."""
    return any(
        quiet.user_id == reader.recipient
        and quiet.ends_at == ending.ends_at
        and quiet.until is not None
        and quiet.until <= now
        and (reader.last_day is None or quiet.until.astimezone(zone).date() > reader.last_day)
        for quiet in ending.quiets
    )


_RANK: Mapping[FeatureKey, int] = MappingProxyType({key: rank for rank, key in enumerate(FEATURES)})


def in_order(endings: Iterable[Ending]) -> tuple[Ending, ...]:
    """Soonest first; of the same day, orders before stock: money stops first."""
    return tuple(sorted(endings, key=lambda one: (one.ends_at, _RANK[one.feature], one.store.label, one.store.id)))


def lines_of(endings: Iterable[Ending], *, today: date, zone: ZoneInfo) -> tuple[Line, ...]:
    """The endings as sentences: what has ended, then what ends, by the day and by what stops."""

    def key(ending: Ending) -> tuple[int, int]:
        return ending.days_left(today, zone), _RANK[ending.feature]

    return tuple(
        Line(feature=list(FEATURES)[rank], days_left=left, endings=tuple(group))
        for (left, rank), group in groupby(sorted(endings, key=key), key=key)
    )


def quiet_until(kind: Quieting, endings: Sequence[Ending], *, now: datetime, zone: ZoneInfo) -> datetime | None:
    """How long a press lasts: a snooze a week, but never beyond the day before an end. Always until a day of the reader's
    begins, so that its morning speaks again.
    """
    if kind is Quieting.KNOW:
        return None
    today = now.astimezone(zone).date()
    days = [ending.days_left(today, zone) - 1 for ending in endings if ending.ends_at > now]
    return _at(today + timedelta(days=max(1, min([SNOOZE.days, *days]))), 0, zone)


# --- the desk --------------------------------------------------------------------------------------------------------


def counts_by_day(endings: Iterable[Ending], *, zone: ZoneInfo) -> dict[tuple[date, FeatureKey], int]:
    """How many stores lose a feature on a day of the reader's: as many entries as there are days, however many stores."""
    counts: dict[tuple[date, FeatureKey], int] = {}
    for ending in endings:
        key = (ending.ends_at.astimezone(zone).date(), ending.feature)
        counts[key] = counts.get(key, 0) + 1
    return counts


def desk_is_due(reader: Reader, *, today: date, ends_soon: bool) -> bool:
    """The desk reads weekly, when something ends within 30 days; what was ignored it reads on the day."""
    weekday = today - timedelta(days=(today.weekday() - reader.weekday) % 7)
    return ends_soon and (reader.last_day is None or weekday > reader.last_day)


def is_newly_ignored(left: int, reader: Reader, *, today: date) -> bool:
    """Whether one of the last days was passed since the desk's last digest."""
    before = IGNORED_WITHIN + 1 if reader.last_day is None else left + (today - reader.last_day).days
    return any(left <= milestone < before for milestone in MILESTONES if milestone <= IGNORED_WITHIN)
