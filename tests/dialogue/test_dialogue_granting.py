"""A seller grants features: which store is meant, the card and its buttons, new links, the consent and what comes of it."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.features import FEATURES, FeatureKey
from tests.dialogue.conftest import Somebody
from tests.dialogue.conversation import Seller, System, verify_dialog
from tests.dialogue.forging import forge_button

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_without_a_store_one_is_asked_for(seller: Seller) -> None:
    news = await seller.types("/grant orders")
    assert news.only.plain() == seller.say("error.NoStores")


async def test_without_words_the_usage_is_shown(seller: Seller) -> None:
    for typed in ("/grant", "/grant help"):
        assert "/grant orders" in (await seller.types(typed)).only.plain()


async def test_the_only_store_needs_no_name_and_the_card_says_everything(seller: Seller, system: System) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    news = await seller.types("/grant orders")
    card = news.one(say("button.open_amazon"))
    read = card.plain()
    assert card.channel == seller.dm
    assert not card.ephemeral
    for expected in (
        "Acme US",
        FEATURES[FeatureKey.ORDERS].platform_label,
        FEATURES[FeatureKey.ORDERS].developer_name,
        say("card.safe_environment").replace("*", ""),
        say("card.popups").replace("*", ""),
        say("card.right_account").replace("*", ""),
    ):
        assert expected in read
    assert [
        say("button.open_amazon"),
        say("button.check"),
        say("button.new_link"),
        say("button.saw_error"),
    ] == card.buttons()
    assert seller.link(card) in card.text
    assert seller.link(card).startswith(f"{system.running.bot_url}/connect/")
    (sent,) = [one for one in news.messages if one.ephemeral]
    assert "Acme US" in sent.plain()


async def test_several_candidates_are_offered_and_those_that_have_it_are_not(seller: Seller, system: System) -> None:
    say, account = seller.say, await system.amazon_account("US", "CA", "DE")
    for label in ("One", "Two", "Three"):
        await seller.has_store(label)
    await seller.grants("orders", "Two", account)
    asked = await seller.types("/grant orders")
    assert say("store.which") in asked.only.plain()
    offered = [option["text"]["text"] for option in asked.only.controls()[0].raw["options"]]
    assert offered == ["One · US", "Three · US"]
    news = await seller.presses(say("store.which_placeholder"), asked.only, value="Three · US")
    assert "Three" in news.one(say("button.open_amazon")).plain()


async def test_the_only_candidate_left_is_picked(seller: Seller, system: System) -> None:
    account = await system.amazon_account("US", "CA")
    await seller.has_store("One")
    await seller.has_store("Two", "CA")
    await seller.grants("orders", "One", account)
    news = await seller.types("/grant orders")
    assert "Two" in news.one(seller.say("button.open_amazon")).plain()


async def test_when_all_have_it_the_one_to_renew_is_asked_for(seller: Seller, system: System) -> None:
    say, account = seller.say, await system.amazon_account("US", "CA", "DE")
    for label, marketplace in (("One", "US"), ("Two", "DE")):
        await seller.has_store(label, marketplace)
        await seller.grants("orders", label, account, marketplace)
    asked = await seller.types("/grant orders")
    assert say("grant.all_granted", feature="{}").split("{}")[-1][-8:] in asked.only.plain()
    news = await seller.presses(say("store.which_placeholder"), asked.only, value="One · US")
    _, renewed = await seller.consents(news.one(say("button.open_amazon")), account)
    assert say("grant.complete") in renewed.plain()


@pytest.mark.parametrize(
    ("typed", "feature"),
    [
        ("orders", "orders"),
        ("ORDERS", "orders"),
        ("order", "orders"),
        ("载单", "orders"),
        ("载单功能", "orders"),
        ("【载单功能】", "orders"),
        ("載單功能", "orders"),
        ("訂單匯入", "orders"),
        ("order import", "orders"),
        ("“Order import”", "orders"),
        ("订单", "orders"),
        ("listing", "listing"),
        ("listings", "listing"),
        ("stock", "listing"),
        ("刊登", "listing"),
        ("库存同步", "listing"),
        ("刊登/库存同步", "listing"),
        ("【刊登/库存同步功能】", "listing"),
        ("刊登／庫存同步", "listing"),
        ("Listing and stock sync", "listing"),
    ],
)
async def test_a_feature_is_known_by_every_name_that_we_call_it(mei: Seller, typed: str, feature: str) -> None:
    await mei.has_store("Acme US")
    news = await mei.types(f'/grant {typed} "Acme US"')
    assert FEATURES[FeatureKey(feature)].platform_label in news.one(mei.say("button.open_amazon")).plain()


@pytest.mark.parametrize("typed", ["ordrs", "lsiting", "everything", "全部"])
async def test_an_unknown_feature_is_answered_with_the_two_there_are(seller: Seller, typed: str) -> None:
    await seller.has_store("Acme US")
    news = await seller.types(f"/grant {typed}")
    lines = news.only.plain().splitlines()
    assert lines[0] == seller.say("error.UnknownFeature", given=typed)
    assert "/grant listing" in news.only.plain()


async def test_an_unknown_or_misspelled_store_is_told(seller: Seller) -> None:
    await seller.has_store("Acme US")
    await verify_dialog(
        seller,
        [
            ('/grant orders "Acme UK"', seller.say("error.MisspelledStore", given="Acme UK", suggestion="Acme US")),
            ("/grant orders Zzz", seller.say("error.UnknownStore", given="Zzz")),
        ],
    )


async def test_a_consent_is_told_on_the_page_on_the_card_and_with_the_next_step(seller: Seller, system: System) -> None:
    say, account = seller.say, await system.amazon_account("US")
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    page, news = await seller.consents(card, account)
    assert page.status == 200
    assert "state=" not in page.url
    assert "spapi_oauth_code" not in page.url
    closed = await seller.person.message(card)
    assert closed is not None
    assert closed.link(say("button.open_amazon")) is None
    assert say("button.check") in closed.buttons()
    told = news.one(say("grant.complete"))
    assert told.thread == card.ts
    assert FEATURES[FeatureKey.ORDERS].developer_name in told.plain()
    other = say("button.grant", feature=say("feature.listing.name"))
    next_card = (await seller.presses(other, told)).one(say("button.open_amazon"))
    _, done = await seller.consents(next_card, account)
    assert say("grant.both_done", **_names(seller)) in done.plain()


def _names(seller: Seller) -> dict[str, str]:
    return seller.system.running.desk.stories.names.facts(seller.say)


async def test_a_new_link_takes_the_cards_place_and_the_old_one_dies(seller: Seller, system: System) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    old = seller.link(card)
    await system.passes(seconds=10)
    news = await seller.presses(say("button.new_link"), card)
    renewed = news.one(say("button.open_amazon"))
    assert renewed.ts == card.ts
    assert seller.link(renewed) != old
    async with seller.browser() as browser:
        page = await browser.opens(old)
        assert page.status == 410
        assert (await browser.opens(seller.link(renewed))).status == 200


async def test_a_second_command_makes_a_new_card_and_closes_the_old_one(seller: Seller) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    first = await seller.card("orders", "Acme US")
    second = await seller.card("orders", "Acme US")
    assert second.ts != first.ts
    closed = await seller.person.message(first)
    assert closed is not None
    assert say("card.replaced") in closed.plain()
    assert closed.buttons() == []


async def test_a_card_that_was_deleted_is_posted_again(seller: Seller, system: System) -> None:
    say, account = seller.say, await system.amazon_account("US")
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    link = seller.link(card)
    await seller.person.deletes(card)
    _, news = await seller.consents(link, account)
    assert len([one for one in news.messages if not one.thread]) == 1
    assert say("grant.complete") in news.plain()


@pytest.mark.parametrize("label_key", ["button.new_link", "button.grant"])
async def test_a_button_pressed_twice_makes_one_link_and_one_card(
    seller: Seller, system: System, label_key: str
) -> None:
    say = seller.say
    store = await seller.has_store("Acme US")
    if label_key == "button.new_link":
        source = await seller.card("orders", "Acme US")
        label = say("button.new_link")
    else:
        source = (await seller.types("/authstatus")).only
        label = say("button.grant", feature=say("feature.orders.name"))
    await system.passes(minutes=1)
    links = "SELECT count(*) FROM consent_attempts WHERE store_id = :store"
    before = await system.count(links, store=store)
    # the second press may find the card edited under its finger already
    await asyncio.gather(
        seller.person.clicks(label, message=source),
        seller.person.clicks(label, message=source),
        return_exceptions=True,
    )
    await system.settled()
    assert await system.count(links, store=store) == before + 1
    cards = [one for one in await seller.person.messages(seller.dm) if one.link(say("button.open_amazon"))]
    assert len(cards) == 1
    assert say("card.replaced") not in "".join(one.plain() for one in await seller.person.messages(seller.dm))


async def test_what_amazon_holds_already_is_confirmed_with_one_press(seller: Seller, system: System) -> None:
    say, account = seller.say, await system.amazon_account("US", "CA")
    await seller.has_store("Acme US")
    await seller.grants("orders", "Acme US", account)
    await seller.has_store("Acme CA", "CA")
    card = await seller.card("orders", "Acme CA")
    assert account in card.plain()
    await asyncio.gather(
        seller.person.clicks(say("button.confirm_held"), message=card),
        seller.person.clicks(say("button.confirm_held"), message=card),
    )
    await system.settled()
    told = [one for one in await seller.person.messages(seller.dm) if one.contains(say("grant.complete"))]
    assert len([one for one in told if one.contains("Acme CA")]) == 1
    accepted = "SELECT count(*) FROM audit WHERE action = 'grant.accepted' AND actor = :user"
    assert await system.count(accepted, user=seller.id) == 2


async def test_a_colleague_cannot_press_the_confirmation_of_somebody_elses_card(
    mei: Seller, somebody: Somebody, system: System
) -> None:
    stranger, account = await somebody("alex"), await system.amazon_account("US", "CA")
    await mei.has_store("Acme US")
    await mei.grants("orders", "Acme US", account)
    await mei.has_store("Acme CA", "CA")
    await stranger.has_store("Other")
    card = await mei.card("orders", "Acme CA")
    attempt = next(str(one.raw["value"]) for one in card.controls() if one.action_id == "grant.confirm")
    mine = await stranger.card("orders", "Other")
    await system.passes(minutes=1)
    forge_button(system, mine.ts, "grant.check:orders", action_id="grant.confirm", value=attempt)
    news = await stranger.presses("grant.confirm")
    assert news.only.plain() == stranger.say("error.NothingToConfirm")
    granted = (
        "SELECT count(*) FROM grants JOIN stores ON stores.id = store_id JOIN seller_members USING (seller_id)"
        " WHERE label = 'Acme CA' AND state = 'granted' AND user_id = :user"
    )
    assert await system.count(granted, user=mei.id) == 0


async def test_a_browser_that_never_saw_us_is_enough(lin: Seller, system: System) -> None:
    account = await system.amazon_account("JP")
    await lin.has_store("Acme 日本", "JP")
    news = await lin.grants("listing", "Acme 日本", account, "JP")
    assert "Acme 日本" in news.plain()
