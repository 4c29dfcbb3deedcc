"""*Check result* asks Amazon now, and says what is so: in all its outcomes, in every language."""

from __future__ import annotations

import pytest

from bot.domain.status import PLATFORM_LABELS, StatusKind
from sandbox.client import Message
from tests.dialogue.conversation import News, Seller, System
from tests.dialogue.test_dialogue_outcomes import SUPPORT, no_incident, told

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _granted(seller: Seller, system: System, feature: str = "orders") -> tuple[str, Message]:
    """A store with a feature; its Amazon account, and the card that says so."""
    account = await system.amazon_account("US")
    await seller.has_store("Acme US")
    news = await seller.grants(feature, "Acme US", account)
    return account, next(one for one in news.messages if seller.say("button.check") in one.buttons())


async def _check(seller: Seller, card: Message) -> News:
    return await seller.presses(seller.say("button.check"), card)


async def test_a_grant_that_stands_is_confirmed_and_the_other_feature_offered(seller: Seller, system: System) -> None:
    _, card = await _granted(seller, system)
    news = await _check(seller, card)
    said = news.one(seller.say("check.verified"))
    assert said.thread == card.ts
    assert seller.say("button.grant", feature=seller.say("feature.listing.name")) in said.buttons()


async def test_a_link_nobody_opened_is_told_as_that(seller: Seller) -> None:
    await seller.has_store("Acme US")
    told(seller, await _check(seller, await seller.card("orders", "Acme US")), "never_opened")


async def test_a_link_that_is_open_now_is_waited_for(seller: Seller, system: System) -> None:
    account = await system.amazon_account("US")
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    await seller.goes_to_amazon(card, account)
    told(seller, await _check(seller, card), "waiting")
    await system.passes(minutes=11)
    told(seller, await _check(seller, card), "no_answer")


@pytest.mark.parametrize(
    ("feature", "switches", "reason"),
    [
        ("orders", {"lwa_status": "invalid_client"}, "our_credentials"),
        ("orders", {"lwa_status": "unauthorized_client"}, "our_credentials"),
        ("orders", {"lwa_status": "html_503"}, "amazon_unavailable"),
        ("orders", {"lwa_status": "throttled"}, "throttled"),
        ("orders", {"spapi_participations": "429"}, "throttled"),
        ("listing", {"spapi_listings": "403_token"}, "amazon_unavailable"),
        ("listing", {"spapi_listings": "html_503"}, "amazon_unavailable"),
    ],
)
async def test_what_is_nobodys_fault_leaves_the_grant_as_it_is(
    seller: Seller, system: System, feature: str, switches: dict[str, str], reason: str
) -> None:
    _, card = await _granted(seller, system, feature)
    async with system.bent(**switches):
        news = await _check(seller, card)
    said = told(seller, news, reason, feature)
    assert said.buttons()[0] == seller.say("button.check_again")
    again = await seller.presses(seller.say("button.check_again"), said)
    assert seller.say("check.verified") in again.plain()


async def test_credentials_of_ours_are_heard_of_at_the_desk_and_not_blamed_on_the_seller(
    lin: Seller, system: System
) -> None:
    await no_incident(system)
    _, card = await _granted(lin, system)
    async with system.bent(lwa_status="invalid_client", lwa_app="orders"):
        await _check(lin, card)
    heard = [one for one in await system.client.person("kim").messages(SUPPORT) if one.contains(lin.id)]
    assert len(heard) == 1
    assert PLATFORM_LABELS[StatusKind.ORDERS_ONLY] in (await lin.types("/authstatus")).plain()


