"""The sister system: what a seller does is received there, what is done there is told to the seller and shows in their lists."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.features import FeatureKey
from bot.i18n import Speaker
from bot.services.naming import Names, feature_name
from tests.dialogue.conversation import News, Seller, System

pytestmark = pytest.mark.asyncio(loop_scope="session")


def names(system: System) -> Names:
    return system.running.desk.stories.names


def sentence(seller: Seller, key: str, **facts: object) -> str:
    """As it is shown: without the stars of mrkdwn."""
    return seller.say(key, **names(seller.system).facts(seller.say), **facts).replace("*", "")


async def received(system: System, store_id: str) -> list[dict[str, Any]]:
    """What the sister system was told of a store."""
    await system.settled()
    found = (await system.client.get("/control/sister/events", store=store_id))["events"]
    assert all(one["verified"] for one in found)
    return [one["event"] for one in found]


async def says(seller: Seller, kind: str, store_id: str, outcome: str = "applied", **more: Any) -> News:
    """The sister system sends an event; what the seller then sees."""

    async def send() -> None:
        answer = await seller.system.client.post("/control/sister/say", {"type": kind, "store": store_id, **more})
        assert answer["status"] == 200, answer
        assert outcome in answer["answer"]

    return await seller.notices(send)


async def test_what_a_seller_does_is_received_there_in_order(mei: Seller) -> None:
    system = mei.system
    store_id = await mei.has_store("Acme US")
    account = await system.amazon_account("US")
    await mei.grants("orders", "Acme US", account)
    await mei.types('/store disable "Acme US"')
    asked = (await mei.types('/store delete "Acme US"')).only
    gone = await mei.presses(mei.say("button.delete"), asked)
    assert sentence(mei, "store.deleted", store="Acme US") in gone.plain()
    events = await received(system, store_id)
    assert [event["type"] for event in events] == ["store.added", "grant.accepted", "store.disabled", "store.deleted"]
    assert events[1]["data"]["grant"]["state"] == "granted"
    assert events[1]["data"]["store"]["selling_partner_id"] == account
    assert "Atz" not in str(events)


async def test_disabled_there_is_told_and_shown_here_and_can_be_undone(seller: Seller) -> None:
    say, system = seller.say, seller.system
    store_id = await seller.has_store("Acme US")
    await system.settled()
    news = await says(seller, "store.disabled", store_id)
    told = news.only
    assert told.channel == seller.dm
    assert sentence(seller, "mirror.store.disabled", store="Acme US") in told.plain()
    assert say("status.disabled") in (await seller.types("/store list")).plain()
    assert (await received(system, store_id))[-1]["type"] == "store.added", "no echo"

    await seller.presses(say("button.enable"), told)
    assert say("status.disabled") not in (await seller.types("/store list")).plain()
    assert (await received(system, store_id))[-1]["type"] == "store.enabled"


async def test_deleted_there_is_gone_here(seller: Seller) -> None:
    store_id = await seller.has_store("Acme US")
    await seller.system.settled()
    news = await says(seller, "store.deleted", store_id)
    assert sentence(seller, "mirror.store.deleted", store="Acme US") in news.only.plain()
    assert await seller.stores() == 0
    assert (await says(seller, "store.deleted", store_id, outcome="unknown")).messages == ()


async def test_granted_there_is_shown_as_its_word(seller: Seller) -> None:
    say, system = seller.say, seller.system
    store_id = await seller.has_store("Acme US")
    await system.settled()
    ends = system.now.replace(microsecond=0, year=system.now.year + 1)
    grant = {"feature": "listing", "expires_at": ends.isoformat()}
    told = (await says(seller, "grant.accepted", store_id, grant=grant)).only
    assert sentence(seller, "mirror.grant.granted") in told.plain()
    assert feature_name(Speaker(say.locale), FeatureKey.LISTING) in told.plain()
    assert say("mirror.ends", ends=say.date(ends)) in told.plain()

    word = sentence(seller, "mirror.word.granted_until", at=say.date(system.now), ends=say.date(ends))
    for asked in ("/authstatus", '/store show "Acme US"'):
        shown = (await seller.types(asked)).plain()
        assert word in shown, asked
        assert say("grant.not_granted") in shown, "what is granted there is not granted here"


async def test_a_sister_system_that_is_down_and_slow_keeps_nobody_waiting_and_misses_nothing(alex: Seller) -> None:
    system = alex.system
    sister = system.running.sandbox.sister
    sister.status, sister.delay = 503, 10.0  # longer than Slack waits for an answer
    try:
        for command in (f'/store add "Patient" US {system.day()}', '/grant orders "Patient"'):
            assert (await alex.person.types(command, quiet=0)).ok
        await alex.person.sees(alex.say("button.open_amazon"), within=9)
        assert await system.count("SELECT count(*) FROM outbox WHERE kind = 'mirror_event'") == 1
    finally:
        sister.status, sister.delay = 0, 0.0
    await system.settled()
    tries = [one for one in sister.received if one.event["data"]["store"]["label"] == "Patient"]
    assert [one.status for one in tries] == [503, 204]
    assert len({one.message_id for one in tries}) == 1
