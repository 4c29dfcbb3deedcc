"""Everything running on loopback ports: people talk to the bot as they would in Slack, on a clock that a test can move."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from bot.app import Grantdesk, build
from bot.demo import demo_settings
from bot.domain.features import FeatureKey
from bot.domain.stores import Store
from bot.ports import AuditEvent, AuditFilter
from bot.services.stores import StoreDraft
from sandbox.amazon.browser import SellerBrowser
from sandbox.client import Person, SandboxClient
from sandbox.clock import SandboxClock
from sandbox.server import Sandbox, SandboxSettings
from sandbox.server import running as running_sandbox

HOST = "127.0.0.1"
TEAM = "T0SANDBOX"
SUPPORT = "C0SUPPORT"
#: the relay keeps Slack's pace of one message a second and channel
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class House:
    """The service, the local Slack and Amazon, and the people in it."""

    service: Grantdesk
    sandbox: Sandbox
    slack: SandboxClient
    clock: SandboxClock

    def person(self, name: str) -> Person:
        return self.slack.person(name)

    def passes(self, time: timedelta) -> None:
        """For the service, for Slack and for Amazon alike."""
        self.clock.advance(time.total_seconds())

    async def store(self, name: str, label: str = "Acme US", marketplace: str = "US") -> Store:
        """A store of somebody's, added without a word."""
        who = await self.service.stories.people.get(TEAM, self._id(name))
        day = datetime.fromtimestamp(self.clock.now(), UTC).date().isoformat()
        return (await self.service.stories.stores.add(who, StoreDraft(label, marketplace, day))).store

    async def consents(self, name: str, store: Store, *, account: str) -> None:
        """That person grants order import, at Amazon, in a browser."""
        who = await self.service.stories.people.get(TEAM, self._id(name))
        secret = f"secret-of-{store.id}"
        await self.service.stories.granting.prepare(who, FeatureKey.ORDERS, store.id, secret=secret)
        async with SellerBrowser(self.slack.base_url) as browser:
            await browser.signs_in(account, store.marketplace_code)
            departure = await self.service.stories.granting.press(secret)
            await browser.opens(departure.url)
            await browser.consents()

    async def audit(self, action: str = "") -> list[AuditEvent]:
        return [event async for event in self.service.database.audit_log.read(AuditFilter(action=action))]

    @staticmethod
    def _id(name: str) -> str:
        return f"U0{name.upper()}"


class _Server(uvicorn.Server):
    """Leaves signals to pytest."""

    def install_signal_handlers(self) -> None:
        return


@asynccontextmanager
async def house(folder: Path, **changes: Any) -> AsyncIterator[House]:
    """Starts everything on free ports; `changes` are settings."""
    clock = SandboxClock()
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind((HOST, 0))
    url = f"http://{HOST}:{bound.getsockname()[1]}"
    async with running_sandbox(SandboxSettings(host=HOST, port=0, bot_url=url), clock) as sandbox:
        # deliveries are signed by the clock that the bot compares them with
        sandbox.slack.courier.wall = clock.now
        settings = demo_settings(
            bot_url=url,
            sandbox_url=sandbox.settings.public_url,
            database_url=f"sqlite+aiosqlite:///{folder / 'house.db'}",
            port=bound.getsockname()[1],
        ).model_copy(update=changes)
        service = await build(settings, clock=lambda: datetime.fromtimestamp(clock.now(), UTC), public_routes=())
        config = uvicorn.Config(
            service.asgi,
            log_config=None,
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=3600,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            while not server.started:
                if serving.done():
                    await serving
                await asyncio.sleep(0.01)
            async with SandboxClient(sandbox.settings.public_url) as slack:
                yield House(service, sandbox, slack, clock)
        finally:
            server.should_exit = True
            with suppress(asyncio.CancelledError):
                await serving
            bound.close()


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, desk_channels=frozenset({"C0GENERAL"})) as running:
        yield running
