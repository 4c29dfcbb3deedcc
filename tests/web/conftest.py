"""One running case for each test of the ingress."""

from collections.abc import AsyncIterator

import pytest

from tests.web.ingress_case import Case, running


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    async with running() as made:
        yield made
