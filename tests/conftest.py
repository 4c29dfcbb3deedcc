"""What every test may ask for: time, chance and a database. And nobody reaches the outside world."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from storage.database import SqlDatabase
from storage.migrate import migrate
from storage.vault import Vault
from tests.storage import postgres
from tests.storage.fakes import CountingEntropy, FakeClock

#: makes another `SqlDatabase` on the same data, as a second replica would
AnotherReplica = Callable[[], Coroutine[Any, Any, SqlDatabase]]

_count = itertools.count()

# structlog's own default draws tracebacks with every local variable: seconds, on the way to an acknowledgement
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick tests first: whoever broke something hears of it before Chromium has started. Then those of a minute: nothing
    waits for them at the end.
    """
    first = ("long",), ("slow", "browser")

    def place(item: pytest.Item) -> tuple[bool, bool]:
        is_long, is_slow = (any(item.get_closest_marker(name) for name in names) for names in first)
        return is_long or is_slow, not is_long

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """Refuses every connection that would leave this machine."""

    def guarded(name: str, host_of: Callable[..., object]) -> None:
        original = getattr(socket if name == "getaddrinfo" else socket.socket, name)

        def guard(*args: Any, **kwargs: Any) -> Any:
            if not _is_loopback(host_of(*args, **kwargs)):
                raise RuntimeError(f"a test reached for the outside world: {host_of(*args, **kwargs)!r}")
            return original(*args, **kwargs)

        patch.setattr(socket if name == "getaddrinfo" else socket.socket, name, guard)

    with pytest.MonkeyPatch.context() as patch:
        guarded("connect", lambda _socket, address: address)
        guarded("connect_ex", lambda _socket, address: address)
        guarded("sendto", lambda _socket, _data, *rest: rest[-1])
        guarded("getaddrinfo", lambda host, *_args, **_kwargs: (host,))
        yield


def _is_loopback(address: object) -> bool:
    # Unix sockets have a path for an address.
    if not isinstance(address, tuple):
        return True
    host = address[0].decode() if isinstance(address[0], bytes) else address[0]
    if host in (None, "", "localhost"):
        return True
    try:
        known = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return known.is_loopback or known.is_unspecified


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def entropy() -> CountingEntropy:
    return CountingEntropy()


@pytest.fixture
def vault() -> Vault:
    return Vault({"test": bytes(range(32))})


@pytest.fixture
def woken() -> list[str]:
    """One entry for each time a database called the relay."""
    return []


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "grantdesk.db"
    _apart(migrate(_sqlite_url(path)))
    return path


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a running PostgreSQL that has a migrated template."""
    base = tmp_path_factory.getbasetemp()
    session = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return postgres.shared_server(session, prepare=_prepare_template)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite file of this test's own."""
    shutil.copy(sqlite_template, tmp_path / "grantdesk.db")
    return _sqlite_url(tmp_path / "grantdesk.db")


@pytest.fixture
async def postgres_url(postgres_server: Path) -> AsyncIterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    name = f"test_{os.getpid()}_{next(_count)}"
    await postgres.run_on(
        postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres.TEMPLATE} STRATEGY {postgres.STRATEGY}"
    )
    yield postgres.url_of(postgres_server, name)
    await postgres.run_on(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own, once on SQLite and once on PostgreSQL."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
async def another_replica(
    database_url: str, vault: Vault, clock: FakeClock, entropy: CountingEntropy
) -> AsyncIterator[AnotherReplica]:
    async with AsyncExitStack() as stack:

        async def another() -> SqlDatabase:
            opened = _opened(database_url, vault, clock, entropy, [])
            return await stack.enter_async_context(opened)

        yield another


@pytest.fixture
async def database(
    database_url: str, vault: Vault, clock: FakeClock, entropy: CountingEntropy, woken: list[str]
) -> AsyncIterator[SqlDatabase]:
    """The database, once on SQLite and once on PostgreSQL."""
    async with _opened(database_url, vault, clock, entropy, woken) as opened:
        yield opened


@pytest.fixture
async def sqlite_database(
    sqlite_url: str, vault: Vault, clock: FakeClock, entropy: CountingEntropy, woken: list[str]
) -> AsyncIterator[SqlDatabase]:
    """The database on SQLite alone, where it is not what the test is about."""
    async with _opened(sqlite_url, vault, clock, entropy, woken) as opened:
        yield opened


@asynccontextmanager
async def _opened(
    url: str, vault: Vault, clock: FakeClock, entropy: CountingEntropy, woken: list[str]
) -> AsyncIterator[SqlDatabase]:
    database = SqlDatabase(
        url,
        vault=vault,
        clock=clock,
        entropy=entropy,
        on_outbox=lambda: woken.append("relay"),
        support_channel="C0SUPPORT",
    )
    await database.start()
    try:
        yield database
    finally:
        await database.close()


def _sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def _prepare_template(server: Path) -> None:
    _apart(postgres.run_on(server, f"CREATE DATABASE {postgres.TEMPLATE}"))
    _apart(migrate(postgres.url_of(server, postgres.TEMPLATE)))


def _apart(work: Coroutine[Any, Any, None]) -> None:
    """Runs it on a loop of its own: a session's fixture must not touch the loop of the test that asked first."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
