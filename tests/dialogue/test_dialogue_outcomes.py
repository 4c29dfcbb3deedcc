"""How consents end: each in its own words, on the page and in Slack, and what was granted before stays."""

from __future__ import annotations

import pytest

from bot.domain.features import FEATURES, FeatureKey
from bot.domain.status import PLATFORM_LABELS, StatusKind
from bot.i18n import Speaker
from sandbox.client import Message
from tests.dialogue.conftest import Somebody
from tests.dialogue.conversation import News, Seller, System

pytestmark = pytest.mark.asyncio(loop_scope="session")

SUPPORT = "C0SUPPORT"


def refusal(seller: Seller, reason: str, feature: str = "orders", *, detail: str = "") -> tuple[str, str]:
    """The two sentences, as they are read."""
    names = seller.system.running.desk.stories.names
    title, advice = names.refusal(seller.say, reason, detail=detail, feature=FeatureKey(feature))
    return title, advice


def told(seller: Seller, news: News, reason: str, feature: str = "orders", *, detail: str = "") -> Message:
    """The message that says both sentences, and offers what to do."""
    title, advice = refusal(seller, reason, feature, detail=detail)
    message = news.one(title)
    assert message.contains(advice)
    assert seller.say("button.saw_error") in message.buttons()
    return message


def silent(seller: Seller, news: News) -> Message:
    """The card of a link that Amazon never answered: closed with its reason, and its thread says what to do."""
    card = news.one(seller.say("reason.no_answer.title"))
    (answer,) = (one for one in news.messages if one.thread == card.ts)
    assert FEATURES[FeatureKey.ORDERS].developer_name in answer.plain()
    assert seller.say("button.saw_error") in card.buttons()
    return card


async def no_incident(system: System) -> None:
    """What other sellers here have met is over: until then the desk counts their stores instead of opening tickets."""
    for feature in FeatureKey:
        well, account = await system.person("alex"), await system.amazon_account("US")
        await well.has_store("Well again")
        await well.grants(feature.value, "Well again", account)
    await system.passes(minutes=11)
    await system.run_job("desk-incidents")


async def status(seller: Seller) -> str:
    return (await seller.types("/authstatus")).plain()


async def granted(seller: Seller, system: System, *marketplaces: str) -> str:
    """A store with order import; its Amazon account."""
    account = await system.amazon_account(*(marketplaces or ("US",)))
    await seller.has_store("Acme US")
    await seller.grants("orders", "Acme US", account)
    return account


async def test_another_account_than_the_stores_own_writes_nothing(seller: Seller, system: System) -> None:
    await granted(seller, system)
    other = await system.amazon_account("US")
    page, news = await seller.consents(await seller.card("listing", "Acme US"), other)
    told(seller, news, "wrong_account", "listing")
    assert refusal(seller, "wrong_account", "listing")[0] in page.text
    assert PLATFORM_LABELS[StatusKind.ORDERS_ONLY] in await status(seller)


async def test_another_distributors_amazon_store_is_refused(seller: Seller, somebody: Somebody, system: System) -> None:
    account = await granted(await somebody("alex"), system, "US", "CA")
    await seller.has_store("Mine", "CA")
    page, news = await seller.consents(await seller.card("orders", "Mine"), account, "CA")
    told(seller, news, "held_by_another")
    assert refusal(seller, "held_by_another")[0] in page.text
    assert PLATFORM_LABELS[StatusKind.NOT_AUTHORIZED] in await status(seller)


async def test_an_amazon_store_that_was_added_under_another_name_is_named(seller: Seller, system: System) -> None:
    account = await granted(seller, system)
    await seller.has_store("Acme again")
    card = await seller.card("orders", "Acme again")
    link = card.link(seller.say("button.open_amazon"))
    assert link is not None
    _, news = await seller.consents(link, account)
    told(seller, news, "already_connected", detail="Acme US")


async def test_a_marketplace_that_the_account_does_not_sell_on_is_refused(seller: Seller, system: System) -> None:
    account = await system.amazon_account("US")
    await seller.has_store("Acme DE", "DE")
    _, news = await seller.consents(await seller.card("orders", "Acme DE"), account)
    told(seller, news, "marketplace_not_covered")
    assert PLATFORM_LABELS[StatusKind.NOT_AUTHORIZED] in await status(seller)


