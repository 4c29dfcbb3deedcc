"""The support desk without its edges: agents Sam and Kim, over the desk that sellers have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.domain.deadlines import Targets
from bot.domain.desk_notices import TicketCard
from bot.domain.incidents import Watch
from bot.domain.notices import Notice
from bot.domain.tickets import Source, Ticket, TicketState
from bot.i18n import Speaker
from bot.ports import AuditEvent, AuditFilter, Person
from bot.services.desk import Desk as Work
from bot.services.desk_acts import Acts
from bot.services.desk_care import Care
from bot.services.desk_numbers import DeskNumbers
from bot.services.desk_queue import DeskQueue
from bot.services.desk_replies import Replies
from bot.services.desk_talk import Talk
from bot.services.desk_time import DeskTime
from bot.services.incidents import Incidents
from bot.services.intake import Intake, Opened
from bot.services.roles import Roles
from bot.services.support import Ask
from tests.services.desk import LIN, MEI, Desk

TEAM = MEI.team_id
SAM = Person(TEAM, "U0SAM", "en", "Europe/London")
KIM = Person(TEAM, "U0KIM", "zh-CN", "Asia/Shanghai")
BOSS = Person(TEAM, "U0BOSS", "en", "Europe/London", is_admin=True)
AGENTS = frozenset({SAM.user_id, KIM.user_id})


class Known:
    """Everybody there is."""

    def __init__(self) -> None:
        self.people = {one.user_id: one for one in (MEI, LIN, SAM, KIM, BOSS)}

    async def get(self, team_id: str, user_id: str) -> Person:
        return self.people.get(user_id, Person(team_id, user_id, "en", "UTC"))


class Counted:
    """A `DeskObserver` with a list to look at."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def ticket(self, event: str, source: str) -> None:
        self.seen.append((event, source))

    def first_answer(self, topic: str, locale: str, taken: timedelta, *, on_time: bool) -> None:
        self.seen.append(("first_answer", topic, locale, taken, on_time))

    def resolution(self, topic: str, locale: str, taken: timedelta, *, on_time: bool) -> None:
        self.seen.append(("resolution", topic, locale, taken, on_time))

    def open_tickets(self, counts: Mapping[TicketState, int]) -> None:
        self.seen.append(("open", dict(counts)))

    def incident(self, event: str) -> None:
        self.seen.append(("incident", event))

    def answered(self, topic: str, locale: str) -> None:
        self.seen.append(("answered", topic, locale))

    def answers_week(self, shown: int, without_person: int) -> None:
        self.seen.append(("week", shown, without_person))


def speak(person: Person) -> Speaker:
    return Speaker(person.locale, tz=person.tz)


class AtTheDesk:
    """What a test plays on; `house` is what sellers play on."""

    def __init__(self, house: Desk, *, watch: Watch | None = None) -> None:
        self.house = house
        self.clock = house.clock
        self.database = house.database
        self.observed = Counted()
        self.people = Known()
        self.targets = Targets()
        watch = watch or Watch()
        # the house's own, watched: whatever fails there comes here
        self.intake = Intake(
            clock=house.clock, entropy=house.entropy, targets=self.targets, watch=watch, observe=self.observed
        )
        house.intake = self.intake
        house.granting.intake = self.intake
        house.granting._settling._intake = self.intake
        house.checking._intake = self.intake
        self.roles = Roles(house.database, house.clock, seeds=AGENTS)
        self.acts = Acts(
            house.database,
            roles=self.roles,
            targets=self.targets,
            people=self.people,
            clock=house.clock,
            observe=self.observed,
        )
        self.work = Work(self.acts)
        answering = house.answering()
        self.replies = Replies(self.acts, answering=answering, names=house.names)
        self.care = Care(
            self.acts, answering=answering, checking=house.checking, granting=house.granting, names=house.names
        )
        self.talk = Talk(
            house.database, cards=house.database.cards, targets=self.targets, clock=house.clock, observe=self.observed
        )
        self.queue = DeskQueue(
            house.database, roles=self.roles, reporting=house.reporting, people=self.people, clock=house.clock
        )
        self.numbers = DeskNumbers(
            house.database, roles=self.roles, targets=self.targets, clock=house.clock, observe=self.observed
        )
        self.time = DeskTime(house.database, targets=self.targets, clock=house.clock, observe=self.observed)
        self.incidents = Incidents(
            house.database,
            watching=self.intake.watching,
            roles=self.roles,
            checking=house.checking,
            people=self.people,
            clock=house.clock,
            watch=watch,
        )

    async def ask(self, person: Person = MEI, question: str = "it does not work", **more: Any) -> Opened:
        return await self.house.support.ask_person(person, Ask(Source.ANSWER, question=question, **more))

    async def opened(self, person: Person = MEI, question: str = "it does not work", **more: Any) -> Ticket:
        """A ticket whose news have been read."""
        opened = await self.ask(person, question, **more)
        await self.cards()
        await self.house.told(person.user_id)
        return opened.ticket

    async def ticket(self, ticket_id: str) -> Ticket:
        async with self.database.read() as work:
            found = await work.tickets.get(TEAM, ticket_id)
        assert found is not None
        return found

    async def cards(self) -> list[TicketCard]:
        """The news of tickets in the support channel; other news are left out."""
        return [notice for notice in await self.house.support_told() if isinstance(notice, TicketCard)]

    async def lines(self) -> list[str]:
        return [card.line for card in await self.cards() if card.line]

    async def audit(self, action: str = "ticket") -> list[AuditEvent]:
        return [one async for one in self.database.audit_log.read(AuditFilter(team_id=TEAM, action=action))]

    async def told(self, person: Person) -> list[Notice]:
        return await self.house.told(person.user_id)
