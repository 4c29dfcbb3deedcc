"""Scheduled jobs, as rows. The clock runs in every replica; a run belongs to whoever claims its due time first.

What a replica keeps in memory it must bring up to date itself: such a job runs everywhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.ports import Clock, JobRuns

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Something done every so often. `name` is stored and typed by operators."""

    name: str
    every: timedelta
    #: does what is due by the given moment; whatever it finds done already it leaves alone
    run: Callable[[datetime], Awaitable[object]]
    #: in every replica, not in one of them
    everywhere: bool = False
    #: what the number counts that a run answers with
    counts: str = ""

    def due_at(self, now: datetime) -> datetime:
        """The newest moment, counted from the epoch, at which the job should have run."""
        seconds = int(self.every.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


async def run_due(job: Job, runs: JobRuns, *, clock: Clock) -> bool:
    """Runs a job for its newest due time unless some replica already did; True when it was run here.

    A machine that slept runs it once, not once for every time it missed.
    """
    now = clock()
    if not job.everywhere and not await runs.claim(job.name, due=job.due_at(now)):
        return False
    try:
        await job.run(now)
    except Exception:
        log.exception("job failed", action="job_failed", job=job.name)
        return False
    return True


class JobClock:
    """Looks at all jobs every so often, and runs those whose time has come; one run of a job at a time.

    Looking costs nothing: a due time that was claimed here, or found claimed, is remembered.
    """

    def __init__(self, jobs: Sequence[Job], runs: JobRuns, *, clock: Clock) -> None:
        self._jobs = tuple(jobs)
        self._runs = runs
        self._clock = clock
        self._seen: dict[str, datetime] = {}

    async def look(self, name: str) -> bool:
        """Runs the job of that name if it is due; True when it was run here. Raises KeyError."""
        job = {job.name: job for job in self._jobs}[name]
        due = job.due_at(self._clock())
        if self._seen.get(name) == due:
            return False
        self._seen[name] = due
        return await run_due(job, self._runs, clock=self._clock)
