"""Key rotation: everything comes under the newest key and stays readable."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.domain.notices import StoreAdded, StoreRef
from bot.errors import CannotDecrypt
from bot.ports import Installation
from storage.database import SqlDatabase
from storage.rotation import rotate_keys
from storage.tables import SEALED, authorizations, outbox
from storage.vault import Vault
from tests.storage.examples import MEI, TEAM, World
from tests.storage.fakes import CountingEntropy, FakeClock

OLD, NEW = bytes(range(32)), bytes(32)


async def fill(world: World, messages: int) -> None:
    await world.authorization(await world.seller(), token="Atzr|kept")
    await world.database.installations.put(Installation(TEAM, "xoxb-1", "U0BOT", "B0BOT", world.clock()))
    async with world.database.begin() as work:
        for number in range(messages):
            await work.outbox.tell(TEAM, MEI, StoreAdded(store=StoreRef("s1", str(number), "US")))


async def test_everything_comes_under_the_newest_key_and_stays_readable(
    world: World, database_url: str, clock: FakeClock, entropy: CountingEntropy
) -> None:
    await fill(world, 450)
    rotating = Vault({"new": NEW, "test": OLD})
    assert await rotate_keys(world.database.engine, rotating) == 452
    assert await rotate_keys(world.database.engine, rotating) == 0
    async with world.database.engine.connect() as connection:
        for place in SEALED:
            assert all(rotating.is_current(sealed) for sealed in await connection.scalars(select(place.column)))
    # From now on the old key is not needed any more.
    later = SqlDatabase(database_url, vault=Vault({"new": NEW}), clock=clock, entropy=entropy, on_outbox=print)
    await later.start()
    installation = await later.installations.get(TEAM)
    assert installation is not None
    assert installation.bot_token == "xoxb-1"
    [errand] = await later.errands.claim(now=clock(), lease=timedelta(seconds=30), limit=10)
    assert errand.body["store"]["label"] == "0"
    async with later.read() as work:
        seller = await work.sellers.of_member(TEAM, MEI)
        assert seller is not None
        [held] = await work.authorizations.held(seller, application_id="amzn1.sp.solution.orders", consent_region="NA")
        assert await work.authorizations.refresh_token(held) == "Atzr|kept"
    await later.close()


async def test_one_that_cannot_be_read_is_left_alone_and_told_after_the_others(world: World) -> None:
    await fill(world, 3)
    async with world.database.engine.begin() as connection:
        await connection.execute(update(outbox).where(outbox.c.position == 2).values(body="v1.lost.AAAA"))
    with pytest.raises(CannotDecrypt) as refused:
        await rotate_keys(world.database.engine, Vault({"new": NEW, "test": OLD}))
    assert refused.value.facts == {"key_id": "lost"}
    async with world.database.engine.connect() as connection:
        keys = [body.split(".")[1] for body in await connection.scalars(select(outbox.c.body).order_by("position"))]
    assert keys == ["new", "lost", "new"]


async def test_an_authorization_without_a_token_is_passed_over(world: World) -> None:
    await world.authorization(await world.seller())
    async with world.database.engine.begin() as connection:
        await connection.execute(update(authorizations).values(refresh_token=None))
    assert await rotate_keys(world.database.engine, Vault({"new": NEW, "test": OLD})) == 0
    async with world.database.engine.connect() as connection:
        assert list(await connection.scalars(select(authorizations.c.refresh_token))) == [None]
