"""The desk's digest: what ends in a whole workspace, counted, and what nobody has reacted to. In pages of a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.digests import (
    HORIZON,
    IGNORED_WITHIN,
    PAST,
    Ending,
    Reader,
    counts_by_day,
    desk_is_due,
    is_morning,
    is_newly_ignored,
    next_morning,
)
from bot.domain.features import FeatureKey
from bot.domain.year_notices import DeskDigest, EndingRef, calendar_of
from bot.ports import Database, Work

#: rows in memory at once
_PAGE = 2000
#: ignored endings that are named; the rest is a number
_NAMED = 20
_DAY = timedelta(days=1)


@dataclass(slots=True)
class _Sum:
    """A workspace's endings in one pass."""

    counts: dict[tuple[date, FeatureKey], int] = field(default_factory=dict)
    ignored: list[EndingRef] = field(default_factory=list)
    more_ignored: int = 0
    any_new: bool = False


class DeskDigests:
    """Plans and previews what the support channel reads."""

    def __init__(self, database: Database, *, tz: str) -> None:
        """`tz` is the channel's zone until an agent sets another."""
        self._database = database
        self._tz = tz

    async def plan(self, reader: Reader, now: datetime, *, ahead: bool = False) -> bool:
        """The channel's digest of this morning, if there is something to say; turns it to the next one either way, unless
        the morning is still `ahead`.
        """
        reader = self._placed(reader)
        zone = ZoneInfo(reader.tz)
        today = now.astimezone(zone).date()
        then = next_morning(now, zone=zone, hour=reader.hour)
        digest = None
        if is_morning(now, zone=zone, hour=reader.hour):
            found = await self._sum(reader, now)
            if found.any_new or desk_is_due(reader, today=today, ends_soon=bool(found.counts)):
                digest = _digest(found, reader, today)
        async with self._database.begin() as work:
            if digest is None:
                if not ahead:
                    await work.readers.pass_over([(reader, then)])
                return False
            turned = ahead or await work.readers.turn([reader], last_day=today, next_at=then)
            period = f"digest:{today.isoformat()}"
            if not turned or not await work.announcements.first_time(reader.team_id, reader.recipient, period, at=now):
                return False
            await work.outbox.tell(reader.team_id, reader.recipient, digest)
        return True

    async def preview(self, team_id: str, channel_id: str, *, now: datetime) -> DeskDigest | None:
        """What the channel would read now; None when nothing ends and nothing was ignored."""
        async with self._database.read() as work:
            reader = self._placed(
                await work.readers.get(team_id, channel_id) or Reader(team_id, channel_id, None, tz="")
            )
        found = await self._sum(reader, now)
        if not found.counts and not found.ignored:
            return None
        return _digest(found, reader, now.astimezone(ZoneInfo(reader.tz)).date())

    def _placed(self, reader: Reader) -> Reader:
        return reader if reader.tz else replace(reader, tz=self._tz)

    async def _sum(self, reader: Reader, now: datetime) -> _Sum:
        found = _Sum()
        after: tuple[object, ...] | None = None
        while True:
            async with self._database.read() as work:
                page = await work.endings.of_team(
                    reader.team_id,
                    since=now - PAST * _DAY,
                    until=now + (HORIZON + 1) * _DAY,
                    after=after,
                    limit=_PAGE,
                )
                await self._add(work, found, page, reader, now)
            if len(page) < _PAGE:
                return found
            last = page[-1]
            after = (last.ends_at, last.store.id, last.feature.value)

    @staticmethod
    async def _add(work: Work, found: _Sum, page: Sequence[Ending], reader: Reader, now: datetime) -> None:
        zone = ZoneInfo(reader.tz)
        today = now.astimezone(zone).date()
        ahead = [ending for ending in page if 0 <= ending.days_left(today, zone) <= HORIZON]
        _merge(found.counts, counts_by_day(ahead, zone=zone))
        pressing = [ending for ending in page if ending.days_left(today, zone) <= IGNORED_WITHIN]
        reacted = await work.endings.reacted(pressing, now=now) if pressing else set()
        for ending in pressing:
            if (ending.store.id, ending.feature) in reacted:
                continue
            found.any_new = found.any_new or is_newly_ignored(ending.days_left(today, zone), reader, today=today)
            if len(found.ignored) >= _NAMED:
                found.more_ignored += 1
                continue
            seller = await work.sellers.get(reader.team_id, ending.seller_id)
            members = [] if seller is None else await work.sellers.members(seller)
            found.ignored.append(EndingRef.of(ending, tuple(members[:3])))


def _merge(into: dict[tuple[date, FeatureKey], int], counts: Mapping[tuple[date, FeatureKey], int]) -> None:
    for key, count in counts.items():
        into[key] = into.get(key, 0) + count


def _digest(found: _Sum, reader: Reader, today: date) -> DeskDigest:
    return DeskDigest(
        period=today.isoformat(),
        tz=reader.tz,
        calendar=calendar_of(found.counts),
        ignored=tuple(found.ignored),
        more_ignored=found.more_ignored,
        before=reader.last_day.isoformat() if reader.last_day else "",
    )
