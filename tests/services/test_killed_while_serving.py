"""The running service, killed with SIGKILL while it tells people of a morning, and started again: what arrived in Slack is counted."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from bot.adapters.chance import SystemEntropy
from bot.domain.grants import GRANT_LIFETIME
from bot.ports import Person
from sandbox.client import SandboxClient
from sandbox.server import Sandbox, SandboxSettings
from sandbox.server import running as running_sandbox
from storage.database import SqlDatabase
from storage.tables import authorizations, outbox
from tests.services.desk import Desk
from tests.services.killing import MORNING, opened
from tests.storage.fakes import FakeClock

pytestmark = pytest.mark.slow

_HOUSE = Path(__file__).parents[2]
_TEAM = "T0SANDBOX"
_NAMES = ("ana", "ben", "coy", "dee", "eve")
_READERS = {*(f"U0{name.upper()}" for name in _NAMES), "C0SUPPORT"}
_PATIENCE = 60.0


@pytest.fixture
async def slack() -> AsyncIterator[Sandbox]:
    """A Slack with five people in it who will each be told something."""
    async with (
        running_sandbox(SandboxSettings(port=0)) as sandbox,
        SandboxClient(sandbox.settings.public_url) as client,
    ):
        for name in _NAMES:
            await client.add_person(name, locale="zh-CN", tz="Asia/Shanghai")
        yield sandbox


async def somebody_to_tell(url: str) -> SqlDatabase:
    """Each of them holds a grant that ends in three days."""
    clock = FakeClock(MORNING + timedelta(days=3, hours=5) - GRANT_LIFETIME)
    database = opened(url)
    database._clock = clock
    desk = Desk(database, clock)
    desk.entropy = SystemEntropy()  # type: ignore[assignment]
    for number, name in enumerate(_NAMES):
        person = Person(_TEAM, f"U0{name.upper()}", "zh-CN", "Asia/Shanghai")
        account = desk.amazon.opens(f"A{number}OTHERPARTNER", "US")
        store = await desk.store(person, f"Store {number}", "US", day="2025-03-01")
        assert (await desk.consent(store, person=person, account=account)).verdict
        await desk.told(person.user_id)
    await desk.digesting.enroll(clock())
    async with database.engine.begin() as connection:
        # their Amazon was another one: nobody is to be asked about them here
        await connection.execute(update(authorizations).values(next_check_at=MORNING + GRANT_LIFETIME))
    return database


@asynccontextmanager
async def serving(url: str, slack: Sandbox, moment: datetime) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service; killed at the end if it was not before."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", str(_HOUSE / "tests/services/serving.py")),
        *(url, slack.settings.public_url, moment.isoformat()),
        cwd=_HOUSE,
        env={"PYTHONPATH": str(_HOUSE), "PATH": "/usr/bin:/bin"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


def arrived(slack: Sandbox) -> Counter[str]:
    """Digests by reader, as Slack took them."""
    return Counter(
        str(call.args["channel"]) for call in slack.slack.journal.calls if call.method == "chat.postMessage" and call.ok
    )


async def waits(database: SqlDatabase) -> int:
    async with database.engine.connect() as connection:
        return int(await connection.scalar(select(func.count()).select_from(outbox)) or 0)


async def until(happened: Callable[[], bool], process: asyncio.subprocess.Process) -> None:
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while not happened():
        assert process.returncode is None, "it ended by itself"
        assert asyncio.get_running_loop().time() < deadline, "it did not happen"
        await asyncio.sleep(0.001)


async def until_waiting(database: SqlDatabase, *, something: bool) -> None:
    """Until something waits to be sent, or nothing does any more."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while bool(await waits(database)) is not something:
        assert asyncio.get_running_loop().time() < deadline, "it did not happen"
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("after", [0, 1, 4])
async def test_killed_after_so_many_messages_it_loses_none_and_doubles_at_most_one(
    database_url: str, slack: Sandbox, after: int
) -> None:
    database = await somebody_to_tell(database_url)
    assert await waits(database) == 0
    async with serving(database_url, slack, MORNING) as victim:
        if after:
            await until(lambda: sum(arrived(slack).values()) >= after, victim)
        else:
            await until_waiting(database, something=True)  # planned, or just about to be sent
        victim.send_signal(signal.SIGKILL)
        assert await victim.wait() == -signal.SIGKILL
    before = arrived(slack)
    # beyond every lease, and at the planner's next turn
    async with serving(database_url, slack, MORNING + timedelta(minutes=6)) as survivor:
        await until(lambda: set(arrived(slack)) == _READERS, survivor)
        await until_waiting(database, something=False)
        await asyncio.sleep(1)  # the scheduler has looked twenty times by now
    told = arrived(slack)
    await database.close()
    assert set(told) == _READERS, f"lost: {told}"
    assert sum(told.values()) <= len(_READERS) + 1, f"doubled more than the one in flight: {before} then {told}"
    assert max(told.values()) <= 2


async def test_two_services_at_once_tell_everybody_once(postgres_url: str, slack: Sandbox) -> None:
    database = await somebody_to_tell(postgres_url)
    async with serving(postgres_url, slack, MORNING) as one, serving(postgres_url, slack, MORNING):
        await until(lambda: set(arrived(slack)) == _READERS, one)
        await until_waiting(database, something=False)
        await asyncio.sleep(1)
    await database.close()
    assert arrived(slack) == dict.fromkeys(_READERS, 1)
