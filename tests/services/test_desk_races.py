"""Two agents press at the same moment, on replicas of their own, on both databases: one wins, and the other is told who."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from bot.domain.desk_notices import DeskReply
from bot.domain.tickets import CloseReason, Ticket, TicketState
from bot.errors import AlreadyClaimed, ConcurrentChange, TicketClosed
from bot.services.desk_replies import Answer
from storage.database import SqlDatabase
from tests.conftest import AnotherReplica
from tests.services.at_the_desk import KIM, SAM, AtTheDesk, speak
from tests.services.desk import MEI, Desk
from tests.storage.fakes import FakeClock

#: a race is lost differently each time
ROUNDS = 6


@pytest.fixture
async def two(database: SqlDatabase, another_replica: AnotherReplica, clock: FakeClock) -> tuple[AtTheDesk, AtTheDesk]:
    """Sam's replica and Kim's."""
    return AtTheDesk(Desk(database, clock)), AtTheDesk(Desk(await another_replica(), clock))


async def raced(*acts: Coroutine[Any, Any, Ticket]) -> tuple[list[Ticket], list[BaseException]]:
    """Who came through, and what the others were told."""
    ended = await asyncio.gather(*acts, return_exceptions=True)
    return (
        [one for one in ended if isinstance(one, Ticket)],
        [one for one in ended if isinstance(one, BaseException)],
    )


async def test_of_two_who_claim_one_has_it_and_the_other_is_told_who(two: tuple[AtTheDesk, AtTheDesk]) -> None:
    sams, kims = two
    for number in range(1, ROUNDS + 1):
        ticket = await sams.opened(MEI, f"question {number}")
        won, lost = await raced(sams.work.claim(SAM, ticket.id), kims.work.claim(KIM, ticket.id))
        [held], [told] = won, lost
        assert isinstance(told, AlreadyClaimed)
        assert told.facts == {"agent": held.assignee, "number": number}
        assert await sams.lines() == ["claimed"]
        assert len([one for one in await sams.audit("ticket.claimed") if one.subject == ticket.id]) == 1
        assert held.assignee is not None
        await sams.work.close(SAM if held.assignee == SAM.user_id else KIM, ticket.id, CloseReason.ANSWERED)
        await sams.cards()
        await sams.told(MEI)


async def test_of_two_who_answer_the_seller_hears_one(two: tuple[AtTheDesk, AtTheDesk]) -> None:
    sams, kims = two
    ticket = await sams.opened()
    won, lost = await raced(
        sams.replies.reply(SAM, ticket.id, Answer("looking"), speak=speak),
        kims.replies.reply(KIM, ticket.id, Answer("mended"), speak=speak),
    )
    [held], [told] = won, lost
    assert isinstance(told, AlreadyClaimed)
    assert told.facts["agent"] == held.assignee
    replies = [one for one in await sams.told(MEI) if isinstance(one, DeskReply)]
    assert [one.agent for one in replies] == [held.assignee]


async def test_of_two_who_close_one_gives_the_reason(two: tuple[AtTheDesk, AtTheDesk]) -> None:
    sams, kims = two
    ticket = await sams.opened()
    won, lost = await raced(
        sams.work.close(SAM, ticket.id, CloseReason.ANSWERED), kims.work.close(KIM, ticket.id, CloseReason.DUPLICATE)
    )
    [closed], [told] = won, lost
    assert isinstance(told, TicketClosed)
    assert await sams.lines() == ["closed"]
    assert (await sams.ticket(ticket.id)).because is closed.because


async def test_what_a_seller_writes_while_it_is_being_closed_is_not_lost(two: tuple[AtTheDesk, AtTheDesk]) -> None:
    sams, kims = two
    for number in range(ROUNDS):
        ticket = await sams.opened(MEI, f"question {number}")
        closing = sams.work.close(SAM, ticket.id, CloseReason.ANSWERED)
        _, lost = await raced(closing, kims.talk.write(MEI, ticket.id, "not yet"))
        assert lost == []
        assert {"wrote", "reopened"} & set(await sams.lines())
        if (await sams.ticket(ticket.id)).state is not TicketState.CLOSED:
            await sams.work.close(SAM, ticket.id, CloseReason.ANSWERED)
        await sams.cards()
        await sams.told(MEI)


async def test_a_question_that_joins_while_the_first_is_deleted_is_not_lost(two: tuple[AtTheDesk, AtTheDesk]) -> None:
    sams, kims = two
    for number in range(ROUNDS):
        await sams.opened(MEI, "a slip", channel_id="C1", ts=f"1.{number}")
        _, joined = await asyncio.gather(
            sams.talk.gone(MEI.team_id, channel_id="C1", ts=f"1.{number}"),
            kims.ask(MEI, "no orders", channel_id="C1", ts=f"2.{number}"),
        )
        ticket = await sams.ticket(joined.ticket.id)
        assert ticket.is_open
        assert ticket.question == ("" if joined.joined and joined.ticket.question == "a slip" else "no orders")
        await sams.work.close(SAM, ticket.id, CloseReason.ANSWERED)
        await sams.cards()
        await sams.told(MEI)


async def test_twenty_agents_press_and_one_of_them_has_it(two: tuple[AtTheDesk, AtTheDesk]) -> None:
    ticket = await two[0].opened()
    won, lost = await raced(*(two[n % 2].work.claim((SAM, KIM)[n % 2], ticket.id) for n in range(20)))
    holders = {one.assignee for one in won}
    assert len(holders) == 1
    assert len(won) + len(lost) == 20
    # whoever lost twice in a row is asked to look again: never is the ticket taken away from its holder
    assert all(isinstance(one, AlreadyClaimed | ConcurrentChange) for one in lost)
    assert await two[0].lines() == ["claimed"]
