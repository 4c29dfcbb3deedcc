"""Everything on one machine: the bot, a local Slack, Amazon and sister system. Production code throughout; only addresses differ."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from rich.console import Console

from bot.app import Grantdesk, build, now_in_utc
from bot.domain.features import FEATURES
from bot.errors import ConfigurationError
from bot.logs import set_up
from bot.ports import Clock
from bot.settings import ApplicationSettings, Settings
from bot.web.limits import PUBLIC_ROUTES, RouteClass
from sandbox import sister
from sandbox.amazon.apps import default_apps
from sandbox.clock import SandboxClock
from sandbox.server import Sandbox, SandboxSettings
from sandbox.server import running as running_sandbox

SUPPORT_CHANNEL = "C0SUPPORT"
AGENTS = frozenset({"U0SAM", "U0KIM"})
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Running:
    """Both halves, listening."""

    desk: Grantdesk
    sandbox: Sandbox
    bot_url: str
    sandbox_url: str


def demo_settings(*, bot_url: str, sandbox_url: str, database_url: str, port: int) -> Settings:
    """Settings that point every edge at the sandbox."""
    sandbox = SandboxSettings()
    applications = {
        feature: ApplicationSettings(
            _env_file=None,
            application_id=app.application_id,
            client_id=app.client_id,
            client_secret=SecretStr(app.client_secret),
            developer_name=app.developer_name,
        )
        for app in default_apps(bot_url)
        for feature in FEATURES
        if feature.value == app.key
    }
    return Settings(
        _env_file=None,
        slack_signing_secret=SecretStr(sandbox.signing_secret),
        slack_bot_token=SecretStr(sandbox.bot_token),
        slack_client_id="",
        slack_client_secret=SecretStr(""),
        slack_app_token=SecretStr(""),
        slack_api_url=f"{sandbox_url}/api/",
        public_url=bot_url,
        database_url=database_url,
        encryption_keys={"demo": SecretStr(base64.b64encode(os.urandom(32)).decode())},
        amazon_lwa_url=f"{sandbox_url}/amazon/lwa",
        amazon_spapi_url=f"{sandbox_url}/amazon/spapi",
        amazon_seller_central_url=f"{sandbox_url}/amazon/sellercentral",
        support_channel=SUPPORT_CHANNEL,
        support_agents=AGENTS,
        # whenever somebody tries it, the desk is open
        desk_hours="Mon-Sun 00:00-24:00",
        mirror_url=f"{sandbox_url}{sister.PATH}",
        mirror_secret=SecretStr(sister.SECRET),
        host=_HOST,
        port=port,
        applications=applications,
    )


class _Server(uvicorn.Server):
    """Leaves signals to whoever embeds it."""

    def install_signal_handlers(self) -> None:
        """Nothing: asyncio.run ends us on Ctrl-C."""


def _bound(port: int) -> socket.socket:
    # the protocol is named, or else asyncio leaves Nagle's algorithm on: 40 ms for every answer
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((_HOST, port))
    except OSError:
        taken.close()
        raise ConfigurationError(problems=f"port {port} is taken; choose another one with --port") from None
    return taken


def _told_by(clock: SandboxClock) -> Clock:
    return lambda: datetime.fromtimestamp(clock.now(), UTC)


@asynccontextmanager
async def running(
    *,
    port: int = 0,
    sandbox_port: int = 0,
    database_url: str = "",
    public_routes: Sequence[RouteClass] = PUBLIC_ROUTES,
    clock: SandboxClock | None = None,
    look_every: timedelta = timedelta(minutes=1),
) -> AsyncIterator[Running]:
    """Starts both on real ports (0 picks free ones) and stops them at the end; the database is thrown away by default.

    With a `clock`, what passes on it passes for the bot as well; without one, the bot goes by the real time. `look_every` is
    how often scheduled work is looked for.
    """
    with tempfile.TemporaryDirectory(prefix="grantdesk-") as folder:
        bound = _bound(port)
        bot_url = f"http://{_HOST}:{bound.getsockname()[1]}"
        settings_of_sandbox = SandboxSettings(host=_HOST, port=sandbox_port, bot_url=bot_url)
        async with running_sandbox(settings_of_sandbox, clock) as sandbox:
            if clock is not None:
                sandbox.slack.courier.wall = clock.now  # the bot compares a signature's time with its own
            settings = demo_settings(
                bot_url=bot_url,
                sandbox_url=sandbox.settings.public_url,
                database_url=database_url or f"sqlite+aiosqlite:///{Path(folder) / 'demo.db'}",
                port=bound.getsockname()[1],
            )
            desk = await build(
                settings,
                public_routes=public_routes,
                clock=now_in_utc if clock is None else _told_by(clock),
                look_every=look_every,
            )
            config = uvicorn.Config(
                desk.asgi,
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=2,
                timeout_keep_alive=3600,  # as the stand-ins do
            )
            server = _Server(config)
            serving = asyncio.create_task(server.serve(sockets=[bound]))
            try:
                while not server.started:
                    if serving.done():
                        await serving
                        raise ConfigurationError(problems="the service did not start")
                    await asyncio.sleep(0.01)
                yield Running(desk, sandbox, bot_url, sandbox.settings.public_url)
            finally:
                server.should_exit = True
                with suppress(asyncio.CancelledError):
                    await serving
                bound.close()


async def run_demo(*, tour: bool, port: int, sandbox_port: int) -> int:
    """The demo until Ctrl-C, or the tour; the exit code."""
    console = Console(soft_wrap=True)
    if tour:
        from bot.tour import run_tour  # noqa: PLC0415  # only the tour needs its script
        from bot.tour_year import SCENES  # noqa: PLC0415

        set_up("console", level="WARNING")
        # a year passes for all of them in one call, and has its consequences at once
        async with running(clock=SandboxClock(), look_every=timedelta(seconds=0.2)) as both:
            return await run_tour(both.bot_url, both.sandbox_url, console, more=SCENES)
    set_up("console", level="WARNING")
    # in the page a year passes with two presses, and what is due then happens while one looks on
    clock = SandboxClock()
    async with running(port=port, sandbox_port=sandbox_port, clock=clock, look_every=timedelta(seconds=1)) as both:
        console.print()
        console.print("[bold]Grantdesk is running on a local Slack and a local Amazon.[/bold] Nothing here is real.")
        console.print()
        console.print(f"  Slack            [link]{both.sandbox_url}/[/link]")
        console.print(
            "                   Be Mei (简体中文), Lin (繁體中文), Alex (English), or Sam and Kim at the support desk."
        )
        console.print(
            "                   Type [bold]/store add[/bold], then [bold]/grant orders[/bold], and follow the link."
        )
        console.print(
            "                   Let time pass, at the left: in 11½ months Mei hears what ends, before it does."
        )
        console.print(f"  Seller Central   [link]{both.sandbox_url}/amazon/[/link]")
        console.print(
            "                   Sign in as a seller, see Manage Your Apps, switch on every error Amazon can make."
        )
        console.print(f"  Sister system    [link]{both.sandbox_url}/control/sister/events[/link]")
        console.print("                   What it was told of stores and grants, as JSON.")
        console.print(f"  The bot          [link]{both.bot_url}/readyz[/link]")
        console.print()
        console.print("Press Ctrl-C to stop; the demo's data is thrown away.")
        await asyncio.Event().wait()
    return 0
