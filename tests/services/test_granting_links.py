"""Links: replaced, expired, spent, unknown, silent; and what many hands at once may not break."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.domain.consent import LINK_LIFETIME, STATE_LIFETIME, Outcome
from bot.domain.grants import GrantState
from bot.domain.notices import ConsentCard, ConsentResult
from bot.domain.verification import Reason, Refused
from bot.errors import LinkExpired, LinkSpent, LinkUnknown, NothingToConfirm, StoreDisabled, UnknownStore
from bot.services.amazon_answers import AmazonAnswer
from bot.services.stores import StoreDraft
from tests import fakes
from tests.services.desk import ACME, ALEX, LIN, MEI, ORDERS, Desk


async def test_a_newer_link_takes_the_older_ones_place(desk: Desk) -> None:
    store = await desk.store()
    old, new = await desk.card(store), await desk.card(store)
    with pytest.raises(LinkSpent):
        await desk.granting.press(old.secret)
    assert (await desk.granting.look(old.secret)).attempt.outcome is Outcome.REPLACED
    assert (await desk.come_back(await desk.press(new.secret))).verdict


async def test_an_answer_by_a_replaced_link_still_counts(desk: Desk) -> None:
    store = await desk.store()
    state = await desk.leave(store)
    await desk.card(store)
    assert (await desk.come_back(state)).verdict
    assert (await desk.grant(store)).state is GrantState.GRANTED


async def test_a_link_lives_for_a_day(desk: Desk) -> None:
    card = await desk.card(await desk.store())
    desk.clock.advance(LINK_LIFETIME - timedelta(seconds=1))
    await desk.granting.look(card.secret)
    desk.clock.advance(timedelta(seconds=1))
    with pytest.raises(LinkExpired):
        await desk.granting.look(card.secret)
    with pytest.raises(LinkExpired):
        await desk.granting.press(card.secret)


async def test_a_link_that_did_its_work_can_be_looked_at_but_not_pressed(desk: Desk) -> None:
    store = await desk.store()
    card = await desk.card(store)
    await desk.come_back(await desk.press(card.secret))
    with pytest.raises(LinkSpent):
        await desk.granting.press(card.secret)
    assert (await desk.granting.look(card.secret)).attempt.outcome is Outcome.GRANTED


@pytest.mark.parametrize("secret", ["", "made-up", "'; drop table stores", "页"])
async def test_an_unknown_link_is_unknown(desk: Desk, secret: str) -> None:
    with pytest.raises(LinkUnknown):
        await desk.granting.look(secret)
    with pytest.raises(LinkUnknown):
        await desk.granting.press(secret)


async def test_the_link_of_a_deleted_store_is_unknown(desk: Desk) -> None:
    store = await desk.store()
    card = await desk.card(store)
    await desk.stores.delete(MEI, store.id)
    with pytest.raises(LinkUnknown):
        await desk.granting.look(card.secret)


async def test_nobody_gets_a_link_for_somebody_elses_store(desk: Desk) -> None:
    store = await desk.store()
    for stranger in (LIN, ALEX):
        with pytest.raises(UnknownStore):
            await desk.granting.prepare(stranger, ORDERS, store.id)
    assert await desk.told(LIN.user_id) == []


async def test_a_disabled_store_is_neither_linked_nor_pressed_nor_confirmed(desk: Desk) -> None:
    await desk.granted()
    canada = await desk.store(MEI, "Acme CA", "CA")
    card = await desk.card(canada)
    await desk.stores.disable(MEI, canada.id)
    with pytest.raises(StoreDisabled):
        await desk.granting.prepare(MEI, ORDERS, canada.id)
    with pytest.raises(StoreDisabled):
        await desk.granting.press(card.secret)
    with pytest.raises(StoreDisabled):
        await desk.granting.begin_confirm(MEI, card.attempt_id)
    assert await desk.granting.confirm(card.attempt_id) is None
    assert (await desk.grant(canada)).state is GrantState.NOT_GRANTED


async def test_silence_is_closed_once_and_told_once(desk: Desk) -> None:
    store = await desk.store()
    card = await desk.card(store)
    await desk.press(card.secret)
    desk.clock.advance(STATE_LIFETIME - timedelta(seconds=1))
    assert await desk.granting.close_silent() == 0
    desk.clock.advance(timedelta(seconds=1))
    assert await desk.granting.close_silent() == 1
    assert await desk.granting.close_silent() == 0

    [task] = await fakes.tasks(desk.database)
    assert (task.kind, task.body["attempt_id"]) == ("nudge_silent", card.attempt_id)
    assert await desk.told() == [], "what is said is found out by the task"
    assert await desk.ending(store) == (Outcome.TIMED_OUT, Reason.NO_ANSWER)
    assert (await desk.grant(store)).state is GrantState.AUTHORIZING

    assert (await desk.come_back(await desk.press(card.secret))).verdict
    desk.clock.advance(STATE_LIFETIME)
    assert await desk.granting.close_silent() == 0


async def test_two_replicas_closing_silence_at_once_tell_once(desk: Desk) -> None:
    await desk.leave(await desk.store())
    desk.clock.advance(STATE_LIFETIME)
    assert sorted(await asyncio.gather(*(desk.granting.close_silent() for _ in range(2)))) == [0, 1]
    assert len(await fakes.tasks(desk.database)) == 1


async def test_two_answers_at_once_exchange_one_code(desk: Desk) -> None:
    store = await desk.store()
    state = await desk.leave(store)
    code = desk.amazon.agree(ORDERS, ACME, "US")
    arrivals = await asyncio.gather(*(desk.come_back(state, code=code) for _ in range(2)))
    assert desk.amazon.asked("exchange") == 1
    assert len({arrival.receipt for arrival in arrivals}) == 1
    assert sum(bool(arrival.verdict) for arrival in arrivals) == 1
    assert len(await desk.told()) == 1
    assert (await desk.grant(store)).state is GrantState.GRANTED


async def test_twenty_presses_at_once_all_leave_and_any_of_them_may_come_back(desk: Desk) -> None:
    store = await desk.store()
    card = await desk.card(store)
    states = await asyncio.gather(*(desk.press(card.secret) for _ in range(20)))
    assert len(set(states)) == 20
    assert (await desk.come_back(states[7])).verdict
    assert (await desk.grant(store)).state is GrantState.GRANTED


async def test_twenty_presses_of_confirm_grant_and_tell_once(desk: Desk) -> None:
    await desk.granted()
    card = await desk.card(await desk.store(MEI, "Acme CA", "CA"))
    verdicts = [await desk.granting.confirm(card.attempt_id) for _ in range(20)]
    assert [bool(verdict) for verdict in verdicts] == [True] + [False] * 19
    assert len(await desk.told()) == 1


async def test_two_sellers_consenting_for_one_amazon_account_at_once_leave_one_holder(desk: Desk) -> None:
    mine, theirs = await desk.store(MEI, "Mine", "US"), await desk.store(ALEX, "Theirs", "US")
    states = [await desk.leave(mine), await desk.leave(theirs, person=ALEX)]
    desk.amazon.waits_for("probe", 2)

    arrivals = await asyncio.gather(*(desk.come_back(state) for state in states))

    assert sorted(bool(arrival.verdict) for arrival in arrivals) == [False, True]
    assert Refused(Reason.HELD_BY_ANOTHER) in [arrival.verdict for arrival in arrivals]
    standings = {(await desk.grant(store)).state for store in (mine, theirs)}
    assert standings == {GrantState.GRANTED, GrantState.NOT_GRANTED}
    told = [*await desk.told(MEI.user_id), *await desk.told(ALEX.user_id)]
    reasons = [notice.reason for notice in told if isinstance(notice, ConsentResult)]
    assert sorted(reasons) == ["", "held_by_another"]
    await desk.nothing_leaked(*told)


async def test_of_two_sellers_amazon_could_not_be_asked_about_the_later_one_is_refused_too(desk: Desk) -> None:
    """Neither store is bound yet: what the first one holds is a token, in another region than the second's."""
    mine, theirs = await desk.store(MEI, "Mine", "US"), await desk.store(ALEX, "Theirs", "DE")
    states = [await desk.leave(mine), await desk.leave(theirs, person=ALEX)]
    desk.amazon.waits_for("participations", 2)
    desk.amazon.will("participations", *[Refused(Reason.AMAZON_UNAVAILABLE)] * 2)
    arrivals = await asyncio.gather(*(desk.come_back(state) for state in states))
    assert {arrival.verdict for arrival in arrivals} == {
        Refused(Reason.AMAZON_UNAVAILABLE),
        Refused(Reason.HELD_BY_ANOTHER),
    }


