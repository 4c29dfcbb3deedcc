"""What tests of the services may ask for on top."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage.database import SqlDatabase
from storage.vault import Vault
from tests.services.desk import Desk
from tests.storage.examples import World
from tests.storage.fakes import CountingEntropy, FakeClock


@pytest.fixture
def desk(sqlite_database: SqlDatabase, clock: FakeClock) -> Desk:
    return Desk(sqlite_database, clock)


@pytest.fixture
async def mirrored_desk(
    sqlite_url: str, vault: Vault, clock: FakeClock, entropy: CountingEntropy
) -> AsyncIterator[Desk]:
    """A desk that has a sister system."""
    database = SqlDatabase(sqlite_url, vault=vault, clock=clock, entropy=entropy, on_outbox=lambda: None, mirrored=True)
    await database.start()
    yield Desk(database, clock)
    await database.close()


@pytest.fixture
def world(database: SqlDatabase, clock: FakeClock, entropy: CountingEntropy) -> World:
    return World(database, clock, entropy)
