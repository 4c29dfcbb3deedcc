"""One nursery for all tests here: importing the bot takes longer than its restart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.durability.processes import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery.opened() as opened:
        yield opened