@pytest.mark.parametrize(
    ("switches", "reason"),
    [
        ({"lwa_status": "invalid_client"}, "our_credentials"),
        # the code is lost: only a new link helps
        ({"lwa_status": "html_503"}, "code_lost"),
        ({"lwa_status": "throttled"}, "code_lost"),
        ({"spapi_participations": "html_503"}, "amazon_unavailable"),
        ({"spapi_orders": "403_secret"}, "our_credentials"),
        ({"spapi_orders": "429"}, "throttled"),
    ],
)
async def test_what_amazon_cannot_do_now_is_told_for_what_it_is(
    seller: Seller, system: System, switches: dict[str, str], reason: str
) -> None:
    account = await system.amazon_account("US")
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    async with system.bent(**switches):
        page, news = await seller.consents(card, account)
    told(seller, news, reason)
    assert refusal(seller, reason)[0] in page.text


async def test_what_is_ours_to_mend_is_heard_at_the_desk(mei: Seller, system: System) -> None:
    sam = system.client.person("sam")
    account = await system.amazon_account("US")
    await no_incident(system)
    await mei.has_store("Acme US")
    card = await mei.card("orders", "Acme US")
    async with system.bent(lwa_status="invalid_client"):
        await mei.consents(card, account)
    heard = [one for one in await sam.messages(SUPPORT) if one.contains(mei.id)]
    assert len(heard) == 1
    assert Speaker("en")("desk.mend.our_credentials").partition("`")[0] in heard[0].plain()
    assert "Acme US" in heard[0].plain()


async def test_a_consent_that_could_not_be_verified_is_completed_by_checking(seller: Seller, system: System) -> None:
    account = await system.amazon_account("US")
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    async with system.bent(spapi_participations="html_503"):
        _, news = await seller.consents(card, account)
    checked = await seller.presses(seller.say("button.check_again"), told(seller, news, "amazon_unavailable"))
    assert seller.say("grant.complete") in checked.plain()
    assert PLATFORM_LABELS[StatusKind.ORDERS_ONLY] in await status(seller)


async def test_a_given_consent_without_access_is_a_permission_problem(seller: Seller, system: System) -> None:
    account = await system.amazon_account("US")
    await seller.has_store("Acme US")
    card = await seller.card("listing", "Acme US")
    async with system.bent(spapi_listings="403_empty"):
        _, news = await seller.consents(card, account)
    told(seller, news, "permission_problem", "listing")
    assert seller.say("status.permission_problem") in await status(seller)


@pytest.mark.parametrize(
    "switches", [{"silent": True}, {"individual_plan": True}, {"no_permission": True}, {"md_code": "MD5101"}]
)
async def test_where_amazon_never_comes_back_the_silence_is_told_once(
    mei: Seller, system: System, switches: dict[str, object]
) -> None:
    account = await system.amazon_account("US")
    await mei.has_store("Acme US")
    card = await mei.card("orders", "Acme US")
    async with system.bent(**switches):
        page = await mei.goes_to_amazon(card, account)
    assert page.status in (200, 400, 403)
    await system.passes(minutes=9)
    assert (await mei.notices(lambda: system.run_job("close-silent-consents"))).messages == ()
    assert PLATFORM_LABELS[StatusKind.AUTHORIZING] in await status(mei)
    await system.passes(minutes=2)
    silent(mei, await mei.notices(lambda: system.run_job("close-silent-consents")))
    assert (await mei.notices(lambda: system.run_job("close-silent-consents"))).messages == ()


async def test_silence_is_told_in_every_language_and_a_new_link_mends_it(seller: Seller, system: System) -> None:
    account = await system.amazon_account("US")
    await seller.has_store("Acme US")
    await seller.goes_to_amazon(await seller.card("orders", "Acme US"), account)
    await system.passes(minutes=11)
    news = await seller.notices(lambda: system.run_job("close-silent-consents"))
    fresh = (await seller.presses(seller.say("button.new_link"), silent(seller, news))).one(
        seller.say("button.open_amazon")
    )
    _, done = await seller.consents(fresh, account)
    assert seller.say("grant.complete") in done.plain()


async def test_silence_about_a_renewal_leaves_the_grant_and_says_so(seller: Seller, system: System) -> None:
    account = await granted(seller, system)
    await seller.goes_to_amazon(await seller.card("orders", "Acme US"), account)
    await system.passes(minutes=11)
    news = await seller.notices(lambda: system.run_job("close-silent-consents"))
    assert seller.say("grant.still_granted", ends="{}").partition("{}")[0][:12] in news.plain()
    assert PLATFORM_LABELS[StatusKind.ORDERS_ONLY] in await status(seller)


async def test_one_consent_renews_the_whole_region(seller: Seller, system: System) -> None:
    account = await granted(seller, system, "US", "CA")
    await seller.has_store("Acme CA", "CA")
    held = await seller.card("orders", "Acme CA")
    await seller.presses(seller.say("button.confirm_held"), held)
    await system.passes(days=100)
    news = await seller.grants("orders", "Acme US", account)
    assert seller.say("grant.also_renewed", labels="Acme CA") in news.plain()
