"""Coming in from Amazon's side: the store's own account is known again, and a stranger changes nothing and disturbs nobody."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.domain.consent import STATE_LIFETIME
from bot.domain.features import FeatureKey
from bot.domain.grants import GrantState
from bot.domain.notices import ConsentResult
from bot.domain.stores import Store
from bot.domain.tickets import Source
from bot.domain.verification import Reason, Refused
from bot.services.amazon_answers import AmazonAnswer
from bot.services.granting import Arrival
from tests.services.desk import ACME, ALEX, BOLT, LISTING, MEI, ORDERS, Desk


async def arrived(desk: Desk, feature: FeatureKey = ORDERS, *, partner: str = ACME) -> str:
    """Somebody follows Amazon's login address, naming an account: the state they get."""
    callback_uri = f"https://sellercentral.amazon.com/apps/authorize/confirm/{desk.amazon.application_id(feature)}"
    departure = await desk.granting.visits.arrive(
        feature, callback_uri=callback_uri, amazon_state="from-amazon", selling_partner_id=partner
    )
    assert departure is not None
    return parse_qs(urlsplit(departure.url).query)["state"][0]


async def answered(
    desk: Desk,
    state: str,
    feature: FeatureKey = ORDERS,
    *,
    says: str = ACME,
    account: str = ACME,
    browser: str | None = None,
) -> Arrival:
    """The answer names one account; the code may be another's."""
    code = desk.amazon.agree(feature, account, "US")
    return await desk.granting.answer(feature, AmazonAnswer(state, says, code), browser=browser)


async def untouched(desk: Desk, store: Store, feature: FeatureKey, token: str) -> None:
    assert await desk.token_of(store, feature) == token
    assert (await desk.grant(store, feature)).state is GrantState.GRANTED
    assert await desk.told() == []
    assert await desk.support_told() == []


@pytest.mark.parametrize("feature", [ORDERS, LISTING])
async def test_the_accounts_own_consent_renews_in_place(desk: Desk, feature: FeatureKey) -> None:
    store = await desk.granted(feature=feature)
    before = await desk.grant(store, feature)
    desk.clock.advance(timedelta(days=300))
    arrival = await answered(desk, await arrived(desk, feature), feature)
    assert arrival.verdict
    after = await desk.grant(store, feature)
    assert before.ends_at is not None
    assert after.ends_at == before.ends_at + timedelta(days=300)
    assert [type(told) for told in await desk.told()] == [ConsentResult]


async def test_the_other_feature_is_known_by_the_token_of_its_sibling(desk: Desk) -> None:
    store = await desk.granted(feature=LISTING)
    assert (await answered(desk, await arrived(desk))).verdict
    assert (await desk.grant(store)).state is GrantState.GRANTED


@pytest.mark.parametrize("feature", [ORDERS, LISTING])
async def test_another_accounts_code_under_the_stores_name_changes_nothing(desk: Desk, feature: FeatureKey) -> None:
    """Neither the redirect nor the code says whose it is: the id stands on every storefront, the code is the stranger's own."""
    store = await desk.granted(feature=feature)
    token = await desk.token_of(store, feature)
    arrival = await answered(desk, await arrived(desk, feature), feature, account=BOLT)
    assert arrival.verdict == Refused(Reason.WRONG_ACCOUNT)
    assert arrival.receipt is not None, "the page says it"
    await untouched(desk, store, feature, token)


async def test_what_cannot_be_proved_is_asked_for_again_from_slack(desk: Desk) -> None:
    """The held token is dead, or the application may not ask where an account sells."""
    store = await desk.granted()
    desk.amazon.withdraw(ACME, ORDERS)
    assert (await answered(desk, await arrived(desk))).verdict == Refused(Reason.UNPROVEN)
    desk.amazon.hides_participations = True
    assert (await answered(desk, await arrived(desk), account=BOLT)).verdict == Refused(Reason.UNPROVEN)
    assert (await desk.consent(store)).verdict, "a link of one's own is proof enough"


async def test_a_store_deleted_while_it_is_being_proved_is_not_held_again(desk: Desk) -> None:
    store = await desk.granted()
    desk.amazon.rotates = True
    state = await arrived(desk)
    desk.amazon.meanwhile("refresh", lambda: desk.stores.delete(MEI, store.id))
    assert (await answered(desk, state)).verdict == Refused(Reason.UNPROVEN)
    assert (await desk.consent(await desk.store(ALEX, "Acme", "US"), person=ALEX)).verdict


async def test_the_persons_own_browser_is_proof_enough(desk: Desk) -> None:
    store = await desk.granted()
    desk.amazon.withdraw(ACME, ORDERS)
    arrival = await answered(desk, await arrived(desk), browser=f"{MEI.team_id}:{MEI.user_id}")
    assert arrival.verdict
    assert (await desk.grant(store)).state is GrantState.GRANTED


async def test_a_busy_amazon_keeps_no_strangers_token(desk: Desk) -> None:
    store = await desk.granted()
    token = await desk.token_of(store)
    desk.amazon.will("participations", Refused(Reason.AMAZON_UNAVAILABLE))
    assert (await answered(desk, await arrived(desk), account=BOLT)).verdict == Refused(Reason.AMAZON_UNAVAILABLE)
    await untouched(desk, store, ORDERS, token)


async def test_a_visit_that_comes_to_nothing_moves_nothing_and_nobody_hears_of_it(desk: Desk) -> None:
    store = await desk.granted(feature=LISTING)
    for _ in range(3):
        state = await arrived(desk)
        refused = await desk.granting.answer(ORDERS, AmazonAnswer(state, error="access_denied"))
        assert refused.verdict == Refused(Reason.CANCELLED)
        await arrived(desk)
    desk.clock.advance(STATE_LIFETIME)
    assert await desk.granting.close_silent() == 0, "nobody is nudged for a stranger's visit"
    assert (await desk.grant(store)).state is GrantState.NOT_GRANTED
    assert await desk.told() == []


async def test_a_visit_takes_nothing_from_the_link_that_is_under_way(desk: Desk) -> None:
    """A consent that Amazon could not be asked about yet is completed by *Check result*, whoever came by meanwhile."""
    store = await desk.granted(feature=LISTING)
    desk.amazon.will("participations", Refused(Reason.AMAZON_UNAVAILABLE))
    assert (await desk.consent(store)).verdict == Refused(Reason.AMAZON_UNAVAILABLE)
    await arrived(desk)
    assert await desk.checking.check(MEI, ORDERS, store.id)
    assert (await desk.grant(store)).state is GrantState.GRANTED


async def test_what_is_ours_to_mend_reaches_the_desk_from_there_too(desk: Desk) -> None:
    await desk.granted()
    desk.amazon.will("exchange", Refused(Reason.OUR_CREDENTIALS))
    assert (await answered(desk, await arrived(desk))).verdict == Refused(Reason.OUR_CREDENTIALS)
    async with desk.database.read() as work:
        (ticket,) = await work.tickets.open_everywhere()
    assert ticket.source is Source.FAILURE
