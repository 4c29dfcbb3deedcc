"""`POST /mirror/events` over HTTP: only what the sister system signed just now is looked at; each refusal says in short why."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette

from bot.adapters.mirror import Seal
from bot.domain.mirror import SisterNews
from bot.domain.stores import Seller, Store
from bot.errors import ConcurrentChange
from bot.ports import Work
from bot.services.mirroring import Mirroring
from handlers import mirror
from handlers.mirror import BODY_LIMIT
from handlers.routing import Registry
from handlers.stories import MirrorStories, Stories
from sandbox.sister import signature
from storage.database import SqlDatabase
from tests.storage.examples import MEI, World
from tests.storage.fakes import CountingEntropy, FakeClock

SECRET, OLD, OTHERS = (f"whsec_{word * 8}" for word in ("bmV3", "b2xk", "b3Ro"))
URL = "https://bot.test/mirror/events"


def http(stories: MirrorStories | None) -> httpx.AsyncClient:
    registry = Registry()
    mirror.register(registry, cast("Stories", SimpleNamespace(mirror=stories)))
    assert SisterNews.kind in registry.renderers
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=Starlette(routes=registry.routes)))


class Sister:
    """Sends what a test wants sent."""

    def __init__(self, client: httpx.AsyncClient, clock: FakeClock, store: Store) -> None:
        self.client = client
        self.clock = clock
        self.store = store

    def event(self, kind: str = "store.disabled", **changes: Any) -> bytes:
        data = {
            "workspace": self.store.team_id,
            "distributor": self.store.seller_id,
            "store": {"id": self.store.id, "label": "谁都可以改名"},
        }
        event = {"type": kind, "timestamp": self.clock().isoformat(), "data": data | changes}
        return json.dumps(event, ensure_ascii=False).encode()

    async def sends(
        self, body: bytes, *, secret: str = SECRET, message_id: str = "m1", late: float = 0, **headers: str
    ) -> httpx.Response:
        at = str(int(self.clock().timestamp() - late))
        signed = {
            "webhook-id": message_id,
            "webhook-timestamp": at,
            "webhook-signature": signature(secret, message_id, at, body),
        }
        given = signed | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(URL, content=body, headers=given)


class Crowded:
    """A database in which somebody else is quicker, so often."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database
        self.lost_races = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Work]:
        async with self._database.begin() as work:
            yield work
            if self.lost_races:
                self.lost_races -= 1
                raise ConcurrentChange

    def read(self) -> AbstractAsyncContextManager[Work]:
        return self._database.read()


@pytest.fixture
def crowded(sqlite_database: SqlDatabase) -> Crowded:
    return Crowded(sqlite_database)


@pytest.fixture
async def seller(sqlite_database: SqlDatabase, clock: FakeClock, entropy: CountingEntropy) -> Seller:
    clock.set(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
    return await World(sqlite_database, clock, entropy).seller(MEI)


@pytest.fixture
async def store(sqlite_database: SqlDatabase, clock: FakeClock, entropy: CountingEntropy, seller: Seller) -> Store:
    return await World(sqlite_database, clock, entropy).store(seller)


@pytest.fixture
async def sister(crowded: Crowded, clock: FakeClock, store: Store) -> AsyncIterator[Sister]:
    seal = Seal([SECRET, OLD], clock=clock)
    async with http(MirrorStories(Mirroring(crowded, clock=clock), seal.verified)) as client:
        yield Sister(client, clock, store)


@pytest.fixture
def is_off(sqlite_database: SqlDatabase, seller: Seller, store: Store) -> Callable[[], Any]:
    async def look() -> bool:
        async with sqlite_database.read() as work:
            found = await work.stores.get(seller, store.id)
        assert found is not None
        return found.disabled_at is not None

    return look


async def test_a_signed_event_is_applied(sister: Sister, is_off: Callable[[], Any]) -> None:
    answer = await sister.sends(sister.event())
    assert (answer.status_code, answer.json()) == (200, {"outcome": "applied"})
    assert await is_off()


async def test_both_secrets_count_while_they_rotate(sister: Sister) -> None:
    assert (await sister.sends(sister.event(), secret=OLD)).json() == {"outcome": "applied"}


async def test_a_replay_is_accepted_and_does_nothing(
    sister: Sister, sqlite_database: SqlDatabase, is_off: Callable[[], Any]
) -> None:
    body = sister.event()
    await sister.sends(body)
    again = await sister.sends(body)
    assert (again.status_code, again.json()) == (200, {"outcome": "repeated"})
    enabled = sister.event("store.enabled")
    assert (await sister.sends(enabled)).json() == {"outcome": "repeated"}, "the id is what counts"
    assert await is_off()
    claimed = await sqlite_database.errands.claim(now=sister.clock(), lease=timedelta(minutes=1), limit=100)
    assert len(claimed) == 1


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": OTHERS},
        {"late": 301},
        {"late": -301},
        {"webhook_id": "m2"},
        {"webhook_id": ""},
        {"webhook_timestamp": "now"},
        {"webhook_signature": ""},
        {"webhook_signature": "v1,AAAA"},
    ],
)
async def test_what_is_not_signed_just_now_is_turned_away(
    sister: Sister, is_off: Callable[[], Any], forged: dict[str, Any]
) -> None:
    answer = await sister.sends(sister.event(), **forged)
    assert answer.status_code == 401
    assert set(answer.json()) == {"error"}
    assert not await is_off()


