"""What a seller and the desk read through the year, over signed HTTP: digests, their buttons and settings, nudges, health."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from bot.domain.features import FeatureKey
from bot.services.naming import feature_name
from tests.dialogue.conversation import News, Seller, System
from tests.fakes import SUPPORT

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def at_their_morning(system: System, seller: Seller, *, days: float) -> None:
    """Time goes on to ten o'clock of the seller's day that is so many days from now."""
    zone: ZoneInfo = seller.say.zone
    day = (system.now + timedelta(days=days)).astimezone(zone).date()
    morning = datetime.combine(day, time(10), zone).astimezone(UTC)
    await system.passes(seconds=(morning - system.now).total_seconds())


async def digest(system: System, seller: Seller) -> News:
    return await seller.notices(lambda: system.run_job("plan-digests"))


async def with_a_grant(system: System, seller: Seller, *labels: str) -> str:
    """Stores whose order import is granted, and a reader who is known to the planner; the Amazon account."""
    account = await system.amazon_account("US", "CA", "MX")
    for label, marketplace in zip(labels, ("US", "CA", "MX"), strict=False):
        await seller.has_store(label, marketplace)
        if marketplace == "US":
            await seller.grants("orders", label, account)
        else:
            news = await seller.types(f'/grant orders "{label}"')
            confirm = news.one(seller.say("button.confirm_held"))
            await seller.presses(seller.say("button.confirm_held"), confirm)
    await system.run_job("plan-digests")
    return account


async def test_a_year_ends_and_is_renewed_from_the_digest(seller: Seller, system: System) -> None:
    say = seller.say
    account = await with_a_grant(system, seller, "Acme US", "Acme CA")
    await at_their_morning(system, seller, days=358)
    news = await digest(system, seller)
    told = news.one(say("digest.title"))
    assert told.channel == seller.dm
    assert say.count("digest.orders.later", 2, days=7) in told.plain()
    assert "Acme US" in told.plain()
    assert "Acme CA" in told.plain()
    assert told.buttons().count(say("digest.renew")) == 2, "one for each store"
    [picture] = [block for block in told.raw["blocks"] if block["type"] == "image"]
    assert say.count("digest.count.orders", 2) in picture["alt_text"]
    assert picture["alt_text"] in told.text, "whoever reads only the text reads the calendar too"
    async with httpx.AsyncClient(trust_env=False) as browser:
        image = await browser.get(picture["image_url"])
        assert image.headers["content-type"] == "image/png"
        assert image.headers["cross-origin-resource-policy"] == "cross-origin", "it is shown in Slack, not here"
        assert image.content.startswith(b"\x89PNG")
        assert (await browser.get(picture["image_url"].replace(".png", "x.png"))).status_code == 404
        assert (await browser.get(f"{system.running.bot_url}/digest/calendar/e30.AAAA.png")).status_code == 404

    renewing = await seller.presses(say("digest.renew"), told)
    card = renewing.one(say("button.open_amazon"))
    _, done = await seller.consents(card, account)
    assert "Acme CA" in done.one(say("grant.complete")).plain(), "one consent renews both"
    late = await seller.presses(say("digest.know"), told)
    late.one(say("digest.none_left"))
    await at_their_morning(system, seller, days=6)
    assert say("digest.title") not in (await digest(system, seller)).plain(), "it goes quiet when mended"


async def test_i_know_and_snooze_quiet_the_one_who_pressed(seller: Seller, system: System) -> None:
    say = seller.say
    await with_a_grant(system, seller, "Acme US")
    await at_their_morning(system, seller, days=351)
    told = (await digest(system, seller)).one(say("digest.title"))
    pressed = await seller.presses(say("digest.snooze"), told)
    assert pressed.only.ephemeral or pressed.only.channel == seller.dm
    await at_their_morning(system, seller, days=1)
    assert say("digest.title") not in (await digest(system, seller)).plain()
    await at_their_morning(system, seller, days=7)
    again = await digest(system, seller)
    told = again.one(say("digest.title"))
    assert say("digest.replaced") in again.plain(), "the older card's buttons are gone"
    pressed = await seller.presses(say("digest.know"), told)
    pressed.one(say("digest.known"))
    await at_their_morning(system, seller, days=3)
    assert say("digest.title") not in (await digest(system, seller)).plain()
    await at_their_morning(system, seller, days=3)
    assert "Acme US" in (await digest(system, seller)).one(say("digest.title")).plain(), "the day itself is told"


async def test_now_shows_what_ends_or_the_next_end(seller: Seller, system: System) -> None:
    say = seller.say
    assert say("digest.nothing") in (await seller.types("/digest now")).only.plain()
    await with_a_grant(system, seller, "Acme US")
    news = await seller.types("/digest now")
    assert say("digest.nothing") in news.only.plain()
    assert str(system.now.year + 1) in news.only.plain()
    await at_their_morning(system, seller, days=340)
    shown = (await seller.types("/digest now")).only
    assert shown.ephemeral
    assert say.count("digest.orders.later", 1, days=25) in shown.plain()


async def test_settings_are_kept_and_switch_digests_off(seller: Seller, system: System) -> None:
    say = seller.say
    await with_a_grant(system, seller, "Acme US")
    form = (await seller.types("/digest settings")).modal
    assert form is not None
    assert seller.say.zone.key in form.plain()
    await seller.fills(digest_wanted="off", digest_hour="7")
    saved = await seller.submits()
    assert say("digest.settings.saved_off") in saved.plain()
    await at_their_morning(system, seller, days=358)
    assert say("digest.title") not in (await digest(system, seller)).plain()
    await seller.types("/digest settings")
    await seller.fills(digest_wanted="on")
    await seller.submits()
    await at_their_morning(system, seller, days=1)
    assert say("digest.title") in (await digest(system, seller)).plain()


async def test_settings_without_a_store_say_what_to_do(seller: Seller) -> None:
    await seller.types("/digest settings")
    saved = await seller.submits()
    assert seller.say("digest.settings.no_stores") in saved.plain()


@pytest.mark.parametrize("typed", ["/digest", "/digest help"])
async def test_usage_is_shown(seller: Seller, typed: str) -> None:
    assert "/digest settings" in (await seller.types(typed)).only.plain()


async def test_a_typo_is_met_with_what_was_meant(seller: Seller) -> None:
    assert "settings" in (await seller.types("/digest setings")).only.plain()


async def test_one_nudge_for_a_link_that_stayed_silent(seller: Seller, system: System) -> None:
    say, account = seller.say, await system.amazon_account("US")
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    await seller.goes_to_amazon(card, account)
    await system.passes(minutes=10)
    news = await seller.notices(lambda: system.run_job("close-silent-consents"))
    assert "Acme US" in news.plain()
    assert say("reason.no_answer.title") in news.plain(), "the card is closed with its reason"
    assert say("button.new_link") in news.one(say("reason.no_answer.title")).buttons()
    await system.passes(hours=2)
    again = await seller.notices(lambda: system.run_job("close-silent-consents"))
    assert again.messages == ()


async def test_a_withdrawal_is_told_and_when_it_is_back_the_gap(seller: Seller, system: System) -> None:
    say = seller.say
    account = await with_a_grant(system, seller, "Acme US")
    await system.passes(days=2)
    await system.amazon("revoke", application="orders", partner=account, region="NA")
    news = await seller.notices(lambda: system.run_job("sweep-authorizations"))
    broke = news.one(say("health.broke.orders"))
    assert say("reason.revoked.title") in broke.plain()
    assert say("digest.renew") in broke.buttons()
    renewing = await seller.presses(say("digest.renew"), broke)
    await system.passes(days=1)
    card = renewing.one(say("button.open_amazon"))
    fresh = await seller.presses(say("button.new_link"), card)
    _, done = await seller.consents(fresh.one(say("button.open_amazon")), account)
    back = done.one(say("health.mended.orders")).plain()
    platform = {"zh-CN": "赛盈", "zh-TW": "賽盈"}.get(say.locale, "SaleYee")
    assert say("health.alone.orders") in back
    assert say("health.support.orders", platform=platform) in back


async def test_the_desk_reads_what_nobody_has_reacted_to(mei: Seller, system: System) -> None:
    await with_a_grant(system, mei, "Forgotten US")
    await at_their_morning(system, mei, days=363)
    await system.passes(hours=10)
    await system.run_job("plan-digests")
    sam = system.client.person("sam")
    told = await sam.sees("Nobody has reacted", within=60)
    assert "Forgotten US" in told.plain()
    assert feature_name(mei.say, FeatureKey.ORDERS) in told.plain()


@pytest.mark.parametrize("typed", ["/digest now", "/digest settings"])
async def test_the_desks_digest_is_for_agents_wherever_sellers_may_type(
    mei: Seller, system: System, typed: str
) -> None:
    desk = system.running.sandbox.slack.world.channels[SUPPORT]
    desk.members.add(mei.id)
    try:
        refused = (await mei.types(typed, channel=SUPPORT)).only
    finally:
        desk.members.discard(mei.id)
    assert mei.say("error.NotAnAgent") in refused.plain()
