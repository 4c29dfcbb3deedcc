"""What tests of the services may ask for on top."""

from __future__ import annotations

import pytest

from storage.database import SqlDatabase
from tests.services.desk import Desk
from tests.storage.fakes import FakeClock


@pytest.fixture
def desk(sqlite_database: SqlDatabase, clock: FakeClock) -> Desk:
    return Desk(sqlite_database, clock)
