"""The scheduled jobs: one row each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bot.desk_app import desk_jobs
from bot.services.clockwatching import ClockWatching, OurApplication
from bot.services.jobs import Job
from bot.services.sweeping import Sweeping
from bot.settings import Settings
from handlers.stories import Stories
from storage.database import SqlDatabase


def our_applications(settings: Settings) -> list[OurApplication]:
    return [
        OurApplication(feature, row.application_id, secret_issued=row.client_secret_issued, listed=row.listed)
        for feature, row in settings.applications.items()
        if row.configured
    ]


def scheduled_jobs(
    stories: Stories, database: SqlDatabase, sweeping: Sweeping, clock_watching: ClockWatching
) -> Sequence[Job]:
    """The scheduled jobs: one row each. A run does what is due by the moment it is given."""

    def now(work: Callable[[], Awaitable[object]]) -> Callable[[datetime], Awaitable[object]]:
        """For jobs that know no other moment than the present."""
        return lambda _: work()

    def past(at: datetime) -> datetime:
        """What is forgotten is gone: a moment still to come counts as now."""
        return min(at, stories.clock())

    async def forget_deliveries(at: datetime) -> object:
        return await database.deliveries.prune(before=past(at) - timedelta(hours=2))

    async def forget_the_past(at: datetime) -> object:
        at = past(at)
        async with database.begin() as work:
            told = await work.announcements.prune(before=at - timedelta(days=400))
        return told + await database.job_runs.prune(before=at - timedelta(days=7))

    return (
        Job("close-silent-consents", timedelta(seconds=30), now(stories.granting.close_silent), counts="links closed"),
        Job("plan-digests", timedelta(minutes=5), stories.digesting.plan, counts="digests planned"),
        Job("sweep-authorizations", timedelta(minutes=1), sweeping.sweep, counts="authorizations asked about"),
        Job("watch-our-clocks", timedelta(hours=1), clock_watching.watch, counts="warnings told"),
        Job("reload-articles", timedelta(minutes=1), now(stories.answering.refresh), everywhere=True),
        Job("learn-phrases", timedelta(seconds=30), now(stories.learning.refresh), everywhere=True),
        Job("forget-questions", timedelta(hours=1), now(stories.learning.forget)),
        Job("forget-deliveries", timedelta(hours=1), forget_deliveries, counts="deliveries forgotten"),
        *desk_jobs(stories.desk),
        Job("forget-the-past", timedelta(days=1), forget_the_past, counts="rows forgotten"),
    )
