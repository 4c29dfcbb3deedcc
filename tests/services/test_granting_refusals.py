"""Every way a consent fails: its own reason, told to the person, older grants untouched, nothing leaked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.domain.consent import Outcome
from bot.domain.desk_notices import TicketCard
from bot.domain.grants import GrantState
from bot.domain.notices import ConsentResult
from bot.domain.stores import Store
from bot.domain.verification import Reason, Refused, Turn
from bot.domain.year_notices import GrantBroke, GrantMended
from bot.ports import Person
from bot.services.amazon_answers import AmazonAnswer
from bot.services.granting import Arrival
from tests.services.desk import ACME, ALEX, BOLT, LIN, LISTING, MEI, ORDERS, Desk

Mishap = Callable[[Desk, Store], Awaitable[Arrival]]


async def _wrong_account(desk: Desk, store: Store) -> Arrival:
    return await desk.consent(store, LISTING, account=BOLT)


async def _cancelled(desk: Desk, store: Store) -> Arrival:
    state = await desk.leave(store, LISTING)
    return await desk.granting.answer(LISTING, AmazonAnswer(state, error="access_denied"))


async def _no_code(desk: Desk, store: Store) -> Arrival:
    return await desk.granting.answer(LISTING, AmazonAnswer(await desk.leave(store, LISTING), ACME))


async def _no_account(desk: Desk, store: Store) -> Arrival:
    return await desk.granting.answer(LISTING, AmazonAnswer(await desk.leave(store, LISTING), code="ANcode"))


async def _late_state(desk: Desk, store: Store) -> Arrival:
    state = await desk.leave(store, LISTING)
    desk.clock.advance(timedelta(minutes=10))
    return await desk.come_back(state, LISTING)


async def _late_code(desk: Desk, store: Store) -> Arrival:
    state = await desk.leave(store, LISTING)
    code = desk.amazon.agree(LISTING, ACME, "US")
    desk.clock.advance(timedelta(minutes=5))
    return await desk.come_back(state, LISTING, code=code)


async def _code_of_an_earlier_trip(desk: Desk, store: Store) -> Arrival:
    state = await desk.leave(store, LISTING)
    code = desk.amazon.agree(LISTING, ACME, "US")
    await desk.amazon.exchange(LISTING, code)
    return await desk.come_back(state, LISTING, code=code)


async def _another_person(desk: Desk, store: Store) -> Arrival:
    state = await desk.leave(store, LISTING)
    return await desk.come_back(state, LISTING, browser=f"{LIN.team_id}:{LIN.user_id}")


async def _does_not_sell_there(desk: Desk, store: Store) -> Arrival:
    desk.amazon.opens(ACME, "CA")
    return await desk.consent(store, LISTING)


def _answered(call: str, reason: Reason) -> Mishap:
    async def mishap(desk: Desk, store: Store) -> Arrival:
        desk.amazon.will(call, Refused(reason))
        return await desk.consent(store, LISTING)

    return mishap


MISHAPS: dict[str, tuple[Reason, Mishap]] = {
    "another store was signed in": (Reason.WRONG_ACCOUNT, _wrong_account),
    "the seller cancelled": (Reason.CANCELLED, _cancelled),
    "the answer has no code": (Reason.INCOMPLETE_ANSWER, _no_code),
    "the answer has no account": (Reason.INCOMPLETE_ANSWER, _no_account),
    "the ten minutes are over": (Reason.TOO_LATE, _late_state),
    "the code is older than five minutes": (Reason.CODE_REJECTED, _late_code),
    "the code was used before": (Reason.CODE_REJECTED, _code_of_an_earlier_trip),
    "the browser is another person's": (Reason.WRONG_PERSON, _another_person),
    "the account does not sell there": (Reason.MARKETPLACE_NOT_COVERED, _does_not_sell_there),
    "invalid_client on the code": (Reason.OUR_CREDENTIALS, _answered("exchange", Reason.OUR_CREDENTIALS)),
    "an HTML 503 on the code": (Reason.CODE_LOST, _answered("exchange", Reason.AMAZON_UNAVAILABLE)),
    "429 on the code": (Reason.CODE_LOST, _answered("exchange", Reason.THROTTLED)),
    "an HTML 503 on the marketplaces": (
        Reason.AMAZON_UNAVAILABLE,
        _answered("participations", Reason.AMAZON_UNAVAILABLE),
    ),
    "an HTML 503 on the probe": (Reason.AMAZON_UNAVAILABLE, _answered("probe", Reason.AMAZON_UNAVAILABLE)),
    "429 on the probe": (Reason.THROTTLED, _answered("probe", Reason.THROTTLED)),
    "our secret ended before the probe": (Reason.OUR_CREDENTIALS, _answered("probe", Reason.OUR_CREDENTIALS)),
}


@pytest.mark.parametrize(("reason", "mishap"), MISHAPS.values(), ids=MISHAPS)
async def test_a_first_consent_that_fails_says_why_and_touches_nothing_older(
    desk: Desk, reason: Reason, mishap: Mishap
) -> None:
    store = await desk.granted()
    orders = await desk.grant(store)

    arrival = await mishap(desk, store)

    assert arrival.verdict == Refused(reason)
    assert arrival.receipt is not None
    shown = await desk.granting.result(arrival.receipt)
    assert shown is not None
    assert (shown[0].outcome, shown[0].reason) == (Outcome.REFUSED, reason)
    assert await desk.ending(store, LISTING) == (Outcome.REFUSED, reason)
    assert await desk.grant(store) == orders
    nobody_did_wrong = Refused(reason).turn is Turn.NOBODY
    expected = GrantState.AUTHORIZING if nobody_did_wrong else GrantState.NOT_GRANTED
    assert (await desk.grant(store, LISTING)).state is expected
    [result], support = await desk.told(), await desk.support_told()
    assert isinstance(result, ConsentResult)
    assert (result.reason, result.feature, result.still_granted) == (reason.value, LISTING, False)
    assert [notice.kind for notice in support] == (["ticket_card"] if reason is Reason.OUR_CREDENTIALS else [])
    await desk.nothing_leaked(result, *support)


@pytest.mark.parametrize(("reason", "mishap"), MISHAPS.values(), ids=MISHAPS)
async def test_a_renewal_that_fails_leaves_the_grant_as_it_was(desk: Desk, reason: Reason, mishap: Mishap) -> None:
    store = await desk.granted(feature=LISTING)
    before, token = await desk.grant(store, LISTING), await desk.token_of(store, LISTING)
    desk.clock.advance(timedelta(days=300))

    assert (await mishap(desk, store)).verdict == Refused(reason)

    assert await desk.grant(store, LISTING) == before
    [result] = await desk.told()
    assert isinstance(result, ConsentResult)
    assert (result.reason, result.still_granted) == (reason.value, True)
    if Refused(reason).turn is not Turn.NOBODY:
        assert await desk.token_of(store, LISTING) == token


async def test_after_a_failure_the_same_link_can_be_pressed_again(desk: Desk) -> None:
    store = await desk.granted()
    card = await desk.card(store, LISTING)
    assert not (await desk.come_back(await desk.press(card.secret), LISTING, account=BOLT)).verdict
    assert (await desk.come_back(await desk.press(card.secret), LISTING)).verdict


@pytest.mark.parametrize("other", [LIN, ALEX], ids=["same workspace", "another workspace"])
async def test_another_distributors_amazon_account_is_refused(desk: Desk, other: Person) -> None:
    theirs = await desk.store(other, "Secret name", "US")
    assert (await desk.consent(theirs, person=other)).verdict
    await desk.told(other.user_id)

    germany = await desk.store(MEI, "Mine DE", "DE")
    arrival = await desk.consent(germany)

    assert arrival.verdict == Refused(Reason.HELD_BY_ANOTHER)
    assert desk.amazon.asked("exchange") == 1, "the code is not spent on an account that is somebody else's"
    assert (await desk.grant(theirs)).state is GrantState.GRANTED
    assert (await desk.grant(germany)).state is GrantState.NOT_GRANTED
    assert (await desk.stores.get(MEI, germany.id)).selling_partner_id is None
    [result] = await desk.told()
    assert "Secret name" not in repr(result)
    assert await desk.told(other.user_id) == []


async def test_an_amazon_store_that_is_already_connected_is_named(desk: Desk) -> None:
    await desk.granted("Acme US")
    again = await desk.store(MEI, "Acme once more", "US")
    assert (await desk.consent(again)).verdict == Refused(Reason.ALREADY_CONNECTED, "Acme US")
    [result] = await desk.told()
    assert isinstance(result, ConsentResult)
    assert (result.reason, result.detail) == ("already_connected", "Acme US")
    assert (await desk.stores.get(MEI, again.id)).selling_partner_id is None


async def test_a_forged_state_has_no_page_and_tells_nobody(desk: Desk) -> None:
    store = await desk.granted()
    before = await desk.rows()
    arrival = await desk.come_back("forged", code="ANcode")
    assert (arrival.receipt, arrival.verdict) == (None, Refused(Reason.UNKNOWN_STATE))
    assert desk.amazon.asked("exchange") == 1
    assert await desk.rows() == before
    assert await desk.told() == []
    assert (await desk.grant(store)).state is GrantState.GRANTED


async def test_a_state_counts_for_its_own_feature_only_and_stays_good_for_it(desk: Desk) -> None:
    store = await desk.store()
    state = await desk.leave(store, ORDERS)
    arrival = await desk.come_back(state, LISTING)
    assert (arrival.receipt, arrival.verdict) == (None, Refused(Reason.UNKNOWN_STATE))
    assert desk.amazon.asked("exchange") == 0
    assert (await desk.come_back(state, ORDERS)).verdict


async def test_reloading_the_callback_exchanges_nothing_twice_and_shows_the_same_page(desk: Desk) -> None:
    store = await desk.store()
    state = await desk.leave(store)
    code = desk.amazon.agree(ORDERS, ACME, "US")
    first = await desk.come_back(state, code=code)
    await desk.told()
    before = await desk.rows()

    again = [await desk.come_back(state, code=code) for _ in range(3)]

    assert {arrival.receipt for arrival in again} == {first.receipt}
    assert desk.amazon.asked("exchange") == 1
    assert await desk.rows() == before
    assert await desk.told() == []


async def test_a_used_state_with_another_code_is_refused_and_the_grant_stands(desk: Desk) -> None:
    store = await desk.store()
    state = await desk.leave(store)
    await desk.come_back(state)
    await desk.told()
    before = await desk.grant(store)

    arrival = await desk.come_back(state)

    assert (arrival.receipt, arrival.verdict) == (None, Refused(Reason.STATE_USED))
    assert desk.amazon.asked("exchange") == 1
    assert await desk.grant(store) == before
    assert await desk.ending(store) == (Outcome.GRANTED, None)
    [result] = await desk.told()
    assert isinstance(result, ConsentResult)
    assert (result.reason, result.still_granted) == ("state_used", True)


async def test_an_answer_for_a_deleted_store_finds_nothing(desk: Desk) -> None:
    store = await desk.store()
    state = await desk.leave(store)
    await desk.stores.delete(MEI, store.id)
    arrival = await desk.come_back(state)
    assert (arrival.receipt, arrival.verdict) == (None, Refused(Reason.UNKNOWN_STATE))
    assert desk.amazon.asked("exchange") == 0


async def test_an_empty_403_is_a_permission_problem_of_a_grant_that_was_given(desk: Desk) -> None:
    desk.amazon.without_role.add((ORDERS, ACME))
    store = await desk.store()

    assert (await desk.consent(store)).verdict == Refused(Reason.PERMISSION_PROBLEM)

    assert (await desk.grant(store)).state is GrantState.PERMISSION_PROBLEM
    assert (await desk.stores.get(MEI, store.id)).selling_partner_id == ACME
    assert await desk.ending(store) == (Outcome.REFUSED, Reason.PERMISSION_PROBLEM)
    [result] = await desk.told()
    assert isinstance(result, ConsentResult)
    assert (result.reason, result.still_granted) == ("permission_problem", False)

    desk.amazon.without_role.clear()
    assert (await desk.consent(store)).verdict
    assert (await desk.grant(store)).state is GrantState.GRANTED


async def test_when_a_consent_without_permission_works_at_last_it_is_told(desk: Desk) -> None:
    store = await desk.store()
    await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    await desk.told(LIN.user_id)
    desk.amazon.will("probe", Refused(Reason.PERMISSION_PROBLEM))
    await desk.consent(store)
    consented = desk.clock()
    assert [type(notice) for notice in await desk.told()] == [ConsentResult]
    assert await desk.told(LIN.user_id) == [], "nothing stopped that had ever worked"

    desk.clock.advance(timedelta(days=1))
    await desk.sweeping.sweep()

    for member in (MEI, LIN):
        [mended] = await desk.told(member.user_id)
        assert isinstance(mended, GrantMended)
        assert (mended.reason, mended.worked_until) == ("permission_problem", consented.isoformat())


async def test_a_renewal_without_permission_is_told_to_those_who_did_not_consent(desk: Desk) -> None:
    store = await desk.granted()
    await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    await desk.told(LIN.user_id)
    desk.clock.advance(timedelta(days=300))
    desk.amazon.will("probe", Refused(Reason.PERMISSION_PROBLEM))
    await desk.consent(store)
    assert [type(notice) for notice in await desk.told()] == [ConsentResult]
    [broke] = await desk.told(LIN.user_id)
    assert isinstance(broke, GrantBroke)
    assert broke.reason == "permission_problem"


async def test_what_only_we_can_mend_reaches_the_desk_with_the_person_and_the_store(desk: Desk) -> None:
    store = await desk.store()
    desk.amazon.will("exchange", Refused(Reason.OUR_CREDENTIALS))
    await desk.consent(store)
    [ours] = await desk.support_told()
    assert isinstance(ours, TicketCard)
    assert ours.store is not None
    assert (ours.store.label, ours.feature, ours.user_id, ours.cause) == (
        "Acme US",
        ORDERS,
        MEI.user_id,
        "our_credentials",
    )


async def test_a_result_page_is_gone_after_an_hour(desk: Desk) -> None:
    arrival = await desk.consent(await desk.store())
    assert arrival.receipt is not None
    desk.clock.advance(timedelta(minutes=59))
    assert await desk.granting.result(arrival.receipt) is not None
    desk.clock.advance(timedelta(minutes=1))
    assert await desk.granting.result(arrival.receipt) is None
    assert await desk.granting.result("made-up") is None


@pytest.mark.parametrize("reason", [Reason.AMAZON_UNAVAILABLE, Reason.THROTTLED])
async def test_a_lost_code_is_never_waited_for(desk: Desk, reason: Reason) -> None:
    store = await desk.store()
    desk.amazon.will("exchange", Refused(reason))
    await desk.consent(store)
    for _ in range(2):
        desk.clock.advance(timedelta(minutes=30))
        assert await desk.checking.tell(MEI, ORDERS, store.id) == Refused(Reason.CODE_LOST)
