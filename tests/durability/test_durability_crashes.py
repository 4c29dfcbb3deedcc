"""The bot is killed at the worst moments: what it promised is kept, and nothing is done twice."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.durability.processes import LEASE, Nursery, Seller, World, until, world

pytestmark = pytest.mark.slow

#: seconds that Slack or Amazon keeps the bot waiting: long enough for it to be killed meanwhile on a machine under load
UNTIL_IT_DIED = 25.0


@pytest.fixture
async def house(nursery: Nursery, sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world(nursery, sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
def look(tmp_path: Path) -> sqlite3.Connection:
    """The bot's own database, read from outside."""
    return sqlite3.connect(f"file:{tmp_path / 'grantdesk.db'}?mode=ro", uri=True)


def _count(look: sqlite3.Connection, query: str) -> int:
    return int(look.execute(f"SELECT count(*) FROM {query}").fetchone()[0])  # noqa: S608  # our own words


async def _calm(look: sqlite3.Connection) -> None:
    """Until nothing waits to be sent."""
    await until(lambda: _is(look, "outbox", 0))


async def _in_hand(look: sqlite3.Connection) -> None:
    """Until the relay has something in hand: that is when it is worst to die."""
    await until(lambda: _is(look, "outbox WHERE leased_until IS NOT NULL", 1))


async def _is(look: sqlite3.Connection, query: str, count: int) -> bool:
    return _count(look, query) == count


async def _granting(house: World) -> tuple[Seller, str]:
    """A seller with a store and a card, and their Amazon account's link."""
    alex = await house.seller("alex")
    await alex.adds("Acme US")
    await alex.types("/grant orders")
    card = await alex.person.sees(alex.say("button.open_amazon"), within=60)
    link = card.link(alex.say("button.open_amazon"))
    assert link is not None
    return alex, link


@pytest.mark.parametrize("fault", ["slow", "lost"])
async def test_a_card_that_was_promised_before_the_crash_arrives_after_it(
    house: World, look: sqlite3.Connection, fault: str
) -> None:
    alex = await house.seller("alex")
    await alex.adds("Acme US")
    await house.client.fault("chat.postMessage", fault, seconds=UNTIL_IT_DIED)
    await alex.types("/grant orders")
    await _in_hand(look)
    await house.crashes()
    assert _count(look, "outbox") == 1
    await house.well_again()
    await house.comes_back()
    await alex.person.sees(alex.say("button.open_amazon"), within=60)
    await _calm(look)
    cards = await alex.cards()
    assert len(cards) == 1 or (fault == "lost" and len(cards) == 2), "done, but Slack did not say so"
    assert len({card.link(alex.say("button.open_amazon")) for card in cards}) == 1
    page = await alex.consents(str(cards[-1].link(alex.say("button.open_amazon"))), "A4ALEXUS00004")
    assert page.status == 200
    await alex.person.sees(alex.say("grant.complete"), within=60)


async def test_a_crash_while_amazon_exchanges_the_code_grants_nothing_and_uses_the_state_up(
    house: World, look: sqlite3.Connection
) -> None:
    alex, link = await _granting(house)
    await house.client.post("/control/amazon/switches", {"lwa_status": "slow", "slow_seconds": UNTIL_IT_DIED})
    async with alex.browser() as browser:
        await browser.signs_in("A4ALEXUS00004", "US")
        await browser.opens(link)
        at_amazon = await browser.presses(alex.say("page.go"))
        (state,) = parse_qs(urlsplit(at_amazon.url).query)["state"]
        consenting = asyncio.create_task(browser.consents())
        await until(lambda: _is(look, "consent_states WHERE consumed_at IS NOT NULL", 1))
        await house.crashes()
        with pytest.raises(httpx.TransportError):
            await consenting
    await house.client.post("/control/amazon/switches", {"lwa_status": "ok"})
    await house.comes_back()
    assert _count(look, "grants WHERE state = 'granted'") == 0

    exchanges = await _exchanges(house)
    code = list(house.sandbox.amazon.ledger._codes)[-1]
    query = urlencode({"state": state, "selling_partner_id": "A4ALEXUS00004", "spapi_oauth_code": code})
    async with alex.browser() as browser:
        again = await browser.opens(f"{house.desk.url}/amazon/orders/callback?{query}")
        assert again.status == 200
        assert "state=" not in again.url
    assert await _exchanges(house) == exchanges, "a state is used once, also when its first use was cut off"
    assert _count(look, "grants WHERE state = 'granted'") == 0

    await alex.types("/grant orders")
    await until(lambda: _fresh(alex, link))
    page = await alex.consents(str((await alex.cards())[-1].link(alex.say("button.open_amazon"))), "A4ALEXUS00004")
    assert page.status == 200
    await alex.person.sees(alex.say("grant.complete"), within=60)
    assert _count(look, "grants WHERE state = 'granted'") == 1
    assert _count(look, "authorizations") == 1