async def test_two_links_made_at_once_leave_one_that_works(desk: Desk) -> None:
    store = await desk.store()
    await asyncio.gather(*(desk.granting.prepare(MEI, ORDERS, store.id) for _ in range(2)))
    cards = [notice for notice in await desk.told() if isinstance(notice, ConsentCard)]
    usable = [card for card in cards if (await desk.attempt(card.secret)).is_usable(desk.clock())]
    assert (len(cards), len(usable)) == (2, 1)


async def test_only_a_granted_link_leads_onward(desk: Desk) -> None:
    store = await desk.store()
    card = await desk.card(store)
    with pytest.raises(LinkSpent):
        await desk.granting.onward(MEI, await desk.attempt(card.secret))
    await desk.come_back(await desk.press(card.secret))
    desk.clock.advance(LINK_LIFETIME)
    with pytest.raises(LinkSpent):
        await desk.granting.onward(MEI, await desk.attempt(card.secret))


async def test_there_is_nothing_to_confirm_on_a_plain_link(desk: Desk) -> None:
    card = await desk.card(await desk.store())
    with pytest.raises(NothingToConfirm):
        await desk.granting.begin_confirm(MEI, card.attempt_id)
    assert await desk.granting.confirm(card.attempt_id) is None
    assert await desk.granting.confirm("made-up") is None


