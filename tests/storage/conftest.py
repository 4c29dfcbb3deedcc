"""What tests of the storage may ask for on top."""

from __future__ import annotations

import pytest

from storage.database import SqlDatabase
from tests.storage.examples import World
from tests.storage.fakes import CountingEntropy, FakeClock


@pytest.fixture
def world(database: SqlDatabase, clock: FakeClock, entropy: CountingEntropy) -> World:
    return World(database, clock, entropy)
