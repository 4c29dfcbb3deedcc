"""Consents that Amazon gave while it could not be asked about: the token is kept, and *Check result* completes them.

Also what happens when two things are true at once: a check and a renewal, a confirmation and a withdrawal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import pytest

from bot.domain.consent import LINK_LIFETIME, Outcome
from bot.domain.grants import GRANT_LIFETIME, GrantState
from bot.domain.notices import CheckResult, ConsentResult
from bot.domain.verification import Reason, Refused
from bot.domain.year_notices import GrantBroke
from bot.errors import ConcurrentChange, NothingToConfirm, StoreGone
from bot.ports import AuditFilter, Work
from bot.services.amazon_answers import AmazonAnswer
from bot.services.granting import Granting
from bot.services.stores import StoreDraft
from storage.database import SqlDatabase
from tests.services.desk import ACME, ALEX, LIN, LISTING, MEI, ORDERS, Desk
from tests.storage.fakes import FakeClock


@pytest.mark.parametrize("call", ["participations", "probe"])
async def test_check_result_completes_a_consent_without_another_trip(desk: Desk, call: str) -> None:
    store = await desk.store()
    desk.amazon.will(call, Refused(Reason.AMAZON_UNAVAILABLE))
    assert not await _verdict(desk, store.id)
    await desk.told()
    desk.clock.advance(timedelta(minutes=20))

    assert await desk.checking.tell(MEI, ORDERS, store.id)

    assert desk.amazon.asked("exchange") == 1
    assert (await desk.grant(store)).state is GrantState.GRANTED
    assert await desk.ending(store) == (Outcome.GRANTED, None)
    [result] = await desk.told()
    assert isinstance(result, ConsentResult), "the consent's own notice tells it, and once"
    assert (result.reason, result.offer) == ("", LISTING)


async def _verdict(desk: Desk, store_id: str) -> object:
    store = await desk.stores.get(MEI, store_id)
    return (await desk.consent(store)).verdict


async def test_while_amazon_is_still_away_check_result_says_so_and_keeps_the_token(desk: Desk) -> None:
    store = await desk.store()
    desk.amazon.will("probe", *[Refused(Reason.AMAZON_UNAVAILABLE)] * 3)
    await desk.consent(store)
    for _ in range(2):
        assert await desk.checking.tell(MEI, ORDERS, store.id) == Refused(Reason.AMAZON_UNAVAILABLE)
    assert await desk.checking.tell(MEI, ORDERS, store.id)


async def test_a_kept_consent_is_completed_however_late_its_seller_asks(desk: Desk) -> None:
    store = await desk.store()
    desk.amazon.will("probe", Refused(Reason.AMAZON_UNAVAILABLE))
    await desk.consent(store)
    desk.clock.advance(LINK_LIFETIME + timedelta(days=30))
    assert await desk.checking.tell(MEI, ORDERS, store.id)
    assert (await desk.grant(store)).state is GrantState.GRANTED


@pytest.mark.parametrize("when", ["before the answer", "while Amazon is asked", "after it"])
async def test_a_consent_by_a_link_that_is_replaced_is_kept_and_completed_too(desk: Desk, when: str) -> None:
    store = await desk.store()
    state = await desk.leave(store)
    if when == "before the answer":
        await desk.card(store)
    elif when == "while Amazon is asked":
        desk.amazon.meanwhile("exchange", lambda: desk.card(store))
    desk.amazon.will("probe", Refused(Reason.AMAZON_UNAVAILABLE))
    assert (await desk.come_back(state)).verdict == Refused(Reason.AMAZON_UNAVAILABLE)
    if when == "after it":
        await desk.card(store)
    assert await desk.ending(store) == (Outcome.REPLACED, Reason.AMAZON_UNAVAILABLE)
    desk.clock.advance(timedelta(minutes=20))

    assert await desk.checking.tell(MEI, ORDERS, store.id)

    assert desk.amazon.asked("exchange") == 1
    assert await desk.ending(store) == (Outcome.GRANTED, None)


async def test_an_offer_that_nobody_confirmed_is_not_confirmed_by_checking(desk: Desk) -> None:
    await desk.granted()
    canada = await desk.store(MEI, "Acme CA", "CA")
    await desk.card(canada)
    await desk.card(canada)
    assert await desk.checking.check(MEI, ORDERS, canada.id) == Refused(Reason.NEVER_OPENED)
    assert (await desk.grant(canada)).state is GrantState.NOT_GRANTED


async def test_a_kept_consent_that_a_moved_store_cannot_use_is_not_waited_for(desk: Desk) -> None:
    store = await desk.store()
    desk.amazon.will("probe", Refused(Reason.AMAZON_UNAVAILABLE))
    await desk.consent(store)
    await desk.stores.edit(MEI, store.id, StoreDraft("Acme DE", "DE", "2026-01-31"))
    assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.CODE_LOST)


@pytest.mark.parametrize("reason", [Reason.AMAZON_UNAVAILABLE, Reason.THROTTLED, Reason.OUR_CREDENTIALS])
async def test_who_did_not_ask_hears_of_a_kept_consent_when_there_is_news(desk: Desk, reason: Reason) -> None:
    store = await desk.store()
    desk.amazon.will("probe", Refused(Reason.AMAZON_UNAVAILABLE))
    await desk.consent(store)
    await desk.told()
    before, written = await desk.latest(store), await _audited(desk)
    desk.amazon.will("refresh", *[Refused(reason)] * 3)
    for _ in range(3):
        desk.clock.advance(timedelta(minutes=10))
        assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(reason)
    assert (await desk.told(), await desk.latest(store), await _audited(desk)) == ([], before, written)

    for _ in range(3):
        desk.amazon.will("participations", Refused(Reason.MARKETPLACE_NOT_COVERED))
        assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.MARKETPLACE_NOT_COVERED)
    [refused] = await desk.told()
    assert isinstance(refused, ConsentResult)
    assert refused.reason == "marketplace_not_covered"

    assert await desk.checking.check(MEI, ORDERS, store.id)
    [granted] = await desk.told()
    assert isinstance(granted, ConsentResult)
    assert granted.reason == ""


async def _audited(desk: Desk) -> int:
    return len([one async for one in desk.database.audit_log.read(AuditFilter(team_id=MEI.team_id))])


@pytest.mark.parametrize("after", [timedelta(minutes=20), LINK_LIFETIME])
@pytest.mark.parametrize("was", [GrantState.GRANTED, GrantState.REVOKED, GrantState.EXPIRED])
async def test_a_renewal_amazon_could_not_be_asked_about_is_completed_too(
    desk: Desk, was: GrantState, after: timedelta
) -> None:
    store, sibling = await desk.granted(), await desk.granted("Acme CA", "CA")
    if was is GrantState.REVOKED:
        desk.amazon.withdraw(ACME, ORDERS)
        await desk.checking.check(MEI, ORDERS, store.id)
    desk.clock.advance(GRANT_LIFETIME if was is GrantState.EXPIRED else timedelta(days=100))
    ends_at = desk.clock() + GRANT_LIFETIME
    desk.amazon.will("probe", Refused(Reason.AMAZON_UNAVAILABLE))
    assert not (await desk.consent(store)).verdict
    assert (await desk.grant(store)).standing(desk.clock()) is was
    desk.clock.advance(after)

    assert await desk.checking.check(MEI, ORDERS, store.id)

    for one in (store, sibling):
        grant = await desk.grant(one)
        assert (grant.standing(desk.clock()), grant.ends_at) == (GrantState.GRANTED, ends_at)


async def test_a_renewal_that_finishes_during_a_check_is_not_undone_by_it(desk: Desk) -> None:
    """The old token is refused because there is a new one: that is no withdrawal."""
    store = await desk.granted()
    desk.clock.advance(timedelta(days=100))
    desk.amazon.withdraw(ACME, ORDERS)
    desk.amazon.meanwhile("refresh", lambda: desk.consent(store))

    assert await desk.checking.check(MEI, ORDERS, store.id)

    assert (await desk.grant(store)).state is GrantState.GRANTED


async def test_a_token_refused_by_mistake_and_good_again_brings_the_grant_back(desk: Desk) -> None:
    """What is told and what the status shows must be the same."""
    store = await desk.granted()
    desk.amazon.will("refresh", Refused(Reason.REVOKED))
    assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.REVOKED)
    assert await desk.checking.check(MEI, ORDERS, store.id)
    assert (await desk.grant(store)).state is GrantState.GRANTED


async def test_confirming_what_was_withdrawn_meanwhile_notices_it_for_all_and_offers_it_no_more(desk: Desk) -> None:
    us = await desk.granted()
    canada = await desk.store(MEI, "Acme CA", "CA")
    card = await desk.card(canada)
    desk.amazon.withdraw(ACME, ORDERS)

    assert await desk.granting.confirm(card.attempt_id) == Refused(Reason.REVOKED)

    assert (await desk.grant(us)).state is GrantState.REVOKED
    assert (await desk.grant(canada)).state is GrantState.NOT_GRANTED
    broke, result = await desk.told()
    assert isinstance(broke, GrantBroke)
    assert broke.store.id == us.id
    assert isinstance(result, ConsentResult)
    assert result.reason == "revoked"
    assert not (await desk.card(canada)).confirmable


@pytest.mark.parametrize("reason", [Reason.AMAZON_UNAVAILABLE, Reason.OUR_CREDENTIALS])
async def test_a_confirmation_that_could_not_be_verified_is_no_unopened_link(desk: Desk, reason: Reason) -> None:
    await desk.granted()
    canada = await desk.store(MEI, "Acme CA", "CA")
    card = await desk.card(canada)
    desk.amazon.will("refresh", Refused(reason), Refused(reason))
    assert await desk.granting.confirm(card.attempt_id) == Refused(reason)
    assert await desk.ending(canada) == (Outcome.REFUSED, reason)
    assert await desk.checking.check(MEI, ORDERS, canada.id) == Refused(reason)
    assert await desk.checking.check(MEI, ORDERS, canada.id)
    assert (await desk.grant(canada)).state is GrantState.GRANTED


async def test_a_confirmation_counts_as_newer_than_an_older_trip(desk: Desk) -> None:
    canada = await desk.store(MEI, "Acme CA", "CA")
    await desk.leave(canada)
    desk.clock.advance(timedelta(minutes=11))
    await desk.granted()
    card = await desk.card(canada)
    desk.amazon.will("probe", Refused(Reason.THROTTLED))
    assert await desk.granting.confirm(card.attempt_id) == Refused(Reason.THROTTLED)
    assert (await desk.latest(canada)).id == card.attempt_id
    assert await desk.checking.check(MEI, ORDERS, canada.id)


@pytest.mark.parametrize("reason", [Reason.MARKETPLACE_NOT_COVERED, Reason.PERMISSION_PROBLEM])
async def test_a_token_that_changed_while_confirming_is_kept_whatever_comes_next(desk: Desk, reason: Reason) -> None:
    us = await desk.granted()
    card = await desk.card(await desk.store(MEI, "Acme MX", "MX"))
    desk.amazon.rotates = True
    desk.amazon.will("participations", Refused(reason))
    assert await desk.granting.confirm(card.attempt_id) == Refused(reason)
    assert await desk.checking.check(MEI, ORDERS, us.id)


async def test_a_store_moved_to_another_region_cannot_be_confirmed_any_more(desk: Desk) -> None:
    await desk.granted()
    canada = await desk.store(MEI, "Acme CA", "CA")
    card = await desk.card(canada)
    await desk.stores.edit(MEI, canada.id, StoreDraft("Acme DE", "DE", "2026-01-31"))
    with pytest.raises(NothingToConfirm):
        await desk.granting.begin_confirm(MEI, card.attempt_id)
    assert await desk.granting.confirm(card.attempt_id) is None


async def test_a_check_tells_the_day_a_renewal_moved_to(desk: Desk) -> None:
    store = await desk.granted()
    desk.clock.advance(timedelta(days=100))
    await desk.consent(store)
    await desk.told()
    await desk.checking.tell(MEI, ORDERS, store.id)
    [result] = await desk.told()
    assert isinstance(result, CheckResult)
    assert result.ends_at == (desk.clock() + GRANT_LIFETIME).isoformat()


async def test_two_checks_at_once_with_a_changing_token_withdraw_nothing(desk: Desk) -> None:
    us, canada = await desk.granted(), await desk.granted("Acme CA", "CA")
    desk.amazon.rotates = True
    verdicts = await asyncio.gather(*(desk.checking.check(MEI, ORDERS, store.id) for store in (us, canada)))
    assert all(verdicts)
    assert [(await desk.grant(store)).state for store in (us, canada)] == [GrantState.GRANTED] * 2


async def test_orders_that_amazon_refused_need_their_own_call_to_count_as_restored(desk: Desk) -> None:
    desk.amazon.without_role.add((ORDERS, ACME))
    store = await desk.store()
    await desk.consent(store)
    assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.PERMISSION_PROBLEM)
    assert (await desk.grant(store)).state is GrantState.PERMISSION_PROBLEM
    desk.amazon.without_role.clear()
    assert await desk.checking.check(MEI, ORDERS, store.id)
    assert (await desk.grant(store)).state is GrantState.GRANTED


async def test_a_colleague_who_completes_anothers_consent_hears_of_it_too(desk: Desk) -> None:
    store = await desk.store()
    await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    desk.amazon.will("probe", Refused(Reason.AMAZON_UNAVAILABLE))
    await desk.consent(store)
    await desk.told()
    await desk.told(LIN.user_id)

    assert await desk.checking.tell(LIN, ORDERS, store.id)

    assert [notice.kind for notice in await desk.told()] == ["consent_result"]
    assert [notice.kind for notice in await desk.told(LIN.user_id)] == ["check_result"]


async def test_a_consent_that_somebody_got_in_the_way_of_is_written_again(
    sqlite_database: SqlDatabase, clock: FakeClock
) -> None:
    """The code is spent and the token in hand: a change at the same moment must not lose it."""
    desk = Desk(sqlite_database, clock)
    store = await desk.store()
    state = await desk.leave(store)
    stumbling = Stumbling(sqlite_database)
    desk.amazon.meanwhile("probe", stumbling.trip)
    granting = Granting(stumbling, desk.amazon, clock=clock, entropy=desk.entropy)
    code = desk.amazon.agree(ORDERS, ACME, "US")

    assert (await granting.answer(ORDERS, AmazonAnswer(state, ACME, code))).verdict

    assert stumbling.stumbled == 2
    assert (await desk.grant(store)).state is GrantState.GRANTED
    assert len(await desk.told()) == 1


@pytest.mark.parametrize("rotates", [False, True])
async def test_a_store_deleted_while_amazon_is_asked_about_it_leaves_nothing_behind(
    database: SqlDatabase, clock: FakeClock, *, rotates: bool
) -> None:
    desk = Desk(database, clock)
    store = await desk.granted()
    desk.amazon.rotates = rotates
    desk.amazon.meanwhile("refresh", lambda: desk.stores.delete(MEI, store.id))

    assert await desk.checking.tell(MEI, ORDERS, store.id) is None

    assert await desk.told() == [], "nothing is told of a store that is gone"
    assert not (await desk.card(await desk.store())).confirmable, "nothing is held that could be confirmed"
    theirs = await desk.store(ALEX, "Acme", "US")
    assert (await desk.consent(theirs, person=ALEX)).verdict, "the account is free for another distributor"


async def test_a_store_deleted_during_the_sweep_leaves_the_account_free(
    database: SqlDatabase, clock: FakeClock
) -> None:
    desk = Desk(database, clock)
    store = await desk.granted()
    desk.clock.advance(timedelta(days=2))
    desk.amazon.meanwhile("refresh", lambda: desk.stores.delete(MEI, store.id))
    await desk.sweeping.sweep()
    theirs = await desk.store(ALEX, "Acme", "US")
    assert (await desk.consent(theirs, person=ALEX)).verdict
    assert await desk.told() == []


async def test_whoever_asks_while_it_is_deleted_hears_that_it_is_gone(desk: Desk) -> None:
    store = await desk.granted()
    desk.amazon.meanwhile("refresh", lambda: desk.stores.delete(MEI, store.id))
    with pytest.raises(StoreGone):
        await desk.checking.check(MEI, ORDERS, store.id)


async def test_one_of_two_stores_deleted_while_amazon_is_asked_is_not_called_granted(desk: Desk) -> None:
    us, canada = await desk.granted(), await desk.granted("Acme CA", "CA")
    before = await desk.grant(canada)
    desk.amazon.meanwhile("refresh", lambda: desk.stores.delete(MEI, us.id))
    assert await desk.checking.tell(MEI, ORDERS, us.id) is None
    assert await desk.told() == []
    assert await desk.grant(canada) == before


async def test_a_token_is_not_kept_for_later_for_a_store_deleted_meanwhile(
    database: SqlDatabase, clock: FakeClock
) -> None:
    desk = Desk(database, clock)
    store = await desk.store()
    desk.amazon.meanwhile("exchange", lambda: desk.stores.delete(MEI, store.id))
    desk.amazon.will("participations", Refused(Reason.AMAZON_UNAVAILABLE))

    assert not (await desk.consent(store)).verdict

    theirs = await desk.store(ALEX, "Acme", "US")
    assert (await desk.consent(theirs, person=ALEX)).verdict, "the account is free for another distributor"


class Stumbling:
    """A database in which somebody else's change gets in the way twice, once tripped."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database
        self._left = 0
        self.stumbled = 0

    async def trip(self) -> None:
        self._left = 2

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Work]:
        async with self._database.begin() as work:
            yield work
            if self._left:
                self._left -= 1
                self.stumbled += 1
                raise ConcurrentChange

    def read(self) -> AbstractAsyncContextManager[Work]:
        return self._database.read()