async def test_a_replaced_card_cannot_be_confirmed(desk: Desk) -> None:
    await desk.granted()
    canada = await desk.store(MEI, "Acme CA", "CA")
    old = await desk.card(canada)
    await desk.card(canada)
    with pytest.raises(LinkSpent):
        await desk.granting.begin_confirm(MEI, old.attempt_id)


# --- the store moves while its seller is at Amazon -------------------------------------------------------------------


async def test_a_consent_for_the_region_a_store_was_in_before_is_not_taken_for_the_new_one(desk: Desk) -> None:
    store = await desk.store()
    card = await desk.card(store)
    state = await desk.press(card.secret)
    code = desk.amazon.agree(ORDERS, ACME, "US")
    await desk.stores.edit(MEI, store.id, StoreDraft("Acme", "DE", "2026-01-31"))

    assert (await desk.come_back(state, code=code)).verdict == Refused(Reason.UNKNOWN_STATE)

    assert desk.amazon.asked("exchange") == 0
    assert (await desk.grant(store)).state is GrantState.NOT_GRANTED
    assert (await desk.stores.get(MEI, store.id)).selling_partner_id is None
    await desk.stores.edit(MEI, store.id, StoreDraft("Acme", "UK", "2026-01-31"))
    assert (await desk.come_back(await desk.press(card.secret))).verdict, (
        "the same link leads to where the store is now"
    )


async def test_another_marketplace_of_the_same_region_is_covered_by_the_same_consent(desk: Desk) -> None:
    store = await desk.store()
    state = await desk.leave(store)
    await desk.stores.edit(MEI, store.id, StoreDraft("Acme", "CA", "2026-01-31"))
    assert (await desk.come_back(state)).verdict


@pytest.mark.parametrize("call", ["exchange", "participations", "probe"])
async def test_a_store_that_moves_while_amazon_is_asked_is_not_granted(desk: Desk, call: str) -> None:
    store = await desk.store()
    desk.amazon.meanwhile(call, lambda: desk.stores.edit(MEI, store.id, StoreDraft("Acme", "DE", "2026-01-31")))

    assert (await desk.consent(store)).verdict == Refused(Reason.CODE_REJECTED)

    assert (await desk.grant(store)).state is GrantState.NOT_GRANTED
    assert (await desk.stores.get(MEI, store.id)).selling_partner_id is None
    assert (await desk.consent(store)).verdict


# --- two tabs --------------------------------------------------------------------------------------------------------


async def test_a_late_answer_of_an_older_tab_leaves_the_trip_under_way_alone(desk: Desk) -> None:
    store = await desk.store()
    card = await desk.card(store)
    first = await desk.press(card.secret)
    desk.clock.advance(timedelta(minutes=11))
    await desk.granting.close_silent()
    second = await desk.press(card.secret)
    before = await desk.attempt(card.secret)

    late = await desk.come_back(first)

    assert late.verdict == Refused(Reason.TOO_LATE)
    assert late.receipt is not None
    shown = await desk.granting.result(late.receipt)
    assert shown is not None
    assert shown[0].reason is Reason.TOO_LATE, "the older tab reads it all the same"
    assert await desk.attempt(card.secret) == before
    assert (await desk.grant(store)).state is GrantState.AUTHORIZING
    assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.WAITING)
    assert (await desk.come_back(second)).verdict


async def test_a_press_while_an_older_tabs_code_is_rejected_stays_the_last(desk: Desk) -> None:
    store = await desk.store()
    card = await desk.card(store)
    first = await desk.press(card.secret)
    desk.clock.advance(timedelta(minutes=6))
    desk.amazon.meanwhile("exchange", lambda: desk.press(card.secret))

    assert (await desk.come_back(first, code="ANcode|wrong")).verdict == Refused(Reason.CODE_REJECTED)

    attempt = await desk.attempt(card.secret)
    assert (attempt.outcome, attempt.pressed_at) == (None, desk.clock())
    assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.WAITING)
    desk.clock.advance(STATE_LIFETIME)
    assert await desk.granting.close_silent() == 1


async def test_a_refusal_leaves_the_grant_to_a_colleague_who_is_at_amazon(desk: Desk) -> None:
    store = await desk.store()
    await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    mine = await desk.leave(store)
    desk.clock.advance(timedelta(minutes=1))
    theirs = await desk.leave(store, person=LIN)
    refused = await desk.granting.answer(ORDERS, AmazonAnswer(mine, error="access_denied"))
    assert refused.verdict == Refused(Reason.CANCELLED)
    assert (await desk.grant(store)).state is GrantState.AUTHORIZING
    assert not (await desk.granting.answer(ORDERS, AmazonAnswer(theirs, error="access_denied"))).verdict
    assert (await desk.grant(store)).state is GrantState.NOT_GRANTED
