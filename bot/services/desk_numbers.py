"""How the desk is doing: a week in numbers, told to the channel when the next one begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from statistics import median

from bot.domain.deadlines import Targets
from bot.domain.desk_notices import WeekInNumbers
from bot.domain.tickets import CloseReason, Ticket
from bot.ports import Clock, Database, Person, Work
from bot.ports.desk import DeskObserver, Unobserved
from bot.services.roles import Roles

_WEEK = timedelta(days=7)
#: rows of the chart by topic
_MOST = 6
#: ended by nobody's work
_NOT_WORK = frozenset({CloseReason.WITHDRAWN, CloseReason.INCIDENT, CloseReason.DUPLICATE})
#: articles that were shown are forgotten after this
_ANSWERS_KEPT = timedelta(days=100)


class DeskNumbers:
    """Counts what happened; nothing here names a seller."""

    def __init__(
        self,
        database: Database,
        *,
        roles: Roles,
        targets: Targets,
        clock: Clock,
        observe: DeskObserver | None = None,
    ) -> None:
        self._observe = observe or Unobserved()
        self._database = database
        self._roles = roles
        self._targets = targets
        self._clock = clock

    async def tell_week(self) -> int:
        """In the first open hour of a week, once, for each workspace that has a desk; how many were told."""
        now = self._clock()
        until = self._week_began(now)
        async with self._database.read() as work:
            teams = await work.tickets.teams()
            counts = [await work.answers.count(team_id, now - _WEEK, now) for team_id in teams]
        self._observe.answers_week(sum(shown for shown, _ in counts), sum(alone for _, alone in counts))
        if not self._targets.hours.is_open(now):
            return 0
        told = 0
        for team_id in teams:
            async with self._database.begin() as work:
                if not await work.marks.first(team_id, f"week:{until.date().isoformat()}", at=now):
                    continue
                week = await self._count(work, team_id, until - _WEEK, until)
                if week.opened or week.closed or week.answers:  # a week without work is no news
                    await work.outbox.tell_support(team_id, week)
                    told += 1
        async with self._database.begin() as work:
            await work.answers.prune(before=now - _ANSWERS_KEPT)
        return told

    async def last_week(self, agent: Person) -> WeekInNumbers:
        """Today and the six days before, for `/desk numbers`. Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        now = self._clock()
        zone = self._targets.hours.zone
        first = now.astimezone(zone).date() - _WEEK + timedelta(days=1)
        async with self._database.read() as work:
            return await self._count(work, agent.team_id, datetime.combine(first, time.min, tzinfo=zone), now)

    def _week_began(self, now: datetime) -> datetime:
        local = now.astimezone(self._targets.hours.zone)
        monday = local.date() - timedelta(days=local.weekday())
        return datetime.combine(monday, time.min, tzinfo=self._targets.hours.zone)

    async def _count(self, work: Work, team_id: str, since: datetime, until: datetime) -> WeekInNumbers:
        seen = await work.tickets.between(team_id, since, until)
        opened = [one for one in seen if since <= one.opened_at < until]
        closed = [
            one
            for one in seen
            if one.closed_at is not None and since <= one.closed_at < until and one.because not in _NOT_WORK
        ]
        shown, alone = await work.answers.count(team_id, since, until)
        hours = self._targets.hours
        answered = [hours.between(one.opened_at, one.answered_at) for one in opened if one.answered_at]
        resolved = [hours.between(one.opened_at, one.closed_at) for one in closed if one.closed_at]
        return WeekInNumbers(
            since=since.isoformat(),
            until=until.isoformat(),
            opened=len(opened),
            closed=len(closed),
            reopened=sum(one.reopened for one in seen),
            on_time=sum(not one.late for one in closed),
            measured=len(closed),
            first_answer=_minutes(answered),
            resolution=_minutes(resolved),
            topics=_ranked(one.topic for one in opened),
            locales=_ranked(one.locale for one in opened),
            days=self._by_day(opened, closed, since, until),
            answers=shown,
            without_person=alone,
        )

    def _by_day(
        self, opened: Sequence[Ticket], closed: Sequence[Ticket], since: datetime, until: datetime
    ) -> tuple[tuple[str, int, int], ...]:
        zone = self._targets.hours.zone
        came = Counter(one.opened_at.astimezone(zone).date() for one in opened)
        went = Counter(one.closed_at.astimezone(zone).date() for one in closed if one.closed_at)
        first = since.astimezone(zone).date()
        last = (until - timedelta(microseconds=1)).astimezone(zone).date()
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        return tuple((day.isoformat(), came[day], went[day]) for day in days)


def _minutes(durations: Sequence[timedelta]) -> int | None:
    return round(median(one.total_seconds() for one in durations) / 60) if durations else None


def _ranked(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(filter(None, words)).most_common(_MOST))
