"""The sandbox in one piece: a local Slack at `/`, a local Amazon below `/amazon`, a sister system at `/sister`, on one clock."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.amazon.app import routes as amazon_routes
from sandbox.amazon.apps import default_apps
from sandbox.amazon.world import AmazonWorld
from sandbox.clock import SandboxClock
from sandbox.settings import SandboxSettings
from sandbox.sister import SisterSystem
from sandbox.slack.app import LocalSlack

__all__ = ["Sandbox", "SandboxSettings", "create_app", "running"]


class Sandbox:
    """All stand-ins; `app` is the ASGI application."""

    def __init__(self, settings: SandboxSettings, clock: SandboxClock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SandboxClock()
        self.slack = LocalSlack(settings, self.clock.now)
        self.amazon = AmazonWorld(default_apps(settings.bot_public_url or settings.bot_url), self.clock.now)
        self.sister = SisterSystem(settings.bot_url, self.clock.now)
        self.app = Starlette(
            routes=[
                *self.sister.routes(),
                *amazon_routes(self.amazon),
                Route("/control/clock", self._time, methods=["GET", "POST"]),
                *self.slack.routes(),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self.slack.close()

    async def _time(self, request: Request) -> Response:
        """`{"advance": seconds}` lets time pass for both, `{"reset": true}` goes back to the wall clock."""
        if request.method == "POST":
            try:
                body = json.loads(await request.body())
                if body.get("reset"):
                    self.clock.reset()
                self.clock.advance(float(body.get("advance", 0)))
            except (AttributeError, TypeError, ValueError):
                return JSONResponse({"ok": False, "error": "advance must be a number of seconds"}, 400)
            self.slack.world.touch()
        return JSONResponse({"ok": True, "now": self.clock.now(), "offset": self.clock.offset})


def create_app(settings: SandboxSettings) -> Starlette:
    return Sandbox(settings).app


def _listening(host: str, port: int) -> socket.socket:
    """A bound socket, so that port 0 turns into a real number before anything is told about it.

    asyncio switches Nagle's algorithm off only where the protocol is named, and with it on every answer to a kept-open
    connection waits 40 ms for a delayed acknowledgement.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class _Server(uvicorn.Server):
    """Leaves signals to whoever embeds it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def running(settings: SandboxSettings, clock: SandboxClock | None = None) -> AsyncIterator[Sandbox]:
    """The sandbox on a real port, in this event loop; `settings.port` 0 picks a free one.

    Its address is `sandbox.settings.public_url`.
    """
    bound = _listening(settings.host, settings.port)
    port = bound.getsockname()[1]
    sandbox = Sandbox(replace(settings, port=port, public_url=f"http://{settings.host}:{port}"), clock)
    server = _Server(
        uvicorn.Config(
            sandbox.app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            # longer than any client keeps a connection: else both may let go of it at the moment it is used again
            timeout_keep_alive=3600,
            ws="none",
        )
    )
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started:
            if task.done():
                await task
                raise RuntimeError("the sandbox did not start")
            await asyncio.sleep(0.005)
        yield sandbox
    finally:
        sandbox.slack.world.close()
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await task
        bound.close()
