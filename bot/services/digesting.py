"""Digests: who is told what ends, each at their own morning, once.

A reader has one row with the next morning to think of them, so that a run looks only at those whose morning has come: in
pages, with a bounded number of rows in memory. Planning a digest, noting that it was planned and turning the reader to the
next morning are one transaction with the message itself; whichever replica comes second finds the reader turned.

Every member of a distributor account reads: they share its stores, and whoever granted may have left. *I know* and *snooze*
quiet the one who pressed; the desk hears of what nobody has reacted to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from bot.domain.digests import (
    HORIZON,
    PAST,
    Ending,
    Quiet,
    Quieting,
    Reader,
    counts_by_day,
    in_order,
    is_morning,
    next_morning,
    plan,
    quiet_until,
)
from bot.domain.stores import Seller
from bot.domain.year_notices import DIGEST_ROWS, DeskDigest, EndingRef, SellerDigest, calendar_of
from bot.ports import AuditEvent, Clock, Database, People, Person, Place, Work
from bot.services.digesting_desk import DeskDigests
from bot.services.roles import Roles

log = structlog.get_logger(__name__)

#: readers in memory at once, with what ends for them
PAGE_SIZE = 500
#: people whose time zone a run asks Slack for; the others keep their turn for the next run. Slack takes about a hundred such
#: calls a minute, and after an import there may be thousands whom nobody has met.
ZONES_ASKED = 200
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Habits:
    """When somebody reads digests."""

    hour: int
    weekday: int
    wanted: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What a digest would say now, whatever was said before; the next end where that is nothing."""

    digest: SellerDigest | None
    next_end: datetime | None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What came of a press: about how many ends it is quiet now, and until when (None: until they have ended)."""

    endings: int
    until: datetime | None
    #: it came too late: something that could have been meant has ended
    too_late: bool = False


async def _everywhere(_team_id: str) -> bool:
    return True


@dataclass(slots=True)
class Page:
    """A page of readers whose morning has come."""

    #: nothing to say: when to think of them next
    silent: list[tuple[Reader, datetime]] = field(default_factory=list)
    planned: list[tuple[Reader, Sequence[Ending]]] = field(default_factory=list)
    #: support channels
    desks: list[Reader] = field(default_factory=list)
    #: whose time zone was asked for
    asked: int = 0


class Digesting:
    """Plans digests; takes what people press under them."""

    def __init__(
        self,
        database: Database,
        people: People,
        *,
        clock: Clock,
        roles: Roles,
        channel: str = "",
        channel_tz: str = "UTC",
        installed: Callable[[str], Awaitable[bool]] = _everywhere,
        page: int = PAGE_SIZE,
        zones: int = ZONES_ASKED,
    ) -> None:
        """`channel` is where the desk reads, in the time zone `channel_tz` until an agent sets another; `installed` says
        whether a workspace can be written to at all.
        """
        self._installed = installed
        self._database = database
        self._people = people
        self._clock = clock
        self._roles = roles
        self._channel = channel
        self._channel_tz = channel_tz
        self._page = page
        self._zones = zones
        #: what the support channel reads
        self.desk = DeskDigests(database, tz=channel_tz)

    # --- planning ----------------------------------------------------------------------------------------------------

    async def plan(self, at: datetime | None = None) -> int:
        """Plans the digests of everybody whose morning has come by `at`; how many.

        A moment still to come is told of now, and not again when it has come; the mornings until then stay what they are.
        """
        present = self._clock()
        now = at or present
        ahead = now > present
        await self.enroll(min(now, present))
        told = 0
        async for page in self.pages(now):
            async with self._database.begin() as work:
                if not ahead:
                    await work.readers.pass_over(page.silent)
                told += await self._tell(work, page.planned, now, ahead=ahead)
            for reader in page.desks:
                told += await self.desk.plan(reader, now, ahead=ahead)
        return told

    async def pages(self, now: datetime) -> AsyncIterator[Page]:
        """Everybody whose morning has come, page by page: who is told what, and who is not. Writes nothing."""
        after: Place = None
        asked = 0
        while True:
            async with self._database.read() as work:
                readers = await work.readers.due(now=now, after=after, limit=self._page)
                if not readers:
                    return
                endings = await self._endings(work, [reader.seller_id for reader in readers if reader.seller_id], now)
            last = readers[-1]
            after = (last.next_at, last.team_id, last.recipient)
            page = await self._sorted(readers, endings, now, zones=self._zones - asked)
            asked += page.asked
            yield page

    async def enroll(self, now: datetime) -> None:
        """Makes readers of those who became members since the last time."""
        while True:
            async with self._database.begin() as work:
                count = await work.readers.enroll(
                    now=now, channel=self._channel, channel_tz=self._channel_tz, limit=self._page
                )
            if count < self._page:
                return

    async def missed(self, team_id: str, recipient: str, facts: Mapping[str, Any]) -> None:
        """A digest waited so long that it was not sent: the reader gets another one, with what is so then."""
        day, before = date.fromisoformat(facts["period"]), facts["before"]
        async with self._database.begin() as work:
            reader = await work.readers.get(team_id, recipient)
            if reader is None or reader.next_at is None or reader.last_day != day:
                return
            await work.announcements.take_back(team_id, recipient, f"digest:{facts['period']}")
            last_day = date.fromisoformat(before) if before else None
            next_at = min(reader.next_at, self._clock())
            await work.readers.turn([reader], last_day=last_day, next_at=next_at)

    async def _sorted(
        self, readers: Sequence[Reader], endings: Mapping[str, Sequence[Ending]], now: datetime, *, zones: int
    ) -> Page:
        page = Page()
        gone = {team_id for team_id in {one.team_id for one in readers} if not await self._installed(team_id)}
        for reader in readers:
            if reader.team_id in gone:
                zone = ZoneInfo(reader.tz or "UTC")
                page.silent.append((reader, next_morning(now, zone=zone, hour=reader.hour)))
                continue
            if reader.seller_id is None:
                page.desks.append(reader)
                continue
            mine = endings.get(reader.seller_id, ())
            if mine and not reader.tz:
                if page.asked >= zones:
                    continue
                page.asked += 1
            placed = await self._placed(reader) if mine else reader
            zone = ZoneInfo(placed.tz or "UTC")
            chosen: Sequence[Ending] = ()
            if mine and is_morning(now, zone=zone, hour=reader.hour):
                chosen = plan(mine, placed, now=now)
            if chosen:
                page.planned.append((placed, chosen))
            else:
                page.silent.append((reader, next_morning(now, zone=zone, hour=reader.hour)))
        return page

    async def _placed(self, reader: Reader) -> Reader:
        """The reader with their time zone, asked for where nobody has."""
        if reader.tz:
            return reader
        return replace(reader, tz=(await self._people.get(reader.team_id, reader.recipient)).tz)

    @staticmethod
    async def _tell(
        work: Work, planned: Sequence[tuple[Reader, Sequence[Ending]]], now: datetime, *, ahead: bool
    ) -> int:
        """Turns the readers and tells those whom nobody has told before; how many."""
        chosen = {(reader.team_id, reader.recipient): endings for reader, endings in planned}
        groups: dict[tuple[date, datetime], list[Reader]] = {}
        for reader, _ in planned:
            zone = ZoneInfo(reader.tz)
            key = now.astimezone(zone).date(), next_morning(now, zone=zone, hour=reader.hour)
            groups.setdefault(key, []).append(reader)
        messages = []
        for (today, next_at), readers in groups.items():
            turned = readers if ahead else await work.readers.turn(readers, last_day=today, next_at=next_at)
            fresh = await work.announcements.first_times(turned, f"digest:{today.isoformat()}", at=now)
            for reader in fresh:
                endings = chosen[reader.team_id, reader.recipient]
                digest = _digest(endings, reader, today, ZoneInfo(reader.tz))
                messages.append((reader.team_id, reader.recipient, digest))
        await work.outbox.tell_all(messages)
        return len(messages)

    @staticmethod
    async def _endings(work: Work, seller_ids: Sequence[str], now: datetime) -> Mapping[str, Sequence[Ending]]:
        """Everything of these sellers that can be spoken of now, in whatever time zone."""
        if not seller_ids:
            return {}
        return await work.endings.of_sellers(
            sorted(set(seller_ids)), since=now - (PAST * _DAY), until=now + (HORIZON + 1) * _DAY
        )

    # --- what people do ----------------------------------------------------------------------------------------------

    async def preview(self, person: Person) -> Preview:
        """`/digest now`: everything that ends soon, whether or not it was told or quieted."""
        now = self._clock()
        zone = ZoneInfo(person.tz)
        today = now.astimezone(zone).date()
        async with self._database.read() as work:
            seller = await work.sellers.of_member(person.team_id, person.user_id)
            if seller is None:
                return Preview(None, None)
            soon = (await self._endings(work, [seller.id], now)).get(seller.id, ())
            shown = in_order(ending for ending in soon if ending.days_left(today, zone) <= HORIZON)
            if not shown:
                return Preview(None, await work.endings.next_of(seller.id, now=now))
        reader = Reader(person.team_id, person.user_id, seller.id, tz=person.tz)
        return Preview(_digest(shown, reader, today, zone), None)

    async def react(self, person: Person, kind: Quieting, period: str) -> Reaction:
        """*Snooze* or *I know* under the digest of `period`: quiet about what it spoke of, for the one who pressed."""
        now = self._clock()
        untils: list[datetime | None] = []
        ended = False
        with suppress(ValueError):  # a value that is no day: a card from another version
            told_until = date.fromisoformat(period) + (HORIZON + 1) * _DAY
            async with self._database.begin() as work:
                seller = await work.sellers.of_member(person.team_id, person.user_id)
                if seller is None:
                    return Reaction(0, None)
                soon = (await self._endings(work, [seller.id], now)).get(seller.id, ())
                ended = any(ending.ends_at <= now for ending in soon)
                for ending in soon:
                    if now < ending.ends_at and ending.ends_at.date() <= told_until:
                        until = quiet_until(kind, [ending], now=now, zone=ZoneInfo(person.tz))
                        await work.endings.quiet(ending, Quiet(person.user_id, ending.ends_at, until, now))
                        untils.append(until)
        return Reaction(
            len(untils), min((until for until in untils if until), default=None), too_late=ended and not untils
        )

    async def habits(self, person: Person) -> Habits:
        """When the person reads digests."""
        async with self._database.read() as work:
            reader = await work.readers.get(person.team_id, person.user_id)
        if reader is None:
            fresh = Reader(person.team_id, person.user_id, None)
            return Habits(fresh.hour, fresh.weekday, wanted=True)
        return Habits(reader.hour, reader.weekday, wanted=reader.next_at is not None)

    async def change_habits(self, person: Person, habits: Habits) -> bool:
        """Takes effect from the next morning on. False for somebody without stores: there is nothing to tell them of."""
        now = self._clock()
        async with self._database.begin() as work:
            seller: Seller | None = await work.sellers.of_member(person.team_id, person.user_id)
            if seller is None:
                return False
            known = await work.readers.get(person.team_id, person.user_id)
            reader = known or Reader(person.team_id, person.user_id, seller.id)
            await work.readers.put(_with(reader, habits, tz=person.tz, now=now))
        return True

    # --- the desk's channel ------------------------------------------------------------------------------------------

    def is_desk(self, channel_id: str) -> bool:
        """Whether a conversation is the support agents' channel."""
        return bool(self._channel) and channel_id == self._channel

    async def preview_desk(self, agent: Person) -> DeskDigest | None:
        """What the support channel would read now; None when nothing ends and nothing was ignored. Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        return await self.desk.preview(agent.team_id, self._channel, now=self._clock())

    async def desk_habits(self, agent: Person) -> Habits:
        """When the support channel reads its digest. Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        async with self._database.read() as work:
            reader = await work.readers.get(agent.team_id, self._channel)
        reader = reader or Reader(agent.team_id, self._channel, None, next_at=self._clock())
        return Habits(reader.hour, reader.weekday, wanted=reader.next_at is not None)

    async def change_desk_habits(self, agent: Person, habits: Habits) -> None:
        """Sets the channel's morning; its days are counted in the time zone of the agent who does it. Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        now = self._clock()
        async with self._database.begin() as work:
            known = await work.readers.get(agent.team_id, self._channel)
            reader = known or Reader(agent.team_id, self._channel, None)
            await work.readers.put(_with(reader, habits, tz=agent.tz, now=now))
            details = {
                "wanted": "yes" if habits.wanted else "no",
                "hour": str(habits.hour),
                "weekday": str(habits.weekday),
                "tz": agent.tz,
            }
            await work.audit.record(
                AuditEvent(now, agent.team_id, agent.user_id, "digest.desk_changed", self._channel, details=details)
            )


def _with(reader: Reader, habits: Habits, *, tz: str, now: datetime) -> Reader:
    next_at = next_morning(now, zone=ZoneInfo(tz), hour=habits.hour) if habits.wanted else None
    return replace(reader, hour=habits.hour, weekday=habits.weekday, tz=tz, next_at=next_at)


def _digest(endings: Sequence[Ending], reader: Reader, today: date, zone: ZoneInfo) -> SellerDigest:
    return SellerDigest(
        period=today.isoformat(),
        endings=tuple(EndingRef.of(ending) for ending in endings[:DIGEST_ROWS]),
        more=max(0, len(endings) - DIGEST_ROWS),
        calendar=calendar_of(counts_by_day((one for one in endings if one.days_left(today, zone) >= 0), zone=zone)),
        before=reader.last_day.isoformat() if reader.last_day else "",
    )
