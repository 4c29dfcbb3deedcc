"""Our own clocks: client secrets that end, and the seller limit of unlisted applications. Told to the admins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.clocks import UNLISTED_LIMIT, SecretClock, unlisted_period
from bot.domain.features import FeatureKey
from bot.domain.notices import Notice
from bot.domain.year_notices import SecretEnds, UnlistedFull
from bot.ports import Clock, Database, Work

#: the workspace whose admins hear of what is ours; None while the bot is nowhere
HomeTeam = Callable[[], Awaitable[str | None]]

#: who an announcement is noted for: the desk, whoever reads it
DESK = "desk"


async def tell_admins(work: Work, team_id: str, notice: Notice) -> None:
    """Each in their own direct messages; while nobody is known to be one, the support channel."""
    admins = await work.roles.admins(team_id)
    for admin in admins:
        await work.outbox.tell(team_id, admin, notice)
    if not admins:
        await work.outbox.tell_support(team_id, notice)


@dataclass(frozen=True, slots=True)
class OurApplication:
    """As much of a configured application as its clocks need."""

    feature: FeatureKey
    application_id: str
    secret_issued: date | None
    listed: bool


class ClockWatching:
    """Looks every so often; each warning is told once, whatever runs twice."""

    def __init__(
        self, database: Database, applications: Sequence[OurApplication], home_team: HomeTeam, *, clock: Clock
    ) -> None:
        self._database = database
        self._applications = tuple(applications)
        self._home_team = home_team
        self._clock = clock

    async def watch(self, at: datetime | None = None) -> int:
        """Tells what is due by `at`; how many warnings."""
        now = at or self._clock()
        team_id = await self._home_team()
        if team_id is None:
            return 0
        told = 0
        for application in self._applications:
            told += await self._watch_secret(application, team_id, now)
            if not application.listed:
                told += await self._watch_sellers(application, team_id, now)
        return told

    async def _watch_secret(self, application: OurApplication, team_id: str, now: datetime) -> bool:
        if application.secret_issued is None:
            return False
        secret = SecretClock.of(application.feature, application.secret_issued)
        period = secret.period(now.date())
        if period is None:
            return False
        async with self._database.begin() as work:
            if not await work.announcements.first_time(team_id, DESK, period, at=now):
                return False
            notice = SecretEnds(feature=application.feature, ends_on=secret.ends_on.isoformat())
            await tell_admins(work, team_id, notice)
        return True

    async def _watch_sellers(self, application: OurApplication, team_id: str, now: datetime) -> bool:
        async with self._database.begin() as work:
            sellers = await work.health.sellers_of(application.application_id)
            period = unlisted_period(application.feature, min(sellers, UNLISTED_LIMIT))
            if period is None or not await work.announcements.first_time(team_id, DESK, period, at=now):
                return False
            await tell_admins(work, team_id, UnlistedFull(feature=application.feature, sellers=sellers))
        return True
