"""Transactions: all or nothing, writers in turn, deadlocks worth trying again."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

import storage.engine
from bot.domain.features import FeatureKey
from bot.domain.notices import ConsentCard, StoreRef
from bot.errors import ConcurrentChange
from bot.ports import Cards, Database, Deliveries, ErrandQueue, Installation, Installations, JobRuns
from storage.database import SqlDatabase
from storage.engine import EngineTransactions, open_engine
from storage.vault import Vault
from tests.storage.examples import MEI, TEAM, World
from tests.storage.fakes import CountingEntropy, FakeClock


async def test_it_is_what_the_core_asks_for(database: SqlDatabase) -> None:
    whole: Database = database
    parts: tuple[ErrandQueue, Cards, Installations, Deliveries, JobRuns] = (
        database.errands,
        database.cards,
        database.installations,
        database.deliveries,
        database.job_runs,
    )
    assert whole is database
    assert len(parts) == 5
    await database.ping()


async def test_what_raises_leaves_nothing_behind(world: World) -> None:
    async def crash() -> None:
        async with world.database.begin() as work:
            await work.sellers.add(world.new_seller(), user_id=MEI)
            raise RuntimeError("the process died")

    with pytest.raises(RuntimeError):
        await crash()
    async with world.database.read() as work:
        assert await work.sellers.of_member(TEAM, MEI) is None


async def test_nothing_written_through_a_view_is_kept(world: World, woken: list[str]) -> None:
    async with world.database.read() as work:
        await work.sellers.add(world.new_seller(), user_id=MEI)
        await work.outbox.ask(TEAM, "probe", {}, lane="x")
    async with world.database.read() as work:
        assert await work.sellers.of_member(TEAM, MEI) is None
    assert woken == []


async def test_a_change_without_messages_wakes_nobody(world: World, woken: list[str]) -> None:
    await world.store(await world.seller())
    assert woken == []


async def test_fifty_writers_at_once_all_get_their_turn(world: World) -> None:
    seller = await world.seller()
    await asyncio.gather(*(world.store(seller, f"Store {number}") for number in range(50)))
    async with world.database.read() as work:
        assert len(await work.stores.of_seller(seller)) == 50


async def test_readers_do_not_wait_for_a_writer(world: World) -> None:
    seller = await world.seller()
    async with world.database.begin() as work:
        await work.stores.add(world.new_store(seller))
        async with asyncio.timeout(2), world.database.read() as other:
            assert await other.stores.of_seller(seller) == []


async def test_a_cancelled_writer_leaves_the_way_free(world: World) -> None:
    writes = asyncio.Event()

    async def linger() -> None:
        async with world.database.begin() as work:
            await work.sellers.add(world.new_seller(), user_id=MEI)
            writes.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(linger())
    await writes.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(30):
        await world.seller()


async def test_sqlite_processes_wait_for_each_other(
    sqlite_url: str, vault: Vault, clock: FakeClock, entropy: CountingEntropy, sqlite_database: SqlDatabase
) -> None:
    """Two databases on one file share no lock but the file's."""
    other = SqlDatabase(sqlite_url, vault=vault, clock=clock, entropy=entropy, on_outbox=print)
    await other.start()
    mine, theirs = (World(database, clock, entropy) for database in (sqlite_database, other))
    seller = await mine.seller()
    await asyncio.gather(*((mine, theirs)[n % 2].store(seller, f"Store {n}") for n in range(30)))
    async with other.read() as work:
        assert len(await work.stores.of_seller(seller)) == 30
    await other.close()


async def test_a_writer_that_waited_too_long_is_asked_to_try_again(
    sqlite_database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.engine, "PATIENCE_SECONDS", 0.05)
    async with sqlite_database.begin():
        with pytest.raises(ConcurrentChange):
            async with sqlite_database.begin():
                pass
    async with sqlite_database.begin():
        pass


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_deadlock_is_worth_trying_again(world: World) -> None:
    first, second = await world.seller("U1"), await world.seller("U2")
    met = asyncio.Barrier(2)

    async def cross(here: object, there: object) -> bool:
        try:
            async with world.database.begin() as work:
                await work.sellers.prepared(here, at=world.clock())  # type: ignore[arg-type]
                await met.wait()
                await work.sellers.prepared(there, at=world.clock())  # type: ignore[arg-type]
        except ConcurrentChange:
            return False
        return True

    assert sorted(await asyncio.gather(cross(first, second), cross(second, first))) == [False, True]


async def test_a_database_in_memory_needs_no_migration_and_serves_many_at_once(
    vault: Vault, clock: FakeClock, entropy: CountingEntropy
) -> None:
    database = SqlDatabase("sqlite+aiosqlite:///:memory:", vault=vault, clock=clock, entropy=entropy, on_outbox=print)
    await database.start()
    world = World(database, clock, entropy)
    seller = await world.seller()
    await asyncio.gather(*(world.store(seller, f"Store {number}") for number in range(20)))
    async with database.read() as work:
        assert len(await work.stores.of_seller(seller)) == 20
    await database.close()


async def test_sqlite_is_set_up_as_meant(sqlite_database: SqlDatabase) -> None:
    expected = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "wal_autocheckpoint": 0}
    async with sqlite_database.engine.connect() as connection:
        for pragma, value in expected.items():
            assert (await connection.execute(text(f"PRAGMA {pragma}"))).scalar() == value


