"""The seller's side of a ticket: what they write next, that it is solved, what they delete; and how it ends."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.desk_notices import SellerTicket, TicketCard
from bot.domain.tickets import CloseReason, Source, TicketState, ticket_subject
from bot.domain.verification import Reason, Refused
from bot.errors import (
    EmptyQuestion,
    TicketClosed,
    UnknownTicket,
    WrongChoice,
)
from bot.ports import CardAddress
from bot.ports.desk import Queue
from bot.services.desk_replies import Answer
from bot.services.support import Ask
from tests.services.at_the_desk import KIM, SAM, TEAM, AtTheDesk, speak
from tests.services.desk import LIN, MEI, ORDERS, Desk


@pytest.fixture
def at(desk: Desk) -> AtTheDesk:
    return AtTheDesk(desk)


async def test_a_closed_ticket_opens_again_when_the_seller_writes_in_its_thread(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.work.close(SAM, ticket.id, CloseReason.ANSWERED)
    with pytest.raises(TicketClosed):
        await at.work.claim(KIM, ticket.id)
    await at.database.cards.put(TEAM, MEI.user_id, ticket_subject(ticket.id), CardAddress("D1", "1.1"))
    heard = await at.talk.heard(MEI, "还是不行", channel_id="D1", ts="2.2", thread_ts="1.1")
    assert heard is not None
    assert heard.reopened
    assert (heard.ticket.state, heard.ticket.reopened, heard.ticket.assignee) == (TicketState.OPEN, 1, None)
    assert (await at.lines())[-1] == "reopened"
    assert await at.talk.heard(LIN, "me too", channel_id="D1", ts="3.3", thread_ts="1.1") is None
    assert await at.talk.heard(MEI, "elsewhere", channel_id="D1", ts="4.4", thread_ts="9.9") is None
    assert await at.talk.heard(MEI, "a new question", channel_id="D1", ts="5.5") is None


async def test_while_the_desk_waits_whatever_the_seller_says_is_its_answer(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.replies.reply(SAM, ticket.id, Answer("which_store"), speak=speak)
    heard = await at.talk.heard(MEI, "Acme US", channel_id="D1", ts="1.1")
    assert heard is not None
    assert not heard.reopened
    assert (heard.ticket.state, heard.ticket.assignee) == (TicketState.CLAIMED, SAM.user_id)
    assert await at.talk.heard(MEI, "and another thing", channel_id="D1", ts="2.2") is None


async def test_what_the_desk_asked_for_reaches_it_although_the_agent_went_home(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.replies.reply(SAM, ticket.id, Answer("which_store"), speak=speak)
    assert await at.work.release_all(SAM) == 1
    back = await at.ticket(ticket.id)
    assert (back.state, back.assignee, back.alert_at) == (TicketState.WAITING, None, None)
    assert [one.id for one in (await at.queue.page(KIM, Queue.UNCLAIMED)).tickets] == [ticket.id]
    told = [one for one in await at.told(MEI) if isinstance(one, SellerTicket)]
    assert (told[-1].state, told[-1].agent) == ("waiting", "")

    heard = await at.talk.heard(MEI, "Acme US", channel_id="D1", ts="1.1")
    assert heard is not None
    assert (heard.ticket.state, heard.ticket.assignee, heard.ticket.waiting_since) == (TicketState.OPEN, None, None)
    assert (await at.lines())[-2:] == ["released", "wrote"]


async def test_whoever_takes_what_was_put_back_waits_for_the_seller_as_well(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.replies.reply(SAM, ticket.id, Answer("which_store"), speak=speak)
    await at.work.release(SAM, ticket.id)
    taken = await at.work.claim(KIM, ticket.id)
    assert (taken.state, taken.assignee) == (TicketState.WAITING, KIM.user_id)
    heard = await at.talk.heard(MEI, "Acme US", channel_id="D1", ts="1.1")
    assert heard is not None
    assert (heard.ticket.state, heard.ticket.assignee) == (TicketState.CLAIMED, KIM.user_id)


async def test_a_message_that_slack_delivers_again_is_written_once(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.replies.reply(SAM, ticket.id, Answer("which_store"), speak=speak)
    await at.lines()
    first = await at.talk.heard(MEI, "Acme US", channel_id="D1", ts="1.1")
    again = await at.talk.heard(MEI, "Acme US", channel_id="D1", ts="1.1")
    assert first is not None
    assert again is not None, "it is no question to the articles the second time"
    assert (again.ticket.id, again.reopened) == (ticket.id, False)
    assert await at.lines() == ["wrote"]

    await at.database.cards.put(TEAM, MEI.user_id, ticket_subject(ticket.id), CardAddress("D1", "0.9"))
    twice = [at.talk.heard(MEI, "and more", channel_id="D1", ts="2.2", thread_ts="0.9") for _ in range(2)]
    assert all(await asyncio.gather(*twice))
    assert await at.lines() == ["wrote"]
    await at.work.close(SAM, ticket.id, CloseReason.ANSWERED)
    await at.lines()
    late = await at.talk.heard(MEI, "and more", channel_id="D1", ts="2.2", thread_ts="0.9")
    assert late is not None
    assert not (await at.ticket(ticket.id)).is_open, "a late copy opens nothing again"
    assert await at.lines() == []


async def test_a_seller_writes_by_form_and_says_that_it_is_solved_and_nobody_else_does(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.talk.write(MEI, ticket.id, "one more thing")
    with pytest.raises(EmptyQuestion):
        await at.talk.write(MEI, ticket.id, " ")
    for act in (at.talk.write(LIN, ticket.id, "mine?"), at.talk.solved(LIN, ticket.id)):
        with pytest.raises(UnknownTicket):
            await act
    assert (await at.talk.solved(MEI, ticket.id)).because is CloseReason.SOLVED
    with pytest.raises(TicketClosed):
        await at.talk.solved(MEI, ticket.id)


async def test_deleting_the_message_takes_back_what_nobody_has_taken_and_else_its_words(at: AtTheDesk) -> None:
    ticket = await at.opened(MEI, "a slip", channel_id="C1", ts="1.1")
    assert await at.talk.gone(TEAM, channel_id="C1", ts="9.9") == []
    [gone] = await at.talk.gone(TEAM, channel_id="C1", ts="1.1")
    assert (gone.state, gone.because, gone.question) == (TicketState.CLOSED, CloseReason.WITHDRAWN, "")
    assert await at.talk.gone(TEAM, channel_id="C1", ts="1.1") == []
    assert await at.lines() == ["withdrawn"]
    second = await at.opened(MEI, "another slip", channel_id="C1", ts="2.2")
    assert second.id != ticket.id
    await at.work.claim(SAM, second.id)
    [kept] = await at.talk.gone(TEAM, channel_id="C1", ts="2.2")
    assert (kept.state, kept.question) == (TicketState.CLAIMED, "")
    cards = await at.cards()
    assert [card.line for card in cards if card.line] == ["claimed", "source_gone"]
    assert all(isinstance(card, TicketCard) for card in cards)


async def test_a_ticket_about_our_own_failure_stays_when_a_question_that_joined_it_is_deleted(at: AtTheDesk) -> None:
    store = await at.house.granted()
    at.house.amazon.will("refresh", Refused(Reason.OUR_CREDENTIALS))
    await at.house.checking.tell(MEI, ORDERS, store.id)
    joined = await at.ask(MEI, "why are there no orders?", store_id=store.id, channel_id="C1", ts="1.1")
    assert (joined.joined, joined.ticket.source) == (True, Source.FAILURE)
    [kept] = await at.talk.gone(TEAM, channel_id="C1", ts="1.1")
    assert (kept.state, kept.question, kept.cause) == (TicketState.OPEN, "", "our_credentials")


async def test_the_words_that_opened_a_ticket_again_go_with_their_message_and_with_no_other(at: AtTheDesk) -> None:
    store = await at.house.store()
    first = await at.opened(MEI, "no orders", store_id=store.id, channel_id="C1", ts="1.1")
    await at.work.close(SAM, first.id, CloseReason.ANSWERED)
    again = await at.ask(MEI, "call me at 555-0199", store_id=store.id, channel_id="C1", ts="2.2")
    assert again.reopened
    [kept] = await at.talk.gone(TEAM, channel_id="C1", ts="1.1")
    assert (kept.id, kept.state, kept.question) == (first.id, TicketState.OPEN, "call me at 555-0199")
    await at.work.claim(SAM, first.id)
    await at.cards()
    [kept] = await at.talk.gone(TEAM, channel_id="C1", ts="2.2")
    assert (kept.state, kept.question) == (TicketState.CLAIMED, "")
    assert [card.question for card in await at.cards()] == [""]


async def test_words_that_came_to_a_ticket_without_any_go_with_their_message(at: AtTheDesk) -> None:
    store = await at.house.store()
    first = await at.opened(MEI, "", topic="still-authorizing", store_id=store.id)
    for number, words in enumerate(("a slip", "what I mean"), start=1):
        joined = await at.ask(MEI, words, store_id=store.id, channel_id="C1", ts=f"{number}.{number}")
        assert (joined.ticket.id, joined.ticket.question) == (first.id, words)
        [kept] = await at.talk.gone(TEAM, channel_id="C1", ts=f"{number}.{number}")
        assert (kept.state, kept.question) == (TicketState.OPEN, "")


async def test_a_message_behind_two_tickets_goes_from_both(at: AtTheDesk) -> None:
    closed = await at.opened(MEI, "no orders", channel_id="C1", ts="1.1")
    await at.work.close(SAM, closed.id, CloseReason.DUPLICATE)
    opened = await at.opened(MEI, "no orders", channel_id="C1", ts="1.1", by=SAM)
    assert opened.id != closed.id
    await at.lines()
    gone = await at.talk.gone(TEAM, channel_id="C1", ts="1.1")
    assert [(one.id, one.because, one.question) for one in gone] == [
        (closed.id, CloseReason.DUPLICATE, ""),
        (opened.id, CloseReason.WITHDRAWN, ""),
    ]
    assert await at.lines() == ["source_gone", "withdrawn"]


async def test_a_late_copy_of_a_message_that_was_deleted_opens_nothing(at: AtTheDesk) -> None:
    channel = Ask(Source.CHANNEL, question="a slip", channel_id="C1", ts="1.1")
    withdrawn = (await at.house.support.ask_person(MEI, channel)).ticket
    await at.talk.gone(TEAM, channel_id="C1", ts="1.1")
    copy = await at.house.support.ask_person(MEI, channel)
    assert (copy.ticket.id, copy.joined, copy.ticket.is_open, copy.ticket.question) == (withdrawn.id, True, False, "")

    ticket = await at.opened(MEI, "no orders")
    await at.database.cards.put(TEAM, MEI.user_id, ticket_subject(ticket.id), CardAddress("D1", "1.1"))
    await at.talk.heard(MEI, "a slip", channel_id="D1", ts="2.2", thread_ts="1.1")
    await at.talk.gone(TEAM, channel_id="D1", ts="2.2")
    await at.work.close(SAM, ticket.id, CloseReason.ANSWERED)
    await at.lines()
    late = await at.talk.heard(MEI, "a slip", channel_id="D1", ts="2.2", thread_ts="1.1")
    assert late is not None, "it is no question to the articles either"
    assert not (await at.ticket(ticket.id)).is_open
    assert await at.lines() == []


async def test_only_reasons_that_are_an_agents_close_a_ticket(at: AtTheDesk) -> None:
    ticket = await at.opened()
    for reason in (CloseReason.SOLVED, CloseReason.INCIDENT, CloseReason.WITHDRAWN):
        with pytest.raises(WrongChoice):
            await at.work.close(SAM, ticket.id, reason)


async def test_every_act_is_in_the_audit(at: AtTheDesk) -> None:
    store = await at.house.store()
    ticket = await at.opened(MEI, "help", store_id=store.id)
    await at.work.claim(SAM, ticket.id)
    await at.care.ask_check(SAM, ticket.id)
    await at.replies.reply(SAM, ticket.id, Answer("which_user"), speak=speak)
    await at.talk.write(MEI, ticket.id, "yes")
    await at.work.hand_over(SAM, ticket.id, KIM.user_id)
    await at.work.close(KIM, ticket.id, CloseReason.ANSWERED)
    assert [(one.actor, one.action) for one in await at.audit()] == [
        (MEI.user_id, "ticket.opened"),
        (SAM.user_id, "ticket.claimed"),
        (SAM.user_id, "ticket.check_asked"),
        (SAM.user_id, "ticket.asked"),
        (MEI.user_id, "ticket.wrote"),
        (SAM.user_id, "ticket.handed_over"),
        (KIM.user_id, "ticket.closed"),
    ]
    assert "yes" not in repr(await at.audit())
