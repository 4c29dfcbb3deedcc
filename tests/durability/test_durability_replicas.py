"""Several replicas share one PostgreSQL: every message is sent by exactly one of them, also when one of them dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.durability.processes import LEASE, Nursery, Seller, World, until, world

pytestmark = pytest.mark.slow

_SELLERS = 8


async def _all_have(sellers: list[Seller], count: int) -> None:
    async def have() -> bool:
        return min([len(await seller.cards()) for seller in sellers]) >= count

    await until(have, within=60)


async def _everybody(house: World) -> list[Seller]:
    sellers = [await house.seller("mei", number) for number in range(_SELLERS)]
    for number, seller in enumerate(sellers):
        house.sandbox.slack.courier.bot_url = house.desks[number % len(house.desks)].url
        await seller.adds("Acme US")
    return sellers


@pytest.fixture
async def house(nursery: Nursery, postgres_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world(nursery, postgres_url, tmp_path, replicas=2) as made:
        yield made


async def test_two_replicas_never_send_a_message_twice(house: World) -> None:
    sellers = await _everybody(house)
    # Every first try fails, so that both relays find the same errands due.
    await house.client.fault("chat.postMessage", "500", times=_SELLERS)
    for number, seller in enumerate(sellers):
        house.sandbox.slack.courier.bot_url = house.desks[number % 2].url
        await seller.types("/grant orders")
        await seller.types("/grant listing")
    await _all_have(sellers, 2)
    await asyncio.sleep(2.5)  # longer than a relay waits before it looks again
    assert [len(await seller.cards()) for seller in sellers] == [2] * _SELLERS
    posts = [call for call in await house.client.calls("chat.postMessage") if call["ok"]]
    assert len(posts) == 2 * _SELLERS


async def test_what_a_dead_replica_had_in_hand_is_sent_by_the_one_that_lives(house: World, postgres_url: str) -> None:
    sellers = await _everybody(house)
    house.sandbox.slack.courier.bot_url = house.desks[0].url
    await house.client.fault("chat.postMessage", "slow", times=1000, seconds=1)
    for seller in sellers:
        await seller.types("/grant orders")
    await house.desks[0].dies()
    engine = create_async_engine(postgres_url)

    async def held() -> int:
        async with engine.connect() as connection:
            return int(await connection.scalar(text("SELECT count(*) FROM outbox WHERE leased_until IS NOT NULL")) or 0)

    assert await held()
    await house.well_again()
    before = -1
    while (
        now := await held()
    ) != before:  # what the living one has in hand itself gets done; what is left was the dead one's
        before = now
        await asyncio.sleep(2.5)
    await engine.dispose()
    house.sandbox.slack.courier.bot_url = house.desks[1].url
    await house.passes(LEASE)
    await _all_have(sellers, 1)
    assert [len(await seller.cards()) for seller in sellers] == [1] * _SELLERS
