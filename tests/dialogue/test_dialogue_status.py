"""Where stores stand: `/authstatus` and App Home in every language, with the buttons that make sense."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.features import FEATURES, FeatureKey
from bot.domain.status import PLATFORM_LABELS, StatusKind
from handlers.home_view import PAGE
from sandbox.client import Message
from tests.dialogue.conversation import Seller, System, verify_dialog

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _button(seller: Seller, key: str, feature: str) -> str:
    return seller.say(key, feature=seller.say(f"feature.{feature}.name"))


async def _status(seller: Seller) -> Message:
    return (await seller.types("/authstatus")).only


async def test_nobody_without_a_store_has_a_status(seller: Seller) -> None:
    await verify_dialog(
        seller,
        [
            ("/authstatus", seller.say("error.NoStores")),
            ("/authstatus help", "/authstatus"),
            ("/authstatus Acme", seller.say("error.NoStores")),
        ],
    )


async def test_every_state_has_the_platforms_label_and_its_buttons(seller: Seller, system: System) -> None:
    account = await system.amazon_account("US")
    await seller.has_store("Acme US")
    grant, check, renew = "button.grant", "button.check_feature", "button.renew_feature"

    status = await _status(seller)
    assert PLATFORM_LABELS[StatusKind.NOT_AUTHORIZED] in status.plain()
    assert [_button(seller, grant, "orders"), _button(seller, grant, "listing")] == status.buttons()

    await seller.goes_to_amazon(await seller.card("orders", "Acme US"), account)
    status = await _status(seller)
    assert PLATFORM_LABELS[StatusKind.AUTHORIZING] in status.plain()
    assert seller.say("grant.authorizing") in status.plain()
    assert [_button(seller, check, "orders"), _button(seller, grant, "listing")] == status.buttons()

    await system.passes(minutes=1)
    await seller.grants("orders", "Acme US", account)
    ends = seller.say.date(system.now + timedelta(days=365))
    status = await _status(seller)
    assert PLATFORM_LABELS[StatusKind.ORDERS_ONLY] in status.plain()
    assert seller.say("grant.granted", ends=ends) in status.plain()
    assert [_button(seller, check, "orders"), _button(seller, grant, "listing")] == status.buttons()

    await seller.grants("listing", "Acme US", account)
    status = await _status(seller)
    assert PLATFORM_LABELS[StatusKind.AUTHORIZED] in status.plain()
    assert [_button(seller, check, "orders"), _button(seller, check, "listing")] == status.buttons()

    await system.passes(days=350)
    status = await _status(seller)
    assert seller.say("status.expiring") in status.plain()
    assert [_button(seller, renew, "orders"), _button(seller, renew, "listing")] == status.buttons()

    await system.passes(days=20)
    status = await _status(seller)
    assert PLATFORM_LABELS[StatusKind.NOT_AUTHORIZED] in status.plain()
    assert seller.say("status.expired") in status.plain()
    assert [_button(seller, renew, "orders"), _button(seller, renew, "listing")] == status.buttons()

    await seller.types("/store disable")
    status = await _status(seller)
    assert seller.say("status.disabled") in status.plain()
    assert status.buttons() == [seller.say("button.enable")]


async def test_listing_alone_has_its_own_label(seller: Seller, system: System) -> None:
    account = await system.amazon_account("US")
    await seller.has_store("Acme US")
    await seller.grants("listing", "Acme US", account)
    status = await _status(seller)
    assert PLATFORM_LABELS[StatusKind.LISTING_ONLY] in status.plain()
    for feature in FeatureKey:
        assert FEATURES[feature].platform_label in status.plain()


async def test_one_store_is_shown_alone(seller: Seller) -> None:
    await seller.has_store("One")
    await seller.has_store("Two")
    both = await _status(seller)
    assert "One" in both.plain()
    one = (await seller.types("/authstatus two")).only
    assert "Two" in one.plain()
    assert "One" not in one.plain()


async def test_an_empty_home_says_how_to_begin(seller: Seller) -> None:
    view = await seller.opens_home()
    assert seller.say("home.empty") in view.plain()
    news = await seller.presses(seller.say("button.add_store"), view=view)
    assert news.modal is not None
    assert news.modal.callback_id == "store.prepare"


async def test_home_shows_the_stores_and_their_buttons_work(seller: Seller) -> None:
    await seller.has_store("Acme US")
    view = await seller.opens_home()
    assert "Acme US" in view.plain()
    assert PLATFORM_LABELS[StatusKind.NOT_AUTHORIZED] in view.plain()
    news = await seller.presses(_button(seller, "button.grant", "orders"), view=view)
    assert news.one(seller.say("button.open_amazon")).channel == seller.dm
    prepared = await seller.presses(seller.say("button.prepare"), view=view)
    assert prepared.modal is not None


async def test_home_is_read_page_by_page(mei: Seller) -> None:
    for number in range(PAGE + 2):
        await mei.has_store(f"Store {number:02d}")
    view = await mei.opens_home()
    assert "Store 00" in view.plain()
    assert f"Store {PAGE}" not in view.plain()
    await mei.presses(mei.say("button.next"), view=view)
    second = (await mei.person._look()).home
    assert second is not None
    assert f"Store {PAGE + 1}" in second.plain()
    await mei.presses(mei.say("button.previous"), view=second)
    first = (await mei.person._look()).home
    assert first is not None
    assert "Store 00" in first.plain()


async def test_the_ask_box_opens_no_door_for_nothing(seller: Seller) -> None:
    view = await seller.opens_home()
    news = await seller.presses("faq.ask", view=view, value="MD5101")
    assert "MD5101" in news.plain()
    silent = await seller.presses("faq.ask", view=view, value=None)
    assert silent.modal is not None
    assert silent.modal.title == seller.say("home.ask")


async def test_a_changed_language_counts_at_once(seller: Seller, system: System) -> None:
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    for locale in ("zh-TW", "en-GB", "zh-CN", "fr-FR", "zh-HK"):
        await seller.changes(locale=locale)
        assert seller.say("status.not_authorized") in (await _status(seller)).plain() or locale == "zh-CN"
        await system.passes(seconds=10)
        renewed = (await seller.presses("grant.again:orders", card)).messages[-1]
        assert seller.say("button.open_amazon") in [control.label for control in renewed.controls()]
        assert seller.say("home.title") in (await seller.opens_home()).plain()


async def test_days_are_written_in_the_readers_own_time_zone(alex: Seller, system: System) -> None:
    await alex.has_store("Acme US")
    card = await alex.card("orders", "Acme US")
    until = alex.say.moment(system.now.replace(microsecond=0) + timedelta(hours=24))
    assert until[:-6] in card.plain()
    await alex.changes(tz="Pacific/Auckland")
    await system.passes(seconds=10)
    renewed = (await alex.presses(alex.say("button.new_link"), card)).one(alex.say("button.open_amazon"))
    assert alex.say.escaping(str)("card.valid_until", until="{}").partition("{}")[0] in renewed.plain()
    assert until not in renewed.plain()
