"""The running system, once for all dialogues; everybody in them is new, so that nobody is in another's way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from bot.adapters.slack.session import PACES
from bot.demo import running
from sandbox.client import SandboxClient
from sandbox.clock import SandboxClock
from tests.dialogue.conversation import Seller, System

Somebody = Callable[[str], Awaitable[Seller]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def everything() -> AsyncIterator[System]:
    """The bot with a local Slack and a local Amazon, on a clock that tests can move."""
    with pytest.MonkeyPatch.context() as patch:
        # Slack's limits are kept by waiting; a hundred dialogues in a minute are not what they are about.
        for method in PACES:
            patch.setitem(PACES, method, (10_000.0, 10_000.0))
        async with (
            running(clock=SandboxClock(), public_routes=()) as both,
            SandboxClient(both.sandbox_url, quiet=0) as client,
        ):
            yield System(both, client)


@pytest_asyncio.fixture(loop_scope="session")
async def system(everything: System) -> AsyncIterator[System]:
    """The system; afterwards Slack must have nothing to complain about, and nothing may have been given up."""
    since, dead = everything.mark(), await _given_up(everything)
    everything.tolerated.clear()
    yield everything
    await everything.settled()
    assert everything.complaints(since) == []
    assert await _given_up(everything) == dead


async def _given_up(system: System) -> int:
    return await system.count("SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL")


@pytest.fixture
def somebody(system: System) -> Somebody:
    """Makes people: `await somebody("mei")` speaks simplified Chinese, lin traditional, alex English."""
    return system.person


@pytest_asyncio.fixture(loop_scope="session", params=["mei", "lin", "alex"])
async def seller(request: pytest.FixtureRequest, system: System) -> Seller:
    """A new seller, once in each language."""
    return await system.person(request.param)


@pytest_asyncio.fixture(loop_scope="session")
async def mei(system: System) -> Seller:
    return await system.person("mei")


@pytest_asyncio.fixture(loop_scope="session")
async def lin(system: System) -> Seller:
    return await system.person("lin")


@pytest_asyncio.fixture(loop_scope="session")
async def alex(system: System) -> Seller:
    return await system.person("alex")