async def test_the_signature_is_over_the_raw_bytes(sister: Sister, is_off: Callable[[], Any]) -> None:
    body, at = sister.event(), str(int(sister.clock().timestamp()))
    signed = signature(SECRET, "m1", at, body)
    answer = await sister.sends(body + b" ", webhook_signature=signed)
    assert answer.status_code == 401
    assert not await is_off()


async def test_what_is_malformed_is_told_in_short_and_only_to_who_signed_it(sister: Sister) -> None:
    answer = await sister.sends(b"{")
    assert (answer.status_code, answer.json()) == (400, {"error": "the body is not JSON"})
    assert (await sister.sends(b"{", secret=OTHERS)).status_code == 401
    answer = await sister.sends(sister.event(store=None), message_id="m2")
    assert (answer.status_code, answer.json()) == (400, {"error": "data.store must be an object"})


@pytest.mark.parametrize("kind", ["store.painted", "mirror.greeting", "store.added"])
async def test_types_that_nothing_follows_from_are_accepted(sister: Sister, kind: str) -> None:
    answer = await sister.sends(sister.event(kind))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "ignored"})


async def test_a_store_that_nobody_knows_is_accepted_and_called_so(sister: Sister, is_off: Callable[[], Any]) -> None:
    answer = await sister.sends(sister.event(workspace="T0ELSEWHERE"))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "unknown"})
    assert not await is_off()


async def test_an_event_among_others_is_tried_again_and_not_lost(
    sister: Sister, crowded: Crowded, is_off: Callable[[], Any]
) -> None:
    crowded.lost_races = 2
    answer = await sister.sends(sister.event())
    assert (answer.status_code, answer.json()) == (200, {"outcome": "applied"})
    assert await is_off()


async def test_what_cannot_be_written_now_is_to_be_sent_again(
    sister: Sister, crowded: Crowded, is_off: Callable[[], Any]
) -> None:
    crowded.lost_races = 1000
    body = sister.event()
    answer = await sister.sends(body)
    assert answer.status_code == 503
    assert set(answer.json()) == {"error"}
    crowded.lost_races = 0
    assert not await is_off()
    answer = await sister.sends(body)
    assert (answer.status_code, answer.json()) == (200, {"outcome": "applied"})
    assert await is_off()


async def test_a_body_that_is_too_big_is_not_read_to_its_end(sister: Sister) -> None:
    assert (await sister.sends(b" " * (BODY_LIMIT + 1))).status_code == 413
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b" " * 8192

    answer = await sister.client.post(URL, content=endless())
    assert answer.status_code == 413
    assert read * 8192 < 3 * BODY_LIMIT


async def test_a_long_event_that_fits_is_read(sister: Sister) -> None:
    body = sister.event()
    assert (await sister.sends(body + b" " * (BODY_LIMIT - len(body)))).status_code == 200


async def test_it_takes_nothing_but_post(sister: Sister) -> None:
    assert (await sister.client.get(URL)).status_code == 405


async def test_without_a_secret_there_is_no_such_address() -> None:
    async with http(None) as client:
        assert (await client.post(URL, content=b"{}")).status_code == 404
