"""Four hundred days in seconds: time is passed in, from one thing that is due to the next.

Mei connects two stores, renews one in time and lets the other run out; Alex's is withdrawn and comes back; Amazon is away
for a week; the machine sleeps for ten days. What was told is read as one diary.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from bot.domain.grants import GrantState
from bot.domain.notices import Notice
from bot.domain.verification import Reason, Refused
from bot.domain.year_notices import (
    DeskDigest,
    GrantBroke,
    GrantMended,
    SecretEnds,
    SellerDigest,
)
from bot.ports import Person
from bot.services.clockwatching import ClockWatching, OurApplication
from tests.services.desk import ALEX, BOLT, LISTING, MEI, ORDERS, Desk

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
START = datetime(2026, 2, 2, 8, 0, tzinfo=UTC)


@dataclass
class Diary:
    """Lives through time, and notes what each is told and when."""

    desk: Desk
    #: one entry for each time something was put into the outbox
    woken: list[str]
    entries: list[tuple[datetime, str, Notice]] = field(default_factory=list)
    asleep_until: datetime | None = None

    async def live_until(self, end: datetime) -> None:
        """Does everything that falls due on the way, at the moment it does."""
        secrets = [
            OurApplication(ORDERS, "amzn1.sp.solution.orders", secret_issued=START.date(), listed=True),
        ]
        clocks = ClockWatching(self.desk.database, secrets, self.desk._home, clock=self.desk.clock)
        while (now := await self._next(end)) < end:
            self.desk.clock.set(max(now, self.asleep_until or now))
            async with self.desk.database.read() as work:
                morning, turn = await work.readers.next_due(), await work.health.next_due()
            if turn is not None and turn <= self.desk.clock():
                await self.desk.sweeping.sweep()
            if morning is None or morning <= self.desk.clock():
                await self.desk.digesting.plan()
                await clocks.watch()
            await self.note()
        self.desk.clock.set(end)

    async def _next(self, end: datetime) -> datetime:
        """The next moment at which something is due, on the minute at which a job would look."""
        now = self.desk.clock()
        async with self.desk.database.read() as work:
            due = [await work.readers.next_due(), await work.health.next_due()]
        ahead = min((moment for moment in due if moment is not None), default=end)
        return min(max(ahead, now + timedelta(minutes=1)), now + DAY, end)

    async def note(self) -> None:
        if not self.woken:
            return
        self.woken.clear()
        for user_id in (MEI.user_id, ALEX.user_id, "C0SUPPORT"):
            for notice in await self.desk.told(user_id):
                self.entries.append((self.desk.clock(), user_id, notice))

    def of(self, user_id: str, kind: type[Notice]) -> list[tuple[datetime, Notice]]:
        return [(at, notice) for at, who, notice in self.entries if who == user_id and isinstance(notice, kind)]

    def told_days_before(self, person: Person, end: date) -> list[int]:
        """How many of the person's days before `end` each of their digests came."""
        zone = ZoneInfo(person.tz)
        return [(end - at.astimezone(zone).date()).days for at, _ in self.of(person.user_id, SellerDigest)]


