"""Tickets at the desk: how they come, who has them, what is answered in whose language, and how they end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.domain.desk_notices import DeskReply, SellerTicket
from bot.domain.features import FeatureKey
from bot.domain.notices import ConsentCard
from bot.domain.templates import ARTICLE, OWN_WORDS
from bot.domain.tickets import CloseReason, Source, TicketState
from bot.domain.verification import Reason, Refused
from bot.domain.year_notices import GrantBroke
from bot.errors import (
    AlreadyClaimed,
    EmptyQuestion,
    NoStoreThere,
    NotAnAgent,
    NotAtTheDesk,
    NothingToSend,
    TicketClosed,
    UnknownStore,
    UnknownTicket,
    WrongChoice,
)
from bot.services.desk_replies import Answer
from bot.services.support import Ask
from tests.services.at_the_desk import KIM, SAM, TEAM, AtTheDesk, speak
from tests.services.desk import LIN, MEI, ORDERS, Desk


@pytest.fixture
def at(desk: Desk) -> AtTheDesk:
    return AtTheDesk(desk)


# --- into the desk ---------------------------------------------------------------------------------------------------


async def test_a_question_comes_with_its_store_its_feature_its_topic_and_what_was_read(at: AtTheDesk) -> None:
    store = await at.house.granted()
    await at.house.answering().shown(MEI, "sister-system")
    opened = await at.ask(MEI, "我授权了刊登，为什么库存不同步")
    ticket = opened.ticket
    assert (opened.joined, opened.reopened, ticket.number) == (False, False, 1)
    assert (ticket.store_id, ticket.feature, ticket.locale) == (store.id, FeatureKey.LISTING, "zh-CN")
    assert (ticket.topic, ticket.answers) == ("granted-but-not-working", ("sister-system",))
    [card] = await at.cards()
    assert (card.user_id, card.question, card.status) == (MEI.user_id, ticket.question, "orders_only")
    assert [grant[:2] for grant in card.grants] == [("orders", "granted"), ("listing", "not_granted")]
    [told] = await at.told(MEI)
    assert isinstance(told, SellerTicket)
    assert (told.event, told.number, bool(told.due)) == ("opened", 1, True)


async def test_the_card_is_diagnosed_at_amazon_and_gets_a_suggestion_about_the_sellers_store(at: AtTheDesk) -> None:
    store = await at.house.granted()
    at.house.amazon.withdraw("A2ACMEPARTNER", ORDERS)
    ticket = await at.opened(MEI, "授权好了怎么没有订单？", feature=ORDERS)
    await at.care.diagnose(TEAM, ticket.id, by="", say=speak(SAM))
    [card] = await at.cards()
    assert (card.checked, card.line) == ("revoked", "checked_refused")
    assert card.grants[0][1] == "revoked"
    assert "Acme US" in card.suggestion
    assert store.label == "Acme US"
    assert any(isinstance(one, GrantBroke) for one in await at.told(MEI)), "the ticket told Sam, and nobody told Mei"


async def test_a_second_question_about_the_store_joins_the_first_whoever_of_the_account_asks(at: AtTheDesk) -> None:
    store = await at.house.store()
    await at.house.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    first = await at.opened(MEI, "first", store_id=store.id)
    second = await at.ask(LIN, "second", store_id=store.id)
    assert (second.joined, second.ticket.id, second.ticket.joined) == (True, first.id, 1)
    assert await at.lines() == ["joined"]
    told = await at.told(LIN)
    assert [type(one) for one in told[-1:]] == [SellerTicket]
    await at.replies.reply(SAM, first.id, Answer("which_user"), speak=speak)
    for person, account in ((MEI, "主账号"), (LIN, "主帳號")):
        reply = (await at.told(person))[-1]
        assert isinstance(reply, DeskReply)
        assert account in reply.text


async def test_twenty_questions_at_once_about_one_store_are_one_ticket(at: AtTheDesk) -> None:
    store = await at.house.store()
    found = await asyncio.gather(*(at.ask(MEI, f"question {number}", store_id=store.id) for number in range(20)))
    assert {one.ticket.number for one in found} == {1}
    assert sum(not one.joined for one in found) == 1


async def test_a_message_brought_twice_says_nothing_new(at: AtTheDesk) -> None:
    first = await at.opened(MEI, "help", channel_id="C1", ts="1.1")
    again = await at.ask(MEI, "help, edited", channel_id="C1", ts="1.1")
    assert (again.ticket.id, again.joined, again.ticket.joined) == (first.id, True, 0)
    assert await at.cards() == []


async def test_asking_again_within_a_week_opens_the_same_ticket_and_later_a_new_one(at: AtTheDesk) -> None:
    store = await at.house.store()
    ticket = await at.opened(MEI, "first", store_id=store.id)
    await at.work.close(SAM, ticket.id, CloseReason.ANSWERED)
    again = await at.ask(MEI, "still not", store_id=store.id)
    assert (again.reopened, again.ticket.id, again.ticket.state) == (True, ticket.id, TicketState.OPEN)
    await at.work.close(SAM, ticket.id, CloseReason.ANSWERED)
    at.clock.advance(timedelta(days=8))
    assert (await at.ask(MEI, "a new thing", store_id=store.id)).ticket.id != ticket.id


async def test_nobody_asks_about_somebody_elses_store_and_nobody_asks_nothing(at: AtTheDesk) -> None:
    store = await at.house.store()
    with pytest.raises(UnknownStore):
        await at.ask(LIN, "what is this?", store_id=store.id)
    with pytest.raises(EmptyQuestion):
        await at.ask(MEI, "   ")
    assert await at.cards() == []


async def test_an_agent_opens_a_ticket_for_a_seller_and_the_audit_says_for_whom(at: AtTheDesk) -> None:
    await at.house.store()
    await at.house.support.ask_person(MEI, Ask(Source.COMMAND, question="she called", by=SAM))
    [event] = await at.audit("ticket.opened")
    assert (event.actor, event.on_behalf_of) == (SAM.user_id, MEI.user_id)


async def test_what_fails_by_our_fault_is_a_ticket_and_failing_again_is_not_another(at: AtTheDesk) -> None:
    store = await at.house.granted()
    for _ in range(3):
        at.house.amazon.will("refresh", Refused(Reason.OUR_CREDENTIALS))
        await at.house.checking.tell(MEI, ORDERS, store.id)
    [card] = await at.cards()
    assert (card.source, card.cause, card.user_id) == ("failure", "our_credentials", MEI.user_id)
    assert not any(isinstance(one, SellerTicket) for one in await at.told(MEI))


async def test_a_seller_who_asked_nothing_reads_why_there_is_a_ticket(at: AtTheDesk) -> None:
    store = await at.house.granted()
    at.house.amazon.will("refresh", Refused(Reason.OUR_CREDENTIALS))
    await at.house.checking.tell(MEI, ORDERS, store.id)
    [card] = await at.cards()
    await at.told(MEI)
    await at.work.claim(SAM, card.ticket_id)
    [told] = await at.told(MEI)
    assert isinstance(told, SellerTicket)
    assert (told.found, told.question, told.agent) == (True, "", SAM.user_id)
    await at.ask(MEI, "what happened?", store_id=store.id)
    assert [one.found for one in await at.told(MEI) if isinstance(one, SellerTicket)] == [False]


async def test_no_secret_reaches_the_desk(at: AtTheDesk) -> None:
    store = await at.house.granted()
    card = await at.house.card(store, FeatureKey.LISTING)
    token = next(one for one in at.house.amazon.secrets if one.startswith("Atzr"))
    await at.opened(MEI, f"my link is https://bot.example.com/connect/{card.secret} and {token}")
    ticket = (await at.ask(MEI, "again")).ticket
    await at.care.prepare_link(SAM, ticket.id, ORDERS)
    await at.care.diagnose(TEAM, ticket.id, by=SAM.user_id, say=speak(SAM))
    await at.house.nothing_leaked(*await at.house.support_told())


# --- whose it is -----------------------------------------------------------------------------------------------------


async def test_of_two_who_claim_at_once_one_wins_and_the_other_is_told_who(at: AtTheDesk) -> None:
    ticket = await at.opened()
    results = await asyncio.gather(at.work.claim(SAM, ticket.id), at.work.claim(KIM, ticket.id), return_exceptions=True)
    [lost] = [one for one in results if isinstance(one, BaseException)]
    winner = (await at.ticket(ticket.id)).assignee
    assert isinstance(lost, AlreadyClaimed)
    assert lost.facts == {"agent": winner, "number": 1}
    assert await at.lines() == ["claimed"]


async def test_claiming_ones_own_again_says_nothing_twice(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.work.claim(SAM, ticket.id)
    await at.work.claim(SAM, ticket.id)
    assert await at.lines() == ["claimed"]


async def test_a_ticket_is_handed_over_put_back_and_taken_again(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.work.claim(SAM, ticket.id)
    assert (await at.work.hand_over(SAM, ticket.id, KIM.user_id)).assignee == KIM.user_id
    with pytest.raises(NotAtTheDesk):
        await at.work.hand_over(KIM, ticket.id, MEI.user_id)
    assert (await at.work.release(KIM, ticket.id)).state is TicketState.OPEN
    assert (await at.work.claim(SAM, ticket.id)).assignee == SAM.user_id
    assert await at.lines() == ["claimed", "handed_over", "released", "claimed"]


async def test_a_seller_whose_ticket_is_put_back_no_longer_reads_that_somebody_has_it(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.work.claim(SAM, ticket.id)
    await at.told(MEI)
    await at.work.release(SAM, ticket.id)
    [told] = await at.told(MEI)
    assert isinstance(told, SellerTicket)
    assert (told.event, told.state, told.agent) == ("changed", "open", "")


async def test_sellers_do_nothing_at_the_desk(at: AtTheDesk) -> None:
    ticket = await at.opened()
    for act in (
        at.work.claim(MEI, ticket.id),
        at.work.close(MEI, ticket.id, CloseReason.ANSWERED),
        at.replies.reply(MEI, ticket.id, Answer("looking"), speak=speak),
        at.care.prepare_link(MEI, ticket.id, ORDERS),
        at.care.ask_check(MEI, ticket.id),
        at.care.card(MEI, ticket.id, say=speak(MEI)),
        at.acts.numbered(MEI, "1"),
    ):
        with pytest.raises(NotAnAgent):
            await act


async def test_a_ticket_is_found_by_its_number_however_it_is_written(at: AtTheDesk) -> None:
    ticket = await at.opened()
    assert (await at.acts.numbered(SAM, "#1")).id == ticket.id
    for wrong in ("", "2", "one", "①", "99999999999999999999"):
        with pytest.raises(UnknownTicket):
            await at.acts.numbered(SAM, wrong)


# --- answering -------------------------------------------------------------------------------------------------------


async def test_a_template_is_sent_in_the_sellers_language_and_shown_in_the_agents(at: AtTheDesk) -> None:
    ticket = await at.opened()
    preview = await at.replies.preview(SAM, ticket.id, Answer("which_user"), speak=speak)
    assert ("主账号" in preview.seller, "primary user" in preview.agent, preview.locale) == (True, True, "zh-CN")
    replied = await at.replies.reply(SAM, ticket.id, Answer("which_user", "谢谢"), speak=speak)
    assert (replied.state, replied.assignee) == (TicketState.WAITING, SAM.user_id)
    reply = (await at.told(MEI))[-1]
    assert isinstance(reply, DeskReply)
    assert (reply.text, reply.asks, reply.agent) == (f"{preview.seller}\n\n谢谢", True, SAM.user_id)
    assert await at.lines() == ["claimed", "asked"]


async def test_an_article_speaks_of_the_sellers_stores_not_of_the_agents(at: AtTheDesk) -> None:
    await at.house.store(MEI, "Acme US")
    ticket = await at.opened(MEI, "为什么还显示授权中")
    await at.replies.reply(KIM, ticket.id, Answer(f"{ARTICLE}still-authorizing"), speak=speak)
    reply = (await at.told(MEI))[-1]
    assert isinstance(reply, DeskReply)
    assert "Acme US" in reply.text
    assert reply.button


async def test_nothing_and_things_that_are_not_on_offer_are_not_sent(at: AtTheDesk) -> None:
    ticket = await at.opened()
    with pytest.raises(NothingToSend):
        await at.replies.reply(SAM, ticket.id, Answer(OWN_WORDS, "  "), speak=speak)
    for wrong in ("made-up", f"{ARTICLE}made-up"):
        with pytest.raises(WrongChoice):
            await at.replies.reply(SAM, ticket.id, Answer(wrong), speak=speak)
    assert (await at.ticket(ticket.id)).assignee is None


async def test_nobody_answers_over_anothers_head(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.work.claim(SAM, ticket.id)
    with pytest.raises(AlreadyClaimed):
        await at.replies.reply(KIM, ticket.id, Answer("looking"), speak=speak)
    with pytest.raises(AlreadyClaimed):
        await at.work.close(KIM, ticket.id, CloseReason.ANSWERED)


async def test_the_first_answer_and_the_resolution_are_measured_in_working_time(at: AtTheDesk) -> None:
    # Monday 16:00 in Shanghai; the desk closes at 18:00 and opens at 9:00
    ticket = await at.opened()
    at.clock.advance(timedelta(hours=17, minutes=30))
    await at.replies.reply(SAM, ticket.id, Answer("looking"), speak=speak)
    await at.replies.reply(SAM, ticket.id, Answer("mended"), speak=speak)
    await at.work.close(SAM, ticket.id, CloseReason.MENDED)
    assert ("first_answer", ticket.topic, "zh-CN", timedelta(hours=2, minutes=30), False) in at.observed.seen
    assert ("resolution", ticket.topic, "zh-CN", timedelta(hours=2, minutes=30), False) in at.observed.seen


# --- a link on somebody's behalf -------------------------------------------------------------------------------------


async def test_a_link_prepared_by_an_agent_goes_to_the_seller_alone_and_is_audited_so(at: AtTheDesk) -> None:
    store = await at.house.store()
    ticket = await at.opened(MEI, "help", store_id=store.id)
    await at.care.prepare_link(SAM, ticket.id, ORDERS)
    card = (await at.told(MEI))[-1]
    assert isinstance(card, ConsentCard)
    assert card.requested_by == SAM.user_id
    attempt = await at.house.attempt(card.secret)
    assert (attempt.user_id, attempt.requested_by) == (MEI.user_id, SAM.user_id)
    events = await at.audit("link.made") + await at.audit("ticket.link_prepared")
    assert [(one.actor, one.on_behalf_of) for one in events] == [(SAM.user_id, MEI.user_id)] * 2
    assert await at.lines() == ["link"]
    assert card.secret not in repr(await at.cards())


async def test_for_a_closed_ticket_no_link_is_made_and_nobody_is_asked(at: AtTheDesk) -> None:
    store = await at.house.store()
    ticket = await at.opened(MEI, "why?", store_id=store.id)
    await at.work.close(SAM, ticket.id, CloseReason.ANSWERED)
    await at.told(MEI)
    with pytest.raises(TicketClosed):
        await at.care.prepare_link(SAM, ticket.id, ORDERS)
    with pytest.raises(TicketClosed):
        await at.care.ask_check(SAM, ticket.id)
    with pytest.raises(TicketClosed):
        await at.replies.reply(SAM, ticket.id, Answer("looking"), speak=speak)
    assert await at.told(MEI) == []


async def test_without_a_store_there_is_nothing_to_check_and_no_link(at: AtTheDesk) -> None:
    ticket = await at.opened()
    with pytest.raises(NoStoreThere):
        await at.care.ask_check(SAM, ticket.id)
    with pytest.raises(NoStoreThere):
        await at.care.prepare_link(SAM, ticket.id, ORDERS)


async def test_a_store_that_was_deleted_meanwhile_leaves_its_ticket(at: AtTheDesk) -> None:
    store = await at.house.store()
    ticket = await at.opened(MEI, "help", store_id=store.id)
    await at.house.stores.delete(MEI, store.id)
    await at.care.diagnose(TEAM, ticket.id, by="", say=speak(SAM))
    [card] = await at.cards()
    assert (card.store, card.store_gone) == (None, True)
    with pytest.raises(UnknownStore):
        await at.care.prepare_link(SAM, ticket.id, ORDERS)
