"""The whole service and both stand-ins on loopback ports, on one clock that a test can move."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from playwright.async_api import BrowserContext, Page

from bot.adapters.chance import SystemEntropy
from bot.app import Grantdesk, build
from bot.demo import demo_settings
from bot.domain.features import FeatureKey
from bot.domain.grants import Grant, GrantState
from bot.domain.stores import Store
from bot.ports import Person
from bot.services.stores import StoreDraft
from sandbox.amazon.world import AmazonWorld
from sandbox.clock import SandboxClock
from sandbox.server import Sandbox, SandboxSettings
from sandbox.server import running as running_sandbox

HOST = "127.0.0.1"
TEAM = "T0SANDBOX"
MEI = Person(TEAM, "U0MEI", "zh-CN", "Asia/Shanghai")
LIN = Person(TEAM, "U0LIN", "zh-TW", "Asia/Taipei")
ALEX = Person(TEAM, "U0ALEX", "en", "America/Los_Angeles")
#: milliseconds: machines that run tests are busy
PATIENCE = 20_000
NewContext = Callable[..., Awaitable[BrowserContext]]
PEOPLE = {"zh-CN": MEI, "zh-TW": LIN, "en": ALEX}


@dataclass(frozen=True, slots=True)
class Desk:
    """The service as the tests of its pages see it."""

    service: Grantdesk
    sandbox: Sandbox
    clock: SandboxClock
    url: str

    @property
    def amazon(self) -> AmazonWorld:
        return self.sandbox.amazon

    def passes(self, time: timedelta) -> None:
        """For the service and for Amazon alike."""
        self.clock.advance(time.total_seconds())

    async def store(self, person: Person = ALEX, label: str = "Acme US", marketplace: str = "US") -> Store:
        day = datetime.fromtimestamp(self.clock.now(), UTC).date().isoformat()
        draft = StoreDraft(label=label, marketplace=marketplace, initial_order_date=day)
        return (await self.service.stories.stores.add(person, draft)).store

    async def link(self, store: Store, person: Person = ALEX, feature: FeatureKey = FeatureKey.ORDERS) -> str:
        """The address in the card that `/grant` sends."""
        secret = SystemEntropy().secret()
        await self.service.stories.granting.prepare(person, feature, store.id, secret=secret)
        return f"{self.url}/connect/{secret}"

    async def grant(self, store: Store, person: Person = ALEX, feature: FeatureKey = FeatureKey.ORDERS) -> Grant:
        return (await self.service.stories.reporting.store(person, store.id)).grants[feature]

    async def is_granted(self, store: Store, person: Person = ALEX, feature: FeatureKey = FeatureKey.ORDERS) -> bool:
        return (await self.grant(store, person, feature)).state is GrantState.GRANTED


async def press(page: Page) -> Page:
    """The big button; the tab that it opens, once Amazon is in it."""
    async with page.context.expect_page() as opening:
        await page.locator("#go button").click()
    amazon = await opening.value
    await amazon.wait_for_url("**/sellercentral/**")
    return amazon


async def sign_in(amazon: Page, account: str, marketplace: str = "US") -> None:
    await amazon.locator(f'form:has(input[value="{account}"]) button[value="{marketplace}"]').click()


async def confirm(amazon: Page) -> None:
    """Amazon's box and button, up to our result page."""
    await amazon.locator("input[name=agree]").check()
    await amazon.locator("button[value=confirm]").click()
    await amazon.wait_for_url("**/result/**")


async def reaches(page: Page, state: str) -> None:
    """The page comes to show a state, by itself."""
    await page.locator(f'main[data-state="{state}"]').wait_for(timeout=2 * PATIENCE)


class _Server(uvicorn.Server):
    """Leaves signals to pytest."""

    def install_signal_handlers(self) -> None:
        return


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Desk]:
    """Starts everything on free ports, and stops it at the end."""
    clock = SandboxClock()
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind((HOST, 0))
    url = f"http://{HOST}:{bound.getsockname()[1]}"
    async with running_sandbox(SandboxSettings(host=HOST, port=0, bot_url=url), clock) as sandbox:
        settings = demo_settings(
            bot_url=url,
            sandbox_url=sandbox.settings.public_url,
            database_url=f"sqlite+aiosqlite:///{folder / 'desk.db'}",
            port=bound.getsockname()[1],
        )
        service = await build(settings, clock=lambda: datetime.fromtimestamp(clock.now(), UTC), public_routes=())
        server = _Server(
            uvicorn.Config(service.asgi, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1)
        )
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            while not server.started:
                if serving.done():
                    await serving
                await asyncio.sleep(0.01)
            yield Desk(service, sandbox, clock, url)
        finally:
            server.should_exit = True
            with suppress(asyncio.CancelledError):
                await serving
            bound.close()
