"""How dear it is to plan digests and the sweep, at scale: one million grants of 100 000 owners, against bare SQL.

Everything is in one SQLite file, made here. The planner's pages are compared with the bare driver reading the same rows in one
statement; the sweep's taking of an hour's authorizations with bare statements that take as many. The two take turns, so that a
busy machine slows both. `python -m benchmarks.digest` takes a few minutes, most of them for making the data, and prints times,
ratios and memory; the ratios are what may be compared. Memory is a whole process's, of a fresh one for each measurement, beside
one that only opened the database: what streams stays near it however many rows there are.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.chance import SystemEntropy
from bot.domain.digests import HORIZON, PAST
from bot.ports import Person
from bot.services.digesting import Digesting
from bot.services.roles import Roles
from storage.database import SqlDatabase
from storage.migrate import migrate
from storage.vault import Vault

#: nine in the morning in Shanghai, a Monday: the busiest moment of the week
MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TEAM = "T0BENCH"
ROUNDS = 3
#: authorizations the sweep takes at a time, and how often in an hour
SWEEP_PAGE, SWEEP_PAGES = 64, 650
_DAY_MS = 86_400_000

_MAKE = """
PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -200000;
BEGIN;
CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < {owners}) SELECT i FROM c;
CREATE TEMP TABLE k AS WITH RECURSIVE c(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM c WHERE j + 1 < {stores}) SELECT j FROM c;
INSERT INTO sellers (id, team_id, created_at) SELECT printf('s%07d', i), '{team}', 0 FROM n;
INSERT INTO seller_members (team_id, user_id, seller_id, joined_at)
  SELECT '{team}', printf('U%07d', i), printf('s%07d', i), 0 FROM n;
INSERT INTO people (team_id, user_id, locale, tz, fetched_at)
  SELECT '{team}', printf('U%07d', i), 'zh-CN', 'Asia/Shanghai', 0 FROM n;
INSERT INTO digest_readers (team_id, recipient, seller_id, hour, weekday, last_day, next_at)
  SELECT '{team}', printf('U%07d', i), printf('s%07d', i), 9, 0, '2026-02-23', {now} FROM n;
INSERT INTO selling_partners SELECT printf('A%07d%02d', i, j), '{team}', printf('s%07d', i) FROM n, k;
INSERT INTO stores (id, team_id, seller_id, label, label_key, marketplace_code, initial_order_date, created_at, created_by,
    attribute_mapping, selling_partner_id)
  SELECT printf('st%07d%02d', i, j), '{team}', printf('s%07d', i), printf('Store %d', j), printf('store %d', j), 'US',
    '2026-01-01', 0, 'U', '{{}}', printf('A%07d%02d', i, j) FROM n, k;
INSERT INTO authorizations (id, team_id, seller_id, feature, application_id, selling_partner_id, consent_region, consented_at,
    ends_at, state, next_check_at)
  SELECT printf('au%07d%02d%s', i, j, f), '{team}', printf('s%07d', i), f, f, printf('A%07d%02d', i, j), 'NA', 0,
    {now} + (abs(random()) % 365) * {day}, 'live', {now} + (abs(random()) % 1440) * 60000
  FROM n, k, (SELECT 'orders' AS f UNION SELECT 'listing');
INSERT INTO grants (store_id, feature, state, since, authorization_id, granted_at, ends_at, version)
  SELECT 'st' || substr(id, 3, 9), feature, 'granted', {now} - 300 * {day}, id, 0, ends_at, 1 FROM authorizations;
COMMIT;
ANALYZE;
"""

_BARE_SCAN = """
SELECT s.seller_id, s.id, s.label, s.marketplace_code, g.feature, g.ends_at, g.since
FROM stores s JOIN grants g ON g.store_id = s.id
WHERE s.disabled_at IS NULL AND g.ends_at >= ? AND g.ends_at <= ?
  AND g.state IN ('granted', 'permission_problem', 'expired')