async def _exchanges(house: World) -> int:
    """How many codes were accepted or refused so far."""
    return len((await house.client.get("/control/amazon/calls", endpoint="lwa.authorization_code"))["calls"])


async def _fresh(seller: Seller, old: str) -> bool:
    """True once a card with another link than the old one is there, and that one is gone."""
    links = {card.link(seller.say("button.open_amazon")) for card in await seller.cards()}
    return len(links) == 1 and old not in links


async def test_a_crash_between_the_grant_and_its_message_loses_neither(house: World, look: sqlite3.Connection) -> None:
    alex, link = await _granting(house)
    await _calm(look)
    for method in ("chat.postMessage", "chat.update"):
        await house.client.fault(method, "500", times=100)
    page = await alex.consents(link, "A4ALEXUS00004")
    assert page.status == 200
    assert _count(look, "grants WHERE state = 'granted'") == 1
    await house.crashes()
    assert await alex.told(alex.say("grant.complete")) == []
    await house.well_again()
    await house.comes_back()
    await alex.person.sees(alex.say("grant.complete"), within=60)
    await _calm(look)
    assert len(await alex.told(alex.say("grant.complete"))) == 1
    assert _count(look, "grants WHERE state = 'granted'") == 1
    assert _count(look, "audit WHERE action = 'grant.accepted'") == 1


async def test_a_check_that_was_asked_for_is_answered_after_the_crash(house: World, look: sqlite3.Connection) -> None:
    alex, link = await _granting(house)
    await alex.consents(link, "A4ALEXUS00004")
    await alex.person.sees(alex.say("grant.complete"), within=60)
    await _calm(look)
    await house.client.post("/control/amazon/switches", {"lwa_status": "slow", "slow_seconds": UNTIL_IT_DIED})
    await alex.person.clicks(alex.say("button.check"), quiet=0)
    await _in_hand(look)
    await house.crashes()
    await house.client.post("/control/amazon/switches", {"lwa_status": "ok"})
    await house.comes_back()
    await alex.person.sees(alex.say("check.verified"), within=60)
    await _calm(look)
    assert len(await alex.told(alex.say("check.verified"))) == 1


@pytest.mark.parametrize("fault", ["429", "500"])
async def test_a_crash_while_slack_refuses_everything_loses_no_message(
    house: World, look: sqlite3.Connection, fault: str
) -> None:
    sellers = [await house.seller("mei", number) for number in range(4)]
    for seller in sellers:
        await seller.adds("Acme US")
    for method in ("chat.postMessage", "chat.update"):
        await house.client.fault(method, fault, times=1000, seconds=1)
    for seller in sellers:
        await seller.types("/grant orders")
        await seller.types("/grant listing")
    await asyncio.sleep(1)
    await house.crashes()
    waiting = _count(look, "outbox")
    await house.well_again()
    assert waiting == 2 * len(sellers)
    await house.comes_back()
    await _calm(look)
    assert [len(await seller.cards()) for seller in sellers] == [2] * len(sellers)
    assert _count(look, "outbox WHERE dead_at IS NOT NULL") == 0


async def test_a_second_crash_right_after_the_first_still_loses_nothing(house: World, look: sqlite3.Connection) -> None:
    alex = await house.seller("alex")
    await alex.adds("Acme US")
    await house.client.fault("chat.postMessage", "500", times=1000)
    await alex.types("/grant orders")
    for _ in range(2):
        await house.crashes()
        await house.comes_back()
        await asyncio.sleep(0.3)
    await house.well_again()
    await house.passes(LEASE)
    await alex.person.sees(alex.say("button.open_amazon"), within=60)
    await _calm(look)
    assert len(await alex.cards()) == 1


async def test_the_same_delivery_after_a_restart_is_still_known(house: World) -> None:
    alex = await house.seller("alex")
    await alex.adds("Acme US")
    delivery = next(one for one in reversed(house.sandbox.slack.journal.deliveries) if one.kind == "command")
    await house.crashes()
    await house.comes_back(after=10)
    await house.client.post("/control/slack/redeliver", {"id": delivery.id})
    repeated = house.sandbox.slack.journal.deliveries[-1]
    assert (repeated.status, repeated.answer) == (200, "")
