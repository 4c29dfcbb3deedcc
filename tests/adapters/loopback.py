"""A clock to turn by hand, and any ASGI app behind a real loopback port."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import uvicorn
from starlette.types import ASGIApp

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class HandClock:
    """Stands still until somebody moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


async def until(condition: Callable[[], bool]) -> None:
    """Looks again and again, for five seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # what is waited for happens on the other side of a socket
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The app's address for as long as the block lasts."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        # Left alone, uvicorn believes any X-Forwarded-For that comes from this machine.
        config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, proxy_headers=False)
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        # Its own main loop would take a tenth of a second to notice that it is over.
        await server.startup(sockets=[listening])
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.force_exit = True
            await server.shutdown(sockets=[listening])
