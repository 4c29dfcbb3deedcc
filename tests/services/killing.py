"""Processes that are killed between any two writes, and others that take up what they left. `python tests/services/killing.py URL JOB`

Every process is forked from this one before it has opened anything. A victim is killed with SIGKILL right before its n-th write
or commit; a survivor then does the same job; what is there afterwards is printed as a line of JSON for each n.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, event, select, update

from bot.adapters.chance import SystemEntropy
from bot.domain.digests import Reader
from bot.ports import Errand, Person
from bot.services.digesting import Digesting
from bot.services.relay import Patience, Relay
from bot.services.roles import Roles
from storage.database import SqlDatabase
from storage.tables import outbox
from storage.tables_year import announcements, digest_readers
from storage.vault import Vault

#: nine in the morning in Shanghai
MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
VAULT = Vault({"test": bytes(range(32))})


class Everybody:
    """People who all live in Shanghai."""

    async def get(self, team_id: str, user_id: str) -> Person:
        return Person(team_id, user_id, "zh-CN", "Asia/Shanghai")


def opened(url: str, *, now: datetime = MORNING) -> SqlDatabase:
    return SqlDatabase(
        url,
        vault=VAULT,
        clock=lambda: now,
        entropy=SystemEntropy(),
        on_outbox=lambda: None,
        support_channel="C0SUPPORT",
    )


def deadly(database: SqlDatabase, at: int) -> None:
    """The process ends right before its `at`-th write or commit."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def before_statement(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            step()

    event.listen(database.engine.sync_engine, "before_cursor_execute", before_statement)
    event.listen(database.engine.sync_engine, "commit", lambda _conn: step())


async def plan(database: SqlDatabase) -> None:
    roles = Roles(database, lambda: MORNING)
    await Digesting(database, Everybody(), clock=lambda: MORNING, roles=roles, channel="C0SUPPORT", page=2).plan()


def delivering(ledger: Path, now: datetime) -> Callable[[SqlDatabase], Awaitable[None]]:
    """Sends what waits, one message at a time; what arrived is in the ledger, whatever happens to the sender."""

    def arrived(recipient: str) -> None:
        with ledger.open("a") as page:
            page.write(f"{recipient}\n")
            page.flush()
            os.fsync(page.fileno())

    async def deliver(errand: Errand) -> None:
        arrived(errand.recipient)

    async def work(database: SqlDatabase) -> None:
        relay = Relay(database.errands, deliver, clock=lambda: now, patience=Patience(workers=1))
        await relay.drain()

    return work


async def reset(database: SqlDatabase) -> None:
    """As on the morning before anybody was told."""
    async with database.engine.begin() as connection:
        await connection.execute(delete(outbox))
        await connection.execute(delete(announcements))
        await connection.execute(update(digest_readers).values(next_at=MORNING, last_day=None))
        is_channel = digest_readers.c.seller_id.is_(None)
        await connection.execute(update(digest_readers).where(is_channel).values(tz="Asia/Shanghai"))


async def tally(database: SqlDatabase) -> dict[str, Any]:
    async with database.engine.connect() as connection:
        told = Counter((await connection.scalars(select(outbox.c.recipient))).all())
        noted = Counter((await connection.scalars(select(announcements.c.recipient))).all())
    async with database.read() as work:
        waiting: list[Reader] = list(await work.readers.due(now=MORNING, after=None, limit=100))
    return {"told": dict(told), "noted": dict(noted), "waiting": len(waiting)}


def forked(url: str, work: Callable[[SqlDatabase], Awaitable[Any]], *, at: int = 0, now: datetime = MORNING) -> int:
    """Runs it in a process of its own; the exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:

            async def live() -> None:
                database = opened(url, now=now)
                if at:
                    deadly(database, at)
                await work(database)
                await database.engine.dispose()

            asyncio.run(live())
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def write_down(path: Path, what: Callable[[SqlDatabase], Awaitable[Any]]) -> Callable[[SqlDatabase], Awaitable[None]]:
    async def work(database: SqlDatabase) -> None:
        found = json.dumps(await what(database))
        await asyncio.to_thread(path.write_text, found)

    return work


def main(url: str, job: str, folder: Path) -> None:
    """One line for each place to be killed at, until a victim survives."""
    seen, ledger = folder / "seen.json", folder / "ledger"
    at = 0
    while True:
        at += 1
        ledger.write_text("")
        if forked(url, reset) or (job == "deliver" and forked(url, plan)):
            raise SystemExit("could not prepare")
        later = MORNING + timedelta(minutes=5)  # beyond every lease
        ended = forked(url, plan if job == "plan" else delivering(ledger, MORNING), at=at)
        if forked(url, plan if job == "plan" else delivering(ledger, later), now=later):
            raise SystemExit("the survivor failed")
        if forked(url, write_down(seen, tally)):
            raise SystemExit("could not look")
        found = json.loads(seen.read_text())
        found |= {"at": at, "killed": ended == -signal.SIGKILL, "arrived": dict(Counter(ledger.read_text().split()))}
        sys.stdout.write(json.dumps(found) + "\n")
        if ended == 0:
            return
        if ended != -signal.SIGKILL:
            raise SystemExit(f"the victim ended with {ended}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
