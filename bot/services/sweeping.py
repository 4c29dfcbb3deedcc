"""The health sweep: every live authorization is asked about once a day, at its own minute, a few at a time.

Who takes an authorization first puts its next turn a little ahead: other replicas leave it alone, and a crash gives it back.
Amazon's *no* is final; everything else is asked again, and counted by day, so that an outage of Amazon's, of the network's or
of our own secret's never ends a grant.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.domain.features import FeatureKey
from bot.domain.grants import Authorization, GrantState
from bot.domain.health import NO_ACCESS, STILL_OPEN, TROUBLING_DAYS, Trouble, retry_at
from bot.domain.notices import StoreRef
from bot.domain.stores import Store
from bot.domain.verification import Reason, Refused, Turn
from bot.domain.year_notices import NoAnswerForDays, SecretRefused
from bot.errors import CannotDecrypt, ConcurrentChange
from bot.ports import Amazon, Clock, Database, Work
from bot.ports.year import Checkup
from bot.services.clockwatching import DESK, HomeTeam
from bot.services.examining import Examiner, Finding
from bot.services.intake import Intake
from bot.services.settling import Settling

log = structlog.get_logger(__name__)

#: how long an authorization in hand belongs to whoever took it
LEASE = timedelta(minutes=10)
#: answers after which there is no sense in asking on for the same application just now
_HALTING = frozenset({Reason.OUR_CREDENTIALS, Reason.THROTTLED})
#: grants that are worth a probe
_PROBED = frozenset({GrantState.GRANTED, GrantState.PERMISSION_PROBLEM})


@dataclass(slots=True)
class Swept:
    """What a run did."""

    asked: int = 0
    well: int = 0
    #: by reason
    troubled: dict[str, int] = field(default_factory=dict)
    #: applications that are not asked about any more in this run
    halted: set[FeatureKey] = field(default_factory=set)

    def __str__(self) -> str:
        """For operators: how many were asked about, and what stood in the way of how many."""
        troubles = "".join(f", {count} {reason}" for reason, count in sorted(self.troubled.items()))
        return f"{self.asked} ({self.well} well{troubles})"

    def note(self, verdict: object) -> None:
        self.asked += 1
        if isinstance(verdict, Refused):
            self.troubled[verdict.reason.value] = self.troubled.get(verdict.reason.value, 0) + 1
        else:
            self.well += 1


class Sweeping:
    """One run takes what is due, until nothing is or its time is over; the next run goes on."""

    def __init__(
        self,
        database: Database,
        amazon: Amazon,
        home_team: HomeTeam,
        intake: Intake,
        *,
        clock: Clock,
        hands: int = 8,
        page: int = 64,
        within: timedelta = timedelta(seconds=45),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._examiner = Examiner(database, amazon, Settling(clock=clock, intake=intake), clock=clock)
        self._home_team = home_team
        self._clock = clock
        self._hands = hands
        self._page = page
        self._within = within
        self._monotonic = monotonic

    async def sweep(self, at: datetime | None = None) -> Swept:
        """Asks about every authorization whose turn has come by `at`; a moment still to come counts as now, because Amazon
        answers for now.
        """
        swept = Swept()
        deadline = self._monotonic() + self._within.total_seconds()
        while self._monotonic() < deadline and len(swept.halted) < len(FeatureKey):
            now = min(at or self._clock(), self._clock())
            async with self._database.begin() as work:
                taken = await work.health.take(now=now, until=now + LEASE, limit=self._page)
            if not taken:
                break
            await self._examine_all(taken, swept)
        if swept.asked:
            log.info("swept", action="swept", asked=swept.asked, well=swept.well, troubled=swept.troubled)
        return swept

    async def _examine_all(self, taken: Sequence[Checkup], swept: Swept) -> None:
        hands = asyncio.Semaphore(self._hands)

        async def one(checkup: Checkup) -> None:
            async with hands:
                if checkup.authorization.feature not in swept.halted:
                    await self._examine(checkup, swept)

        async with asyncio.TaskGroup() as group:
            for checkup in taken:
                group.create_task(one(checkup))

    async def _examine(self, checkup: Checkup, swept: Swept) -> None:
        authorization = checkup.authorization
        try:
            stores, token = await self._resting(authorization)
            seen = checkup.trouble.stores if checkup.trouble else frozenset()
            finding = await self._examiner.examine(authorization, token, stores, refused_before=seen)
            trouble = _trouble(finding)
            swept.note(finding.verdict if trouble is None else trouble)
            if trouble is not None:
                if trouble.reason in _HALTING:
                    swept.halted.add(authorization.feature)
                await self._note(checkup, trouble, finding, stores)
        except CannotDecrypt as unreadable:
            # ours to mend: `grantdesk rotate-keys` names it too. It is asked about again when its lease is over.
            why = str(unreadable)
            log.warning("token unreadable", action="token_unreadable", authorization=authorization.id, why=why)
        except ConcurrentChange:
            log.info("swept at the same moment", action="sweep_collided", authorization=authorization.id)
        except Exception:
            log.exception("sweep failed", action="sweep_failed", authorization=authorization.id)

    async def _resting(self, authorization: Authorization) -> tuple[list[Store], str]:
        """The stores to probe for, and the token. A store that is switched off is not probed."""
        async with self._database.read() as work:
            resting = await work.grants.resting_on(authorization.id)
            token = await work.authorizations.refresh_token(authorization)
        return [store for store, grant in resting if store.disabled_at is None and grant.state in _PROBED], token

    async def _note(self, checkup: Checkup, refused: Refused, finding: Finding, stores: Sequence[Store]) -> None:
        """Counts the day, and says when it is looked at again; after days without an answer the desk hears of it."""
        now, authorization = self._clock(), checkup.authorization
        before, home = checkup.trouble, await self._home_team()
        once = frozenset(store_id for store_id, one in finding.unsettled.items() if one.reason in NO_ACCESS)
        trouble = Trouble(refused.reason, 1, now.date(), once)
        if before is not None:
            trouble = before.again(refused.reason, on=now.date(), stores=once)
        async with self._database.begin() as work:
            await work.health.failed(authorization, trouble, next_at=_next_look(trouble, now=now))
            if refused.reason is Reason.OUR_CREDENTIALS and home is not None:
                await self._tell_of_our_secret(work, home, authorization.feature, now)
            elif refused.turn is Turn.NOBODY and stores and _is_news(before, trouble):
                await self._tell_of_silence(work, authorization, stores[0], trouble, now)

    @staticmethod
    async def _tell_of_silence(
        work: Work, authorization: Authorization, store: Store, trouble: Trouble, now: datetime
    ) -> None:
        """Once a day and application: an outage of Amazon's meets every grant there is."""
        feature = authorization.feature
        period = f"no_answer:{feature.value}:{trouble.reason.value}:{now.date().isoformat()}"
        if await work.announcements.first_time(authorization.team_id, DESK, period, at=now):
            await work.outbox.tell_support(
                authorization.team_id,
                NoAnswerForDays(
                    store=StoreRef.of(store), feature=feature, reason=trouble.reason.value, days=trouble.days
                ),
            )

    @staticmethod
    async def _tell_of_our_secret(work: Work, team_id: str, feature: FeatureKey, now: datetime) -> None:
        """Once a day and application, however many grants it stands in the way of. The desk hears of it as well: until it is
        mended, nobody can be helped.
        """
        period = f"secret_refused:{feature.value}:{now.date().isoformat()}"
        if await work.announcements.first_time(team_id, DESK, period, at=now):
            await work.outbox.tell_support(team_id, SecretRefused(feature=feature))
            for admin in await work.roles.admins(team_id):
                await work.outbox.tell(team_id, admin, SecretRefused(feature=feature))


def _is_news(before: Trouble | None, trouble: Trouble) -> bool:
    """Whether it has become a trouble for people just now."""
    return trouble.days == TROUBLING_DAYS and (before is None or before.days < TROUBLING_DAYS)


def _trouble(finding: Finding) -> Refused | None:
    """What stands in the way of calling the authorization well; None also when Amazon said *no*, which is written already: to
    all that rests on it, or to one store.
    """
    if isinstance(finding.verdict, Refused):
        return None if finding.verdict.reason is Reason.REVOKED else finding.verdict
    return next(iter(finding.unsettled.values()), None)


def _next_look(trouble: Trouble, *, now: datetime) -> datetime:
    return now + STILL_OPEN if trouble.reason is Reason.EXPIRED else retry_at(trouble, now=now)