@pytest.mark.long
async def test_four_hundred_days(desk: Desk, woken: list[str]) -> None:
    diary = Diary(desk, woken)
    renewed, forgotten = await desk.granted("Acme US"), await desk.granted("Acme DE", "DE")
    bolt = await desk.store(ALEX, "Bolt US")
    assert (await desk.consent(bolt, LISTING, person=ALEX, account=BOLT)).verdict
    await desk.told(ALEX.user_id)
    end = START + 365 * DAY

    woken.clear()

    # an ordinary half year; then Amazon is away for a week, and nobody's grant suffers
    await diary.live_until(START + 180 * DAY)
    sellers = [notice for _, who, notice in diary.entries if who != "C0SUPPORT"]
    assert sellers == [], "nothing to say, nothing sent"
    desk.amazon.will("refresh", *[Refused(Reason.AMAZON_UNAVAILABLE)] * 130)
    await diary.live_until(START + 187 * DAY)
    assert [(await desk.grant(store)).state for store in (renewed, forgotten)] == [GrantState.GRANTED] * 2
    desk.amazon._scripted.clear()

    # Alex withdraws his grant, hears of it, and grants again a week later
    desk.amazon.withdraw(BOLT, LISTING)
    await diary.live_until(START + 195 * DAY)
    [(_, broke)] = diary.of(ALEX.user_id, GrantBroke)
    assert (await desk.grant(bolt, LISTING)).state is GrantState.REVOKED
    await desk.consent(bolt, LISTING, person=ALEX, account=BOLT)
    await diary.note()
    [(_, mended)] = diary.of(ALEX.user_id, GrantMended)
    assert isinstance(broke, GrantBroke)
    assert isinstance(mended, GrantMended)
    assert broke.worked_until == mended.worked_until

    # 16 days before the end Mei renews one of the two; the other one runs out
    await diary.live_until(end - 16 * DAY)
    await desk.consent(renewed)
    await diary.note()
    await diary.live_until(START + 400 * DAY)
    assert (await desk.grant(renewed)).state is GrantState.GRANTED
    assert (await desk.grant(forgotten)).state is GrantState.EXPIRED
    last_day = end.astimezone(ZoneInfo(MEI.tz)).date()
    # Mondays in Shanghai from 30 days before, then the milestones; the year ends on a Tuesday
    assert diary.told_days_before(MEI, last_day) == [29, 22, 15, 14, 7, 3, 1, 0]
    labels = [
        sorted(ending.store.label for ending in notice.endings)
        for _, notice in diary.of(MEI.user_id, SellerDigest)
        if isinstance(notice, SellerDigest)
    ]
    assert labels == [["Acme DE", "Acme US"]] * 2 + [["Acme DE"]] * 6, "what is mended is quiet"
    assert diary.of(MEI.user_id, GrantBroke) == [], "the end of the year is the digest's to tell"

    # always at her nine o'clock; never two of a day; and the desk heard in time
    for at, _ in diary.of(MEI.user_id, SellerDigest):
        local = at.astimezone(ZoneInfo(MEI.tz))
        assert (local.hour, local.minute) == (9, 0), local
    per_day = Counter((who, at.date()) for at, who, notice in diary.entries if isinstance(notice, SellerDigest))
    assert set(per_day.values()) == {1}
    ignored = [
        notice for _, notice in diary.of("C0SUPPORT", DeskDigest) if isinstance(notice, DeskDigest) and notice.ignored
    ]
    assert {one.store.label for notice in ignored for one in notice.ignored} == {"Acme DE"}
    warnings = [at for at, _ in diary.of("C0SUPPORT", SecretEnds)]
    assert (warnings[0] - START).days in (89, 90), "ninety days before the secret ends"
    assert all(later - earlier <= timedelta(days=8) for earlier, later in pairwise(warnings))

    # about one refresh a day for each authorization, for four hundred days
    assert 400 * 2.5 < desk.amazon.asked("refresh") < 400 * 3 * 1.3


async def test_a_machine_that_slept_for_ten_days_catches_up_with_one_digest(desk: Desk, woken: list[str]) -> None:
    diary = Diary(desk, woken)
    await desk.granted("Acme US")
    end = START + 365 * DAY
    await diary.live_until(end - 20 * DAY)
    before = len(diary.of(MEI.user_id, SellerDigest))
    diary.asleep_until = end - 5 * DAY
    await diary.live_until(end - 4 * DAY)
    told = diary.of(MEI.user_id, SellerDigest)[before:]
    assert len(told) == 1, "one, not one for each that was slept through"
    assert diary.told_days_before(MEI, end.astimezone(ZoneInfo(MEI.tz)).date())[before:] == [5]
