"""The bot as a real process that is killed without warning, and the world that goes on without it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import httpx

from bot.i18n import Speaker
from sandbox.amazon.apps import default_apps
from sandbox.amazon.browser import Page, SellerBrowser
from sandbox.client import Message, Person, SandboxClient
from sandbox.clock import SandboxClock
from sandbox.server import Sandbox, SandboxSettings
from sandbox.server import running as running_sandbox

HOST = "127.0.0.1"
ROOT = Path(__file__).parents[2]
#: an errand belongs for two minutes to the relay that took it, also when that one is dead
LEASE = 121.0
_PATIENCE = 90.0
_KEY = "durable:" + base64.b64encode(bytes(range(32))).decode()


async def until(condition: Callable[[], Awaitable[bool]], *, within: float = _PATIENCE) -> None:
    """Looks again and again: what is waited for happens in another process."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110  # there is no event to wait for
            await asyncio.sleep(0.03)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


class Nursery:
    """Where replicas come from; see the module of that name."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[Self]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.durability.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            yield cls(process)

    def bears(self, *, environment: dict[str, str], log: Path, clock: Path) -> int:
        """A replica's process id. It answers a little later."""
        wish = {"environment": environment, "log": str(log), "clock": str(clock)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@dataclass(slots=True)
class Desk:
    """One replica: a process that can be started, killed and started again."""

    nursery: Nursery
    environment: dict[str, str]
    url: str
    log: Path
    clock: Path
    pid: int = 0

    async def starts(self) -> None:
        self.pid = self.nursery.bears(environment=self.environment, log=self.log, clock=self.clock)

        async def answers() -> bool:
            assert _lives(self.pid), f"the bot did not start:\n{self.log.read_text()[-3000:]}"
            with suppress(httpx.TransportError):
                return (await http.get(f"{self.url}/readyz")).status_code == httpx.codes.OK
            return False

        async with httpx.AsyncClient(trust_env=False) as http:
            await until(answers)

    async def dies(self) -> None:
        """SIGKILL: nothing is finished, nothing is written any more."""
        if self.pid:
            pid, self.pid = self.pid, 0
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

            async def gone() -> bool:
                return not _lives(pid)

            await until(gone)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@dataclass(slots=True)
class World:
    """Slack, Amazon, and the replicas of the bot on one database."""

    sandbox: Sandbox
    client: SandboxClient
    clock: SandboxClock
    desks: list[Desk]
    #: how far this world's time is before the real one, for other processes to read
    ahead: Path

    @property
    def desk(self) -> Desk:
        return self.desks[0]

    async def crashes(self) -> None:
        await self.desk.dies()

    async def comes_back(self, *, after: float = LEASE) -> None:
        """The same database, after some time."""
        await self.passes(after)
        await self.desk.starts()

    async def passes(self, seconds: float) -> None:
        """Time, for everybody."""
        await self.client.advance(seconds)
        fresh = self.ahead.with_suffix(".fresh")
        fresh.write_text(str(self.clock.offset))
        fresh.replace(self.ahead)

    async def well_again(self) -> None:
        """Slack has no more faults."""
        self.sandbox.slack.workspace.switches.clear()

    async def seller(self, name: str, number: int = 0) -> Seller:
        person = await self.client.add_person(f"{name}{number}", locale="en-US", tz="UTC")
        return Seller(self, person, f"D0{name.upper()}{number}")


@dataclass(slots=True)
class Seller:
    """Somebody who speaks English, for whom the bot may be gone."""

    world: World
    person: Person
    dm: str
    say: Speaker = field(default_factory=lambda: Speaker("en"))

    async def types(self, command: str) -> None:
        said = await self.person.types(command, quiet=0)
        assert said.ok, said.failure

    async def adds(self, label: str, marketplace: str = "US") -> None:
        day = datetime.fromtimestamp(self.world.clock.now(), UTC).date()
        await self.types(f'/store add "{label}" {marketplace} {day}')

    async def cards(self) -> list[Message]:
        """Every live card in the DM."""
        return [one for one in await self.person.messages(self.dm) if one.link(self.say("button.open_amazon"))]

    async def told(self, fragment: str) -> list[Message]:
        return [one for one in await self.person.messages(self.dm) if one.contains(fragment)]

    async def consents(self, link: str, account: str) -> Page:
        async with self.browser() as browser:
            await browser.signs_in(account, "US")
            await browser.opens(link)
            await browser.presses(self.say("page.go"))
            return await browser.consents()

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[SellerBrowser]:
        async with SellerBrowser(self.world.client.base_url) as browser:
            yield browser


def environment(*, port: int, sandbox: Sandbox, database_url: str, public_url: str) -> dict[str, str]:
    """The bot's configuration, as an operator would write it."""
    settings = sandbox.settings
    amazon = f"{settings.public_url}/amazon"
    found = {
        "SLACK_SIGNING_SECRET": settings.signing_secret,
        "SLACK_BOT_TOKEN": settings.bot_token,
        "SLACK_API_URL": f"{settings.public_url}/api/",
        "PUBLIC_URL": public_url,
        "DATABASE_URL": database_url,
        "ENCRYPTION_KEYS": _KEY,
        "AMAZON_LWA_URL": f"{amazon}/lwa",
        "AMAZON_SPAPI_URL": f"{amazon}/spapi",
        "AMAZON_SELLER_CENTRAL_URL": f"{amazon}/sellercentral",
        "SUPPORT_CHANNEL": "C0SUPPORT",
        "HOST": HOST,
        "PORT": str(port),
    }
    for app in default_apps(public_url):
        prefix = f"AMAZON_{app.key.upper()}_"
        found[f"{prefix}APPLICATION_ID"] = app.application_id
        found[f"{prefix}CLIENT_ID"] = app.client_id
        found[f"{prefix}CLIENT_SECRET"] = app.client_secret
    return {"PATH": os.environ.get("PATH", ""), **found}


@asynccontextmanager
async def world(nursery: Nursery, database_url: str, folder: Path, *, replicas: int = 1) -> AsyncIterator[World]:
    """Everything, started. Slack and browsers know the first replica."""
    clock = SandboxClock()
    ahead = folder / "ahead"
    ahead.write_text("0")
    ports = [free_port() for _ in range(replicas)]
    first = f"http://{HOST}:{ports[0]}"
    async with (
        running_sandbox(SandboxSettings(host=HOST, port=0, bot_url=first), clock) as sandbox,
        SandboxClient(sandbox.settings.public_url, quiet=0) as client,
    ):
        sandbox.slack.courier.wall = clock.now
        desks = []
        for port in ports:
            given = environment(port=port, sandbox=sandbox, database_url=database_url, public_url=first)
            log = folder / f"{port}.log"
            log.touch()
            desks.append(Desk(nursery, given, f"http://{HOST}:{port}", log, ahead))
        made = World(sandbox, client, clock, desks, ahead)
        try:
            for desk in desks:
                await desk.starts()
            yield made
        finally:
            for desk in desks:
                await desk.dies()
