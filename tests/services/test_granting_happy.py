"""Granting when all goes well: both features, renewal in place, a second marketplace, the Far East."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.consent import Outcome
from bot.domain.features import FeatureKey
from bot.domain.grants import GRANT_LIFETIME, GrantState
from bot.domain.notices import ConsentCard, ConsentResult
from bot.domain.status import StatusKind
from bot.domain.verification import Verified
from bot.errors import NothingToConfirm
from tests import fakes
from tests.services.desk import ACME, BOLT, LIN, LISTING, MEI, ORDERS, Desk


@pytest.mark.parametrize(
    ("order", "half_way"),
    [((ORDERS, LISTING), StatusKind.ORDERS_ONLY), ((LISTING, ORDERS), StatusKind.LISTING_ONLY)],
)
async def test_both_features_are_granted_in_either_order(
    desk: Desk, order: tuple[FeatureKey, FeatureKey], half_way: StatusKind
) -> None:
    store = await desk.store()
    first, second = order
    ends_at = desk.clock() + GRANT_LIFETIME

    arrival = await desk.consent(store, first)

    assert arrival.verdict == Verified(desk.clock(), ends_at)
    [result] = await desk.told()
    assert isinstance(result, ConsentResult)
    assert (result.reason, result.offer, result.ends_at) == ("", second, ends_at.isoformat())
    assert (await desk.reporting.store(MEI, store.id)).status.kind is half_way

    assert (await desk.consent(store, second)).verdict
    [result] = await desk.told()
    assert isinstance(result, ConsentResult)
    assert (result.reason, result.offer) == ("", None)
    assert (await desk.reporting.store(MEI, store.id)).status.kind is StatusKind.AUTHORIZED
    assert await desk.support_told() == []


async def test_each_step_of_a_consent_leaves_its_mark(desk: Desk) -> None:
    store = await desk.store()
    card = await desk.card(store)
    assert not card.confirmable
    assert (await desk.grant(store)).state is GrantState.NOT_GRANTED

    await desk.granting.look(card.secret)
    assert (await desk.attempt(card.secret)).opened_at == desk.clock()
    assert (await desk.grant(store)).state is GrantState.NOT_GRANTED

    state = await desk.press(card.secret)
    assert (await desk.attempt(card.secret)).awaits_answer(desk.clock())
    assert (await desk.grant(store)).state is GrantState.AUTHORIZING

    arrival = await desk.come_back(state)
    assert (await desk.attempt(card.secret)).outcome is Outcome.GRANTED
    assert (await desk.grant(store)).state is GrantState.GRANTED
    assert (await desk.stores.get(MEI, store.id)).selling_partner_id == ACME
    assert arrival.receipt is not None
    shown = await desk.granting.result(arrival.receipt)
    assert shown is not None
    assert shown[0].outcome is Outcome.GRANTED
    await desk.nothing_leaked(card, *await desk.told())


async def test_looking_at_a_link_many_times_changes_nothing(desk: Desk) -> None:
    card = await desk.card(await desk.store())
    await desk.granting.look(card.secret)
    seen = await desk.rows()
    desk.clock.advance(timedelta(minutes=5))
    await desk.granting.look(card.secret)
    assert await desk.rows() == seen


async def test_renewing_happens_in_place_and_renews_all_stores_of_the_region(desk: Desk) -> None:
    us, canada, germany = [await desk.granted(f"Acme {code}", code) for code in ("US", "CA", "DE")]
    germany_before = await desk.grant(germany)
    desk.clock.advance(timedelta(days=350))
    ends_at = desk.clock() + GRANT_LIFETIME

    assert (await desk.consent(us)).verdict

    renewed = await desk.grants(us, canada)
    assert [grant.ends_at for grant in renewed if grant.feature is ORDERS] == [ends_at, ends_at]
    assert await desk.grant(germany) == germany_before
    [result] = await desk.told()
    assert isinstance(result, ConsentResult)
    assert result.also_renewed == ("Acme CA",)


async def test_a_year_that_ran_out_is_renewed_in_place(desk: Desk) -> None:
    store = await desk.granted()
    desk.clock.advance(timedelta(days=365))
    assert (await desk.grant(store)).standing(desk.clock()) is GrantState.EXPIRED
    assert (await desk.consent(store)).verdict
    assert (await desk.grant(store)).standing(desk.clock()) is GrantState.GRANTED
    assert len(await desk.stores.all(MEI)) == 1


async def test_a_second_marketplace_is_confirmed_with_one_press_and_no_second_trip(desk: Desk) -> None:
    us = await desk.granted()
    canada = await desk.store(MEI, "Acme CA", "CA")
    card = await desk.card(canada)
    assert (card.confirmable, card.selling_partner_id) == (True, ACME)
    desk.amazon.calls.clear()

    await desk.granting.begin_confirm(MEI, card.attempt_id)
    [task] = await fakes.tasks(desk.database)
    assert (task.kind, task.body) == ("confirm_held", {"attempt_id": card.attempt_id})
    assert await desk.granting.confirm(card.attempt_id)

    assert desk.amazon.asked("exchange") == 0
    assert {call.marketplace for call in desk.amazon.calls} == {"", "CA"}
    confirmed = await desk.grant(canada)
    assert (confirmed.state, confirmed.ends_at) == (GrantState.GRANTED, (await desk.grant(us)).ends_at)
    [result] = await desk.told()
    assert isinstance(result, ConsentResult)
    assert (result.reason, result.store.label, result.also_renewed) == ("", "Acme CA", ())


async def test_confirming_what_is_held_says_nothing_of_a_store_without_permission(desk: Desk) -> None:
    await desk.granted()
    canada = await desk.granted("Acme CA", "CA")
    desk.amazon.accounts[ACME] = {"US", "MX"}
    await desk.checking.check(MEI, ORDERS, canada.id)
    before = await desk.grant(canada)
    assert before.state is GrantState.PERMISSION_PROBLEM
    card = await desk.card(await desk.store(MEI, "Acme MX", "MX"))

    assert await desk.granting.confirm(card.attempt_id)

    assert await desk.grant(canada) == before, "nobody probed it, and the seller did nothing about it"
    [result] = await desk.told()
    assert isinstance(result, ConsentResult)
    assert result.also_renewed == ()


async def test_a_confirmed_link_is_spent(desk: Desk) -> None:
    await desk.granted()
    card = await desk.card(await desk.store(MEI, "Acme CA", "CA"))
    assert await desk.granting.confirm(card.attempt_id)
    asked = len(desk.amazon.calls)
    assert await desk.granting.confirm(card.attempt_id) is None
    assert len(desk.amazon.calls) == asked


async def test_going_to_amazon_instead_of_confirming_is_possible_for_another_account(desk: Desk) -> None:
    await desk.granted()
    mexico = await desk.store(MEI, "Bolt MX", "MX")
    card = await desk.card(mexico)
    assert card.confirmable
    state = await desk.press(card.secret)
    with pytest.raises(NothingToConfirm):
        await desk.granting.begin_confirm(MEI, card.attempt_id)
    assert (await desk.come_back(state, account=BOLT)).verdict
    assert (await desk.stores.get(MEI, mexico.id)).selling_partner_id == BOLT


async def test_an_account_that_already_has_a_store_there_is_not_on_offer(desk: Desk) -> None:
    await desk.granted()
    assert not (await desk.card(await desk.store(MEI, "Acme US again", "US"))).confirmable


async def test_the_other_feature_is_another_application_and_covers_nothing(desk: Desk) -> None:
    store = await desk.granted()
    assert not (await desk.card(store, LISTING)).confirmable


async def test_in_the_far_east_every_country_is_consented_to_on_its_own(desk: Desk) -> None:
    japan = await desk.granted("Acme JP", "JP")
    australia = await desk.store(MEI, "Acme AU", "AU")
    assert not (await desk.card(australia)).confirmable
    before = await desk.grant(japan)
    desk.clock.advance(timedelta(days=1))
    assert (await desk.consent(australia)).verdict
    assert await desk.grant(japan) == before


async def test_only_the_person_of_a_card_can_confirm_it(desk: Desk) -> None:
    await desk.granted()
    card = await desk.card(await desk.store(MEI, "Acme CA", "CA"))
    with pytest.raises(NothingToConfirm):
        await desk.granting.begin_confirm(LIN, card.attempt_id)


async def test_an_application_without_the_sellers_role_is_probed_and_trusted(desk: Desk) -> None:
    desk.amazon.hides_participations = True
    store = await desk.store()
    assert (await desk.consent(store)).verdict
    assert desk.amazon.asked("probe") == 1


async def test_the_other_feature_follows_from_the_page_of_a_done_link(desk: Desk) -> None:
    store = await desk.granted()
    secret = await desk.granting.onward(MEI, await desk.latest(store))
    [card] = await desk.told()
    assert isinstance(card, ConsentCard)
    assert (card.feature, card.secret) == (LISTING, secret)