async def test_a_checkpoint_moves_the_log_into_the_file(
    sqlite_database: SqlDatabase, clock: FakeClock, entropy: CountingEntropy, tmp_path: Path
) -> None:
    file = tmp_path / "grantdesk.db"
    seller = await World(sqlite_database, clock, entropy).seller()
    assert seller.id.encode() not in file.read_bytes()
    await sqlite_database.checkpoint()
    assert seller.id.encode() in file.read_bytes()


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_closing_leaves_one_file(sqlite_url: str, vault: Vault, tmp_path: Path) -> None:
    clock, entropy = FakeClock(), CountingEntropy()
    database = SqlDatabase(sqlite_url, vault=vault, clock=clock, entropy=entropy, on_outbox=print)
    await database.start()
    await World(database, clock, entropy).seller()
    await database.close()
    assert [path.name for path in files(tmp_path)] == ["grantdesk.db"]


async def test_no_secret_can_be_read_in_the_file(
    sqlite_database: SqlDatabase, clock: FakeClock, entropy: CountingEntropy, tmp_path: Path
) -> None:
    world = World(sqlite_database, clock, entropy)
    seller = await world.seller()
    store = await world.bound_store(seller)
    await world.authorization(seller, token="Atzr|IwEBIJ9-a-refresh-token")
    attempt = await world.attempt(store)
    state, _ = await world.state(attempt)
    link = entropy.secret()
    card = ConsentCard(
        attempt_id=attempt.id, store=StoreRef.of(store), feature=FeatureKey.ORDERS, secret=link, expires_at="soon"
    )
    async with sqlite_database.begin() as work:
        await work.outbox.tell(TEAM, MEI, card)
    await sqlite_database.installations.put(Installation(TEAM, "xoxb-4711-secret", "U0BOT", "B0BOT", clock()))
    for moment in ("in the log", "in the file"):
        written = b"".join(path.read_bytes() for path in files(tmp_path))
        assert store.id.encode() in written, "the test looks in the wrong place"
        for secret in ("Atzr|", "IwEBIJ9", "a-refresh-token", "xoxb-4711", link, state):
            assert secret.encode() not in written, (moment, secret)
        await sqlite_database.checkpoint()


def test_the_password_of_a_database_is_not_shown(vault: Vault, clock: FakeClock, entropy: CountingEntropy) -> None:
    url = "postgresql+asyncpg://grantdesk:hunter2@localhost/grantdesk"
    database = SqlDatabase(url, vault=vault, clock=clock, entropy=entropy, on_outbox=print)
    assert "hunter2" not in repr(database)
    assert "grantdesk" in repr(database)


async def test_moments_come_back_in_utc_cut_to_milliseconds(world: World) -> None:
    shanghai = timezone(timedelta(hours=8))
    world.clock.now = datetime(2026, 2, 2, 16, 0, 0, 123_999, tzinfo=shanghai)
    seller = await world.seller()
    async with world.database.read() as work:
        found = await work.sellers.get(TEAM, seller.id)
    assert found is not None
    assert found.created_at == datetime(2026, 2, 2, 8, 0, 0, 123_000, tzinfo=UTC)
    assert found.created_at.tzinfo is UTC


async def test_a_moment_without_a_time_zone_is_refused(world: World) -> None:
    world.clock.now = datetime(2026, 2, 2, 8)  # noqa: DTZ001
    with pytest.raises(StatementError):
        await world.seller()


async def test_foreign_keys_are_enforced(world: World) -> None:
    with pytest.raises(IntegrityError):
        async with world.database.engine.begin() as connection:
            await connection.execute(
                text("INSERT INTO seller_members (team_id, user_id, seller_id, joined_at) VALUES ('T', 'U', 'no', 0)")
            )


# --- what goes wrong tells nobody's words

#: each with people's words in it, and each wrong in its own way
WRONG = (
    "SELECT :said FROM nowhere",
    "INSERT INTO seller_members (team_id, user_id, seller_id, joined_at) VALUES ('T', 'U', :said, 0)",
    "INSERT INTO seller_members (team_id, user_id, seller_id) VALUES ('T', :said, 's')",
)
SAID = "my account is hunter2"


@pytest.fixture
async def transactions(database_url: str) -> AsyncIterator[EngineTransactions]:
    engine = open_engine(database_url)
    yield EngineTransactions(engine)
    await engine.dispose()


def everything(error: BaseException) -> str:
    """What the log shows of an error."""
    return f"{error}\n{''.join(traceback.format_exception(error))}"


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("kind", ["read", "write", "single"])
async def test_an_error_shows_no_word_that_somebody_wrote(
    transactions: EngineTransactions, kind: str, wrong: str
) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with getattr(transactions, kind)() as connection:
            await connection.execute(text(wrong), {"said": SAID})
    shown = everything(raised.value)
    assert "hunter2" not in shown
    assert wrong.partition(":said")[0] in shown, "the statement itself stays, to find the fault by"


@pytest.mark.parametrize("kind", ["read", "write", "single"])
async def test_nor_does_one_from_words_that_no_database_takes(transactions: EngineTransactions, kind: str) -> None:
    with pytest.raises((StatementError, UnicodeError)) as raised:
        async with getattr(transactions, kind)() as connection:
            await connection.execute(text("SELECT CAST(:said AS TEXT)"), {"said": f"{SAID} \ud800"})
    assert "hunter2" not in everything(raised.value)
