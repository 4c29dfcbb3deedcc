"""Tickets, roles and the audit's reading side, on both databases: what must never be is refused by them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.features import FeatureKey
from bot.domain.grants import GRANT_LIFETIME, Move, first_grant
from bot.domain.incidents import Incident
from bot.domain.roles import Appointment, Role
from bot.domain.tickets import Alert, CloseReason, Source, Ticket, TicketMove, TicketState
from bot.errors import ConcurrentChange
from bot.ports import AuditEvent, AuditFilter, CardAddress
from bot.ports.desk import Queue
from tests.storage.examples import ALEX, LIN, MEI, OTHER_TEAM, TEAM, World

ORDERS = FeatureKey.ORDERS


def new_ticket(world: World, **more: Any) -> Ticket:
    facts: dict[str, Any] = {
        "id": world.entropy.new_id(),
        "team_id": TEAM,
        "user_id": MEI,
        "locale": "zh-CN",
        "source": Source.ANSWER,
        "opened_at": world.clock(),
        "store_id": "store-1",
        "seller_id": "seller-1",
    }
    return Ticket(**(facts | more))


async def kept(world: World, **more: Any) -> Ticket:
    async with world.database.begin() as work:
        ticket = await work.tickets.add(new_ticket(world, **more))
    assert ticket is not None
    return ticket


async def test_a_ticket_comes_back_as_it_was_with_a_number(world: World) -> None:
    full = new_ticket(
        world,
        opened_by="U0SAM",
        feature=ORDERS,
        question="没有订单",
        topic="still-authorizing",
        suggestion="…",
        error_code="MD5101",
        cause="our_credentials",
        answers=("a", "b"),
        state=TicketState.CLAIMED,
        assignee="U0SAM",
        claimed_at=world.clock(),
        answered_at=world.clock(),
        answer_due_at=world.clock(),
        resolve_due_at=world.clock(),
        waiting_since=world.clock(),
        alert=Alert.WARNED,
        alert_at=world.clock(),
        late=True,
        checked_at=world.clock(),
        checked="expired",
        incident_id="i1",
        reopened=2,
        joined=3,
    )
    async with world.database.begin() as work:
        added = await work.tickets.add(full)
    assert added == replace(full, number=1, version=1)
    async with world.database.read() as work:
        assert await work.tickets.get(TEAM, full.id) == added
        assert await work.tickets.by_number(TEAM, 1) == added
        assert await work.tickets.get(OTHER_TEAM, full.id) is None
        assert await work.tickets.by_number(OTHER_TEAM, 1) is None


async def test_of_twenty_agents_who_claim_at_once_one_wins_and_the_others_see_who(world: World) -> None:
    ticket = await kept(world)

    async def claim(number: int) -> bool:
        try:
            async with world.database.begin() as work:
                found = await work.tickets.get(TEAM, ticket.id)
                assert found is not None
                if found.assignee is not None:
                    return False
                await work.tickets.put(found.after(TicketMove.CLAIM, at=world.clock(), to=f"U0AGENT{number}"))
        except ConcurrentChange:
            return False
        return True

    won = await asyncio.gather(*map(claim, range(20)))
    assert sum(won) == 1
    async with world.database.read() as work:
        found = await work.tickets.get(TEAM, ticket.id)
    assert found is not None
    assert found.assignee == f"U0AGENT{won.index(True)}"


async def test_a_write_that_did_not_see_the_last_one_is_refused_and_the_transaction_goes_on(world: World) -> None:
    ticket = await kept(world)
    async with world.database.begin() as work:
        written = await work.tickets.put(replace(ticket, topic="a"))
        with pytest.raises(ConcurrentChange):
            await work.tickets.put(replace(ticket, topic="b"))
        await work.tickets.put(replace(written, topic="c"))


async def test_of_twenty_who_ask_about_one_store_at_once_one_opens_a_ticket(world: World) -> None:
    async def ask(number: int) -> Ticket | None:
        async with world.database.begin() as work:
            added = await work.tickets.add(new_ticket(world, user_id=f"U0{number}"))
            there = await work.tickets.open_of(TEAM, user_id="anybody", store_id="store-1")
            assert there is not None
            return added

    assert sum(one is not None for one in await asyncio.gather(*map(ask, range(20)))) == 1


async def test_one_open_ticket_a_store_and_a_person_without_one_and_as_many_closed_ones_as_there_were(
    world: World,
) -> None:
    first = await kept(world)
    async with world.database.begin() as work:
        assert await work.tickets.add(new_ticket(world)) is None
        assert await work.tickets.add(new_ticket(world, store_id="store-2")) is not None
        assert await work.tickets.add(new_ticket(world, team_id=OTHER_TEAM)) is not None
        assert await work.tickets.add(new_ticket(world, store_id=None)) is not None
        assert await work.tickets.add(new_ticket(world, store_id=None)) is None
        assert await work.tickets.add(new_ticket(world, store_id=None, user_id=LIN)) is not None
        closed = await work.tickets.put(first.after(TicketMove.CLOSE, at=world.clock(), because=CloseReason.ANSWERED))
        assert await work.tickets.closed_of(TEAM, user_id=MEI, store_id="store-1", since=world.clock()) == closed
        assert await work.tickets.add(new_ticket(world)) is not None
        with pytest.raises(ConcurrentChange):
            await work.tickets.put(closed.after(TicketMove.WRITE, at=world.clock()))


async def test_who_asked_and_with_what_is_kept_until_it_is_deleted(world: World) -> None:
    ticket = await kept(world)
    async with world.database.begin() as work:

        async def gone(ts: str) -> list[tuple[str, bool, bool]]:
            found = await work.tickets.sources(TEAM, channel_id="C1", ts=ts)
            await work.tickets.forget(TEAM, channel_id="C1", ts=ts, at=world.clock())
            assert await work.tickets.sources(TEAM, channel_id="C1", ts=ts) == []
            return [(one.user_id, one.is_only, one.has_words) for one in found]

        for user_id, ts in ((MEI, "1.1"), (LIN, "2.2"), (LIN, "3.3")):
            await work.tickets.add_source(
                ticket, user_id=user_id, channel_id="C1", ts=ts, at=world.clock(), has_words=ts != "2.2"
            )
        assert await work.tickets.people(ticket) == [MEI, LIN]
        assert await work.tickets.sources(TEAM, channel_id="C1", ts="9.9") == []
        assert await work.tickets.sources(OTHER_TEAM, channel_id="C1", ts="1.1") == []
        await work.tickets.forget(OTHER_TEAM, channel_id="C1", ts="1.1", at=world.clock())
        assert await gone("2.2") == [(LIN, False, False)]
        assert await gone("1.1") == [(MEI, False, False)], "the question is in newer words"
        assert await work.tickets.people(ticket) == [MEI, LIN]
        assert await gone("3.3") == [(LIN, True, True)]
        assert await work.tickets.people(ticket) == [MEI]


async def test_a_message_is_known_behind_every_ticket_it_came_to_and_after_it_was_deleted(world: World) -> None:
    place = {"channel_id": "C1", "ts": "1.1"}
    async with world.database.begin() as work:
        first = await work.tickets.add(new_ticket(world))
        assert first is not None
        closed = await work.tickets.put(first.after(TicketMove.CLOSE, at=world.clock(), because=CloseReason.DUPLICATE))
        opened = await work.tickets.add(new_ticket(world))
        assert opened is not None
        for ticket in (closed, closed, opened):
            await work.tickets.add_source(ticket, user_id=MEI, at=world.clock(), has_words=True, **place)
        await work.tickets.add_source(opened, user_id=LIN, at=world.clock(), channel_id="", ts="")
        found = await work.tickets.sources(TEAM, **place)
        assert [(one.ticket_id, one.is_only, one.has_words) for one in found] == [
            (closed.id, True, True),
            (opened.id, False, True),
        ]
        assert await work.tickets.from_message(TEAM, **place) == opened
        assert await work.tickets.from_deleted(TEAM, **place) is None
        await work.tickets.forget(TEAM, at=world.clock(), **place)
        assert await work.tickets.from_message(TEAM, **place) is None
        assert await work.tickets.from_deleted(TEAM, **place) == opened
        assert await work.tickets.of_message(TEAM, **place) == opened
        assert await work.tickets.people(opened) == [MEI, LIN]


async def test_the_desk_waits_for_whoever_asked(world: World) -> None:
    ticket = await kept(world, state=TicketState.WAITING, assignee="U0SAM", waiting_since=world.clock())
    async with world.database.begin() as work:
        await work.tickets.add_source(ticket, user_id=LIN, channel_id="", ts="", at=world.clock())
        assert await work.tickets.waiting_for(TEAM, MEI) == ticket
        assert await work.tickets.waiting_for(TEAM, LIN) == ticket
        assert await work.tickets.waiting_for(TEAM, ALEX) is None
        assert await work.tickets.waiting_for(OTHER_TEAM, MEI) is None
        back = await work.tickets.put(ticket.after(TicketMove.RELEASE, at=world.clock()))
        assert await work.tickets.waiting_for(TEAM, LIN) == back
        unclaimed, _ = await work.tickets.queue(
            TEAM, Queue.UNCLAIMED, agent="U0SAM", now=world.clock(), offset=0, limit=10
        )
        assert unclaimed == [back]


async def test_queues_show_the_most_urgent_first_and_pages_of_them(world: World) -> None:
    now = world.clock()
    late = await kept(world, store_id="s1", answer_due_at=now - timedelta(minutes=1), assignee="U0SAM")
    soon = await kept(world, store_id="s2", answer_due_at=now + timedelta(minutes=5), alert=Alert.WARNED)
    calm = await kept(world, store_id="s3", resolve_due_at=now + timedelta(days=1))
    paused = await kept(
        world, store_id="s4", resolve_due_at=now - timedelta(days=1), waiting_since=now, assignee="U0KIM"
    )
    async with world.database.read() as work:

        async def page(queue: Queue, offset: int = 0, limit: int = 10) -> tuple[list[int], int]:
            found, total = await work.tickets.queue(TEAM, queue, agent="U0SAM", now=now, offset=offset, limit=limit)
            return [one.number for one in found], total

        assert await page(Queue.ALL) == ([late.number, soon.number, calm.number, paused.number], 4)
        assert await page(Queue.ALL, offset=1, limit=2) == ([soon.number, calm.number], 4)
        assert await page(Queue.MINE) == ([late.number], 1)
        assert await page(Queue.UNCLAIMED) == ([soon.number, calm.number], 2)
        assert await page(Queue.BREACHING) == ([late.number, soon.number], 2)
        assert await work.tickets.counts() == {TicketState.OPEN: 4}
        assert await work.tickets.teams() == [TEAM]


async def test_deadlines_come_up_when_their_moment_has_come(world: World) -> None:
    now = world.clock()
    due = await kept(world, store_id="s1", alert_at=now)
    await kept(world, store_id="s2", alert_at=now + timedelta(seconds=1))
    await kept(world, store_id="s3")
    async with world.database.begin() as work:
        assert [one.id for one in await work.tickets.alerting(now=now, limit=10)] == [due.id]


async def test_tickets_of_the_same_cause_are_tied_to_the_incident(world: World) -> None:
    by_cause = await kept(world, store_id="s1", cause="our_credentials", feature=ORDERS)
    other = await kept(world, store_id="s2", cause="our_credentials", feature=FeatureKey.LISTING)
    incident = Incident("i1", TEAM, "our_credentials", ORDERS, world.clock(), world.clock())
    async with world.database.begin() as work:
        assert await work.tickets.attach(TEAM, incident) == 1
        assert [one.id for one in await work.tickets.of_incident(incident)] == [by_cause.id]
        with pytest.raises(ConcurrentChange):
            await work.tickets.put(by_cause)
        assert (await work.tickets.get(TEAM, other.id)) == other


async def test_roles_are_one_a_person_and_the_newest_counts(world: World) -> None:
    agent = Appointment(TEAM, ALEX, Role.AGENT, "U0BOSS", world.clock())
    async with world.database.begin() as work:
        await work.roles.put(agent)
        await work.roles.put(replace(agent, role=Role.ADMIN))
        assert await work.roles.get(TEAM, ALEX) == replace(agent, role=Role.ADMIN)
        assert await work.roles.get(OTHER_TEAM, ALEX) is None
        assert await work.roles.all(TEAM) == [replace(agent, role=Role.ADMIN)]


async def test_articles_that_were_shown_and_whether_a_person_was_needed_after(world: World) -> None:
    now = world.clock()
    ticket = await kept(world)
    async with world.database.begin() as work:
        for user_id, slug in ((MEI, "a"), (MEI, "b"), (MEI, "a"), (LIN, "c")):
            await work.answers.shown(TEAM, user_id, slug, locale="en", at=now)
        for user_id, ts in ((MEI, "1.1"), (LIN, "2.2")):
            await work.tickets.add_source(
                ticket, user_id=user_id, channel_id="C1", ts=ts, at=now + timedelta(minutes=5)
            )
        await work.tickets.forget(TEAM, channel_id="C1", ts="2.2", at=now + timedelta(minutes=6))
        assert await work.answers.of_person(TEAM, MEI, since=now) == ["a", "b"]
        assert await work.answers.count(TEAM, now, now + timedelta(hours=1)) == (4, 1)
        assert await work.answers.count(OTHER_TEAM, now, now + timedelta(hours=1)) == (0, 0)
        assert await work.answers.prune(before=now + timedelta(seconds=1)) == 4


async def test_a_mark_is_made_once(world: World) -> None:
    async def mark() -> bool:
        async with world.database.begin() as work:
            return await work.marks.first(TEAM, "week:2026-02-02", at=world.clock())

    assert sum(await asyncio.gather(*(mark() for _ in range(8)))) == 1


async def test_agents_look_at_everybodys_stores_of_their_workspace_and_of_no_other(world: World) -> None:
    now = world.clock()
    mei, lin, stranger = await world.seller(MEI), await world.seller(LIN), await world.seller(team_id=OTHER_TEAM)
    async with world.database.begin() as work:
        await work.sellers.add_member(mei, ALEX, at=now)
    fine = await world.store(mei, "Fine")
    ending = await world.bound_store(mei, "Ending")
    stuck = await world.store(lin, "Stuck")
    await world.store(stranger, "Elsewhere")
    authorization = await world.authorization(mei, ends_at=now + timedelta(days=20))
    attempt = await world.attempt(stuck, LIN)
    async with world.database.begin() as work:
        await work.grants.put(
            first_grant(ending.id, ORDERS, at=now).after(
                Move.ACCEPT, at=now, authorization_id=authorization.id, ends_at=authorization.ends_at
            )
        )
        await work.attempts.update(replace(attempt, pressed_at=now - timedelta(minutes=11)))

    async with world.database.read() as work:

        async def labels(queue: Queue) -> list[str]:
            found, total = await work.overview.stores(TEAM, queue, now=now, offset=0, limit=10)
            assert total == len(found)
            return [line.store.label for line in found]

        assert await labels(Queue.ALL) == ["Fine", "Ending", "Stuck"]
        assert await labels(Queue.EXPIRING) == ["Ending"]
        assert await labels(Queue.STUCK) == ["Stuck"]
        [first], total = await work.overview.stores(TEAM, Queue.ALL, now=now, offset=0, limit=1)
        assert (first.store.id, first.members, total) == (fine.id, (MEI, ALEX), 3)
        assert set(first.grants) == set(FeatureKey)
    world.clock.advance(GRANT_LIFETIME)


async def test_the_audit_is_read_oldest_first_by_who_what_and_when(world: World) -> None:
    now = world.clock()
    events = [
        AuditEvent(now, TEAM, MEI, "store.added", "s1"),
        AuditEvent(now, TEAM, "U0SAM", "ticket.claimed", "t1", details={"number": "1"}),
        AuditEvent(now + timedelta(hours=1), TEAM, "U0SAM", "link.made", "s1", on_behalf_of=MEI),
        AuditEvent(now, OTHER_TEAM, MEI, "store.added", "s9"),
    ]
    async with world.database.begin() as work:
        for event in events:
            await work.audit.record(event)

    async def read(limit: int | None = None, **wanted: Any) -> list[AuditEvent]:
        return [one async for one in world.database.audit_log.read(AuditFilter(**wanted), limit=limit)]

    assert await read() == events
    assert await read(team_id=TEAM, person=MEI) == [events[0], events[2]]
    assert await read(action="ticket") == [events[1]]
    assert await read(action="%") == []
    assert await read(subject="s1", since=now + timedelta(minutes=1)) == [events[2]]
    assert await read(until=now) == []
    assert await read(limit=2) == events[2:]


async def test_a_card_is_found_by_where_it_stands(world: World) -> None:
    await world.database.cards.put(TEAM, MEI, "ticket:t1", CardAddress("D1", "1.1"))
    assert await world.database.cards.subject_at(TEAM, CardAddress("D1", "1.1")) == "ticket:t1"
    assert await world.database.cards.subject_at(TEAM, CardAddress("D1", "2.2")) is None
    assert await world.database.cards.subject_at(OTHER_TEAM, CardAddress("D1", "1.1")) is None
