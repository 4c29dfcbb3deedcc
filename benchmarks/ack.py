"""How long Slack waits for us: signed slash commands into the running app, against a bare Bolt app with one listener.

Each server is a process of its own on loopback, and one client asks them in turn, so that whatever else the machine does
meets all alike. Grantdesk keeps its data in SQLite and has the sandbox for Slack. `python -m benchmarks.ack` takes
under a minute and prints medians, p99 and ratios; the ratio is what may be compared between machines.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
import uvicorn
from starlette.types import ASGIApp

SECRET = "sandbox-signing-secret"  # the sandbox's own, public by design
SECONDS = 40.0
WARM_UP = 30
AT_ONCE = 16
_READY = "ready "

ASKER, ADDER = "U0ALEX", "U0MEI"
STORES = 3


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, by whom, and what it costs us besides Bolt."""

    name: str
    text: str
    user: str
    cost: str


COMMANDS = (
    Command("/store help", "/store help", ASKER, "one row: was this delivered before?"),
    Command("/authstatus", "/authstatus", ASKER, f"… and reads {STORES} stores with their grants"),
    Command(
        "/store add …", '/store add "Bench {n}" US 2026-01-31', ADDER, "… and writes a store, its grants, a message"
    ),
)


# --- the servers, each in a process of its own


async def serve_sandbox() -> None:
    """The local Slack, which the service asks who people are and hands its messages."""
    from sandbox.server import SandboxSettings, running  # noqa: PLC0415  # each process loads what it needs

    async with running(SandboxSettings(port=0)) as sandbox:
        await _serve_until_told(sandbox.settings.public_url)


async def serve_grantdesk(sandbox_url: str) -> None:
    """The service as it is, on SQLite in a file."""
    from bot.app import build  # noqa: PLC0415
    from bot.demo import demo_settings  # noqa: PLC0415
    from bot.logs import set_up  # noqa: PLC0415

    set_up("console", level="CRITICAL")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
        settings = demo_settings(bot_url="http://127.0.0.1:9", sandbox_url=sandbox_url, database_url=url, port=0)
        await _serve((await build(settings)).asgi)


async def serve_bolt(*, answers_first: bool) -> None:
    """The least that Bolt's own documentation shows, behind the same server."""
    from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler  # noqa: PLC0415
    from slack_bolt.async_app import AsyncAck, AsyncApp  # noqa: PLC0415
    from slack_bolt.authorization import AuthorizeResult  # noqa: PLC0415
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None, team_id="T0SANDBOX", bot_token="xoxb-bench", bot_id="B0BOT", bot_user_id="U0BOT"
        )

    app = AsyncApp(signing_secret=SECRET, authorize=authorize, process_before_response=answers_first)

    @app.command("/bare")
    async def bare(ack: AsyncAck) -> None:
        await ack("Hello")

    handler = AsyncSlackRequestHandler(app)

    async def endpoint(request: Request) -> Response:
        return await handler.handle(request)

    await _serve(Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])]))


async def _serve(app: ASGIApp) -> None:
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_config=None, log_level="critical", access_log=False, ws="none")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), "the server did not start"
        await asyncio.sleep(0.01)
    await _serve_until_told(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}")
    server.should_exit = True
    await serving