ORDER BY s.seller_id, s.id, g.feature
"""


class Everybody:
    """Nobody is asked for: their zones are known."""

    async def get(self, team_id: str, user_id: str) -> Person:
        return Person(team_id, user_id, "zh-CN", "Asia/Shanghai")


def opened(path: Path) -> SqlDatabase:
    return SqlDatabase(
        f"sqlite+aiosqlite:///{path}",
        vault=Vault({"bench": bytes(32)}),
        clock=lambda: MORNING,
        entropy=SystemEntropy(),
        on_outbox=lambda: None,
    )


def make(path: Path, *, owners: int, stores: int) -> None:
    asyncio.run(migrate(f"sqlite+aiosqlite:///{path}"))
    now = int(MORNING.timestamp() * 1000)
    with sqlite3.connect(path) as connection:
        connection.executescript(_MAKE.format(owners=owners, stores=stores, team=TEAM, now=now, day=_DAY_MS))
    connection.close()


def bare_scan(path: Path) -> int:
    """The driver reads what planning needs, in pages, and looks at nothing."""
    bounds = (MORNING - timedelta(days=PAST), MORNING + timedelta(days=HORIZON + 1))
    rows = 0
    connection = sqlite3.connect(path)
    cursor = connection.execute(_BARE_SCAN, tuple(int(moment.timestamp() * 1000) for moment in bounds))
    while page := cursor.fetchmany(2000):
        rows += len(page)
    connection.close()
    return rows


async def planning(database: SqlDatabase) -> tuple[int, int]:
    """Reads, decides and writes nothing: (readers, digests)."""
    digesting = Digesting(database, Everybody(), clock=lambda: MORNING, roles=Roles(database, lambda: MORNING))
    readers = told = 0
    async for page in digesting.pages(MORNING):
        readers += len(page.silent) + len(page.planned)
        told += len(page.planned)
    return readers, told


async def taking(database: SqlDatabase, pages: int, size: int) -> int:
    """The sweep takes what is due, as it does every minute."""
    taken = 0
    for _ in range(pages):
        async with database.begin() as work:
            rows = await work.health.take(
                now=MORNING + timedelta(days=1), until=MORNING + timedelta(days=2), limit=size
            )
        taken += len(rows)
    return taken


def bare_taking(path: Path, pages: int, size: int) -> int:
    """The same rows, taken by the driver alone."""
    taken = 0
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    due, until = (int((MORNING + timedelta(days=days)).timestamp() * 1000) for days in (1, 2))
    for _ in range(pages):
        connection.execute("BEGIN IMMEDIATE")
        rows = connection.execute(
            "SELECT id, team_id, seller_id, feature, application_id, selling_partner_id, consent_region, ends_at FROM authorizations"
            " WHERE state = 'live' AND next_check_at <= ? ORDER BY next_check_at, id LIMIT ?",
            (due, size),
        ).fetchall()
        marks = ",".join("?" * len(rows))
        connection.execute(
            f"UPDATE authorizations SET next_check_at = ? WHERE id IN ({marks})",  # noqa: S608  # question marks only
            (until, *[row[0] for row in rows]),
        )
        connection.execute("COMMIT")
        taken += len(rows)
    connection.close()
    return taken


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def live(path: Path, work: Callable[[SqlDatabase], Awaitable[object]]) -> object:
    async def run() -> object:
        database = opened(path)
        await database.start()
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


async def nothing(database: SqlDatabase) -> None:
    """What a process needs before it does anything."""
    await database.ping()


async def sweeping(database: SqlDatabase) -> int:
    return await taking(database, SWEEP_PAGES, SWEEP_PAGE)


MEASURED: Mapping[str, Callable[[SqlDatabase], Awaitable[object]]] = {
    "nothing": nothing,
    "planning": planning,
    "sweeping": sweeping,
}


def peak_of(path: Path, name: str) -> float:
    """The most memory in MiB that a process of its own ever held while it did that."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.digest", "--measure", name, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def measure(path: Path, name: str) -> None:
    live(path, MEASURED[name])
    status = Path("/proc/self/status")
    if status.exists():
        # not ru_maxrss, which on Linux begins with what the parent held when it forked
        kibibytes = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        print(int(kibibytes) / 2**10)
    else:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)  # macOS: bytes


def report(name: str, bare: list[float], ours: list[float], *, what: str) -> None:
    low, high = statistics.median(bare), statistics.median(ours)
    print(f"{name:<28} bare SQL {low:7.2f} s   ours {high:7.2f} s   ratio {high / low:5.1f}   {what}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--owners", type=int, default=100_000)
    asked.add_argument("--stores", type=int, default=5, help="of each owner; each has two grants")
    asked.add_argument("--measure", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.measure:
        measure(Path(given.measure[1]), given.measure[0])
        return
    grants = given.owners * given.stores * 2
    with tempfile.TemporaryDirectory(prefix="grantdesk-bench-") as folder:
        path = Path(folder) / "bench.db"
        print(f"making {grants:,} grants of {given.owners:,} owners", flush=True)
        print(f"… in {timed(lambda: make(path, owners=given.owners, stores=given.stores)):.0f} s", flush=True)

        bare, ours, rows, seen = [], [], 0, (0, 0)
        for _ in range(ROUNDS):
            bare.append(timed(lambda: bare_scan(path)))
            ours.append(timed(lambda: live(path, planning)))
        rows = bare_scan(path)
        counted = live(path, planning)
        assert isinstance(counted, tuple)
        seen = counted
        what = f"{seen[0]:,} readers, {rows:,} endings, {seen[1]:,} digests"
        report("planning, read only", bare, ours, what=what)

        bare, ours = [], []
        for _ in range(ROUNDS):
            bare.append(timed(lambda: bare_taking(path, SWEEP_PAGES, SWEEP_PAGE)))
            ours.append(timed(lambda: live(path, sweeping)))
        what = f"{SWEEP_PAGES * SWEEP_PAGE:,} authorizations, {SWEEP_PAGE} at a time"
        report("the sweep's taking", bare, ours, what=what)

        peaks = {name: peak_of(path, name) for name in MEASURED}
        print(f"{'memory, at the most':<28} " + "   ".join(f"{name} {peak:.0f} MiB" for name, peak in peaks.items()))

        spent = timed(lambda: live(path, _everything))
        print(
            f"{'the whole planning run':<28} {spent:7.2f} s   {seen[1] / spent:,.0f} digests a second, with all that is written"
        )


async def _everything(database: SqlDatabase) -> int:
    return await Digesting(database, Everybody(), clock=lambda: MORNING, roles=Roles(database, lambda: MORNING)).plan()


if __name__ == "__main__":
    main()