async def test_a_grant_withdrawn_at_amazon_is_told_and_can_be_given_again(seller: Seller, system: System) -> None:
    account, card = await _granted(seller, system)
    await system.amazon("revoke", application="orders", partner=account, region="NA")
    said = told(seller, await _check(seller, card), "revoked")
    status = (await seller.types("/authstatus")).only
    assert seller.say("status.revoked") in status.plain()
    renew = seller.say("button.renew_feature", feature=seller.say("feature.orders.name"))
    assert renew in status.buttons()
    fresh = (await seller.presses(seller.say("button.new_link"), said)).one(seller.say("button.open_amazon"))
    _, done = await seller.consents(fresh, account)
    assert seller.say("grant.complete") in done.plain()


async def test_a_withdrawal_found_by_a_check_names_the_other_stores_it_takes_along(
    seller: Seller, system: System
) -> None:
    account = await system.amazon_account("US", "CA", "MX")
    await seller.has_store("Acme US")
    await seller.grants("orders", "Acme US", account)
    for label, marketplace in (("Acme CA", "CA"), ("Acme <!MX>", "MX")):
        await seller.has_store(label, marketplace)
        held = await seller.card("orders", label)
        await seller.presses(seller.say("button.confirm_held"), held)
    await system.amazon("revoke", application="orders", partner=account, region="NA")
    status = (await seller.types('/authstatus "Acme US"')).only
    check = seller.say("button.check_feature", feature=seller.say("feature.orders.name"))
    said = told(seller, await seller.presses(check, status), "revoked")
    assert seller.say("health.others", labels=seller.say.list(["Acme CA", "Acme <!MX>"])) in said.plain()


async def test_a_permission_problem_is_never_taken_for_a_revocation(seller: Seller, system: System) -> None:
    _, card = await _granted(seller, system, "listing")
    async with system.bent(spapi_listings="403_empty"):
        told(seller, await _check(seller, card), "permission_problem", "listing")
    assert seller.say("status.permission_problem") in (await seller.types("/authstatus")).plain()
    assert seller.say("check.verified") in (await _check(seller, card)).plain()
    assert seller.say("status.permission_problem") not in (await seller.types("/authstatus")).plain()


async def test_a_year_later_the_grant_has_run_out(seller: Seller, system: System) -> None:
    account, card = await _granted(seller, system)
    await system.passes(days=366)
    told(seller, await _check(seller, card), "expired")
    renewed = await seller.grants("orders", "Acme US", account)
    assert seller.say("grant.complete") in renewed.plain()


async def test_a_disabled_store_is_not_asked_about(seller: Seller, system: System) -> None:
    say = seller.say
    _, card = await _granted(seller, system)
    await seller.types("/store disable")
    news = await _check(seller, card)
    said = news.one(say("reason.disabled.title"))
    enabled = await seller.presses(say("button.enable"), said)
    assert "Acme US" in enabled.plain()
    assert say("check.verified") in (await _check(seller, card)).plain()


@pytest.mark.parametrize("rotates", [False, True])
async def test_every_check_asks_amazon_anew(mei: Seller, system: System, rotates: bool) -> None:  # noqa: FBT001
    _, card = await _granted(mei, system)
    async with system.bent(rotate_refresh_tokens=rotates):
        for _ in range(3):
            before = len((await system.client.get("/control/amazon/calls", endpoint="lwa.refresh_token"))["calls"])
            assert mei.say("check.verified") in (await _check(mei, card)).plain()
            after = len((await system.client.get("/control/amazon/calls", endpoint="lwa.refresh_token"))["calls"])
            assert after == before + 1


async def test_from_a_channel_the_answer_goes_to_the_dm_and_says_so(seller: Seller, system: System) -> None:
    await _granted(seller, system)
    status = await seller.types("/authstatus", channel="general")
    check = seller.say("button.check_feature", feature=seller.say("feature.orders.name"))
    news = await seller.presses(check, status.only)
    here = [one for one in news.messages if one.channel == "C0GENERAL"]
    assert [one.ephemeral for one in here] == [True]
    assert here[0].plain() == seller.say("grant.asking", store="Acme US").replace("*", "")
    assert news.one(seller.say("check.verified")).channel == seller.dm