async def _serve_until_told(url: str) -> None:
    """Says where it is, and lives until its standard input ends."""
    sys.stdout.write(f"{_READY}{url}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


ROLES: Mapping[str, Callable[[str], Coroutine[Any, Any, None]]] = {
    "sandbox": lambda _: serve_sandbox(),
    "grantdesk": serve_grantdesk,
    "bolt": lambda _: serve_bolt(answers_first=True),
    "bolt-default": lambda _: serve_bolt(answers_first=False),
}


@asynccontextmanager
async def started(role: str, sandbox_url: str = "") -> AsyncIterator[str]:
    """A server's address; it ends when its standard input does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.ack",
        "--serve",
        role,
        "--sandbox",
        sandbox_url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=None,
        env={name: value for name, value in os.environ.items() if not name.startswith("SLACK_")},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            while not (line := (await process.stdout.readline()).decode()).startswith(_READY):
                if not line:
                    raise RuntimeError(f"{role} did not start")
        yield line.removeprefix(_READY).strip()
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


# --- the client


@dataclass(slots=True)
class Runner:
    """One thing that is measured."""

    name: str
    url: str
    text: str
    cost: str
    user: str = ASKER
    times: list[float] = field(default_factory=list)
    burst: list[float] = field(default_factory=list)

    def request(self, number: int) -> tuple[bytes, dict[str, str]]:
        command, _, text = self.text.format(n=number).partition(" ")
        body = urlencode(
            {
                "command": command,
                "text": text,
                "team_id": "T0SANDBOX",
                "user_id": self.user,
                "channel_id": "C0GENERAL",
                "trigger_id": f"bench.{number}",
                "response_url": "http://127.0.0.1:9/none",
                "api_app_id": "A0SANDBOX",
            }
        ).encode()
        at = str(int(time.time()))
        digest = hmac.digest(SECRET.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256).hex()
        return body, {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": at,
            "x-slack-signature": f"v0={digest}",
        }

    async def ask(self, session: aiohttp.ClientSession, number: int) -> float:
        body, headers = self.request(number)
        started = time.perf_counter()
        async with session.post(f"{self.url}/slack/events", data=body, headers=headers) as response:
            said = await response.read()
        elapsed = time.perf_counter() - started
        assert response.status == 200, (self.name, response.status)
        assert said, f"{self.name} acknowledged without a word"
        return elapsed * 1000


async def measure(runners: list[Runner], session: aiohttp.ClientSession, seconds: float) -> None:
    """In turn, one at a time, and now and then a burst; until the time is up."""
    numbers = itertools.count()
    for runner in runners:
        for _ in range(WARM_UP):
            await runner.ask(session, next(numbers))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(10):
            for runner in runners:
                runner.times.append(await runner.ask(session, next(numbers)))
        for runner in runners:
            began = time.perf_counter()
            await asyncio.gather(*(runner.ask(session, next(numbers)) for _ in range(AT_ONCE)))
            runner.burst.append(AT_ONCE / (time.perf_counter() - began))


def report(runners: list[Runner], baseline: Runner) -> str:
    """The table. The last column but one is the ratio to the bare app's median."""
    base = statistics.median(baseline.times)
    width = max(len(runner.name) for runner in runners)
    lines = [f"{'':{width}}  {'median':>9}  {'p99':>9}  {'ratio':>6}  {f'{AT_ONCE} at once':>10}  {'asked':>6}"]
    for runner in runners:
        median = statistics.median(runner.times)
        p99 = statistics.quantiles(runner.times, n=100)[98]
        ratio = "1" if runner is baseline else f"{median / base:.2f}"
        lines.append(
            f"{runner.name:{width}}  {median:6.2f} ms  {p99:6.2f} ms  {ratio:>6}  "
            f"{statistics.median(runner.burst):8.0f}/s  {len(runner.times):6}  {runner.cost}"
        )
    return "\n".join(lines)


async def run(seconds: float) -> None:
    async with (
        started("sandbox") as sandbox,
        started("grantdesk", sandbox) as desk,
        started("bolt") as bolt,
        started("bolt-default") as default,
    ):
        baseline = Runner("bare Bolt, answering first", bolt, "/bare", "one listener, nothing kept")
        runners = [
            baseline,
            Runner("bare Bolt, as it comes", default, "/bare", "looks for the acknowledgement every 10 ms"),
            *(Runner(f"Grantdesk {one.name}", desk, one.text, one.cost, one.user) for one in COMMANDS),
        ]
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:
            adding = Runner("", desk, '/store add "Store {n}" US 2026-01-31', "")
            for number in range(STORES):
                await adding.ask(session, -1 - number)
            await measure(runners, session, seconds)
    sys.stdout.write(report(runners, baseline) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long to measure")
    parser.add_argument("--serve", choices=ROLES, help=argparse.SUPPRESS)
    parser.add_argument("--sandbox", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(ROLES[given.serve](given.sandbox))
    else:
        asyncio.run(run(given.seconds))


if __name__ == "__main__":
    main()
