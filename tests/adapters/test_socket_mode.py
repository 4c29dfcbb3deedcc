"""Socket Mode against a real WebSocket: the same reception as HTTP, two connections, and back again when one breaks."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.bolt import make_bolt
from bot.adapters.slack.reception import Reception
from bot.adapters.slack.session import SlackApi, open_session
from bot.adapters.slack.socket_mode import SocketMode, acknowledgement
from tests.adapters.loopback import HandClock, until
from tests.adapters.slack_stand_in import SeenDeliveries


class SocketSlack:
    """apps.connections.open, and the sockets behind it."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.acks: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.opened = 0
        self.tokens: set[str] = set()
        self.refusals: list[dict[str, Any]] = []
        self.url = ""

    async def open(self, request: web.Request) -> web.Response:
        self.tokens.add(request.headers["Authorization"])
        if self.refusals:
            return web.json_response(self.refusals.pop(0))
        return web.json_response({"ok": True, "url": f"{self.url.replace('http', 'ws')}/link?ticket=secret"})

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.opened += 1
        self.sockets.append(socket)
        await socket.send_json({"type": "hello"})
        async for message in socket:
            self.acks.put_nowait(json.loads(message.data))
        self.sockets.remove(socket)
        return socket

    async def deliver(self, envelope_id: str, payload: dict[str, Any], *, by: int = 0, **more: Any) -> None:
        envelope = {"type": "slash_commands", "envelope_id": envelope_id, "payload": payload} | more
        await self.sockets[by].send_json(envelope)

    async def acknowledged(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            return await self.acks.get()


class Case:
    def __init__(self, slack: SocketSlack, session: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.handled: list[str] = []
        self.answer: dict[str, Any] | str | None = None
        self.fail = 0

        async def authorize(team_id: str | None) -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=None, team_id=team_id, bot_token="xoxb-1")

        bolt = make_bolt(client=AsyncWebClient(), authorize=authorize)

        @bolt.error
        async def error() -> None:
            """Quiet."""

        async def work(ack: Any, body: dict[str, Any]) -> None:
            self.handled.append(body["text"])
            if self.fail:
                self.fail -= 1
                raise RuntimeError
            await (ack() if self.answer is None else ack(self.answer))

        bolt.command("/store")(work)
        reception = Reception(bolt, SeenDeliveries(), clock=HandClock())
        self.waits: list[float] = []
        api = SlackApi(session, f"{slack.url}/api/")
        self.socket_mode = SocketMode(reception, api=api, app_token="xapp-1", pause=self.pause)

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0.01)

    async def until(self, connected: int) -> None:
        await until(lambda: self.socket_mode.connected == len(self.slack.sockets) == connected)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    slack = SocketSlack()
    app = web.Application()
    app.router.add_post("/api/apps.connections.open", slack.open)
    app.router.add_get("/link", slack.link)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with open_session() as session:
        case = Case(slack, session)
        yield case
        await case.socket_mode.stop()
    await runner.cleanup()


def command(text: str, trigger: str) -> dict[str, Any]:
    return {"command": "/store", "text": text, "trigger_id": trigger, "team_id": "T1", "user_id": "U1"}


async def test_two_connections_stand_and_both_are_listened_to(case: Case) -> None:
    case.socket_mode.start()
    await case.until(2)
    assert case.slack.tokens == {"Bearer xapp-1"}
    for number in range(2):
        await case.slack.deliver(f"env{number}", command("list", f"t{number}"), by=number)
        assert await case.slack.acknowledged() == {"envelope_id": f"env{number}"}
    assert case.handled == ["list", "list"]


async def test_answers_travel_with_the_acknowledgement(case: Case) -> None:
    case.socket_mode.start()
    await case.until(2)
    case.answer = {"text": "two stores"}
    await case.slack.deliver("env1", command("list", "t1"))
    assert await case.slack.acknowledged() == {"envelope_id": "env1", "payload": {"text": "two stores"}}
    case.answer = "just words"
    await case.slack.deliver("env2", command("list", "t2"))
    assert await case.slack.acknowledged() == {"envelope_id": "env2", "payload": {"text": "just words"}}


async def test_the_same_delivery_on_the_other_socket_is_acknowledged_and_dropped(case: Case) -> None:
    case.socket_mode.start()
    await case.until(2)
    await case.slack.deliver("env1", command("list", "t1"))
    await case.slack.acknowledged()
    await case.slack.deliver("env2", command("list", "t1"), by=1, retry_attempt=1, retry_reason="timeout")
    assert await case.slack.acknowledged() == {"envelope_id": "env2"}
    assert case.handled == ["list"]


async def test_a_failure_is_not_acknowledged_so_that_slack_repeats_it(case: Case) -> None:
    case.socket_mode.start()
    await case.until(2)
    case.fail = 1
    await case.slack.deliver("env1", command("list", "t1"))
    await asyncio.sleep(0.05)
    assert case.slack.acks.empty()
    await case.slack.deliver("env2", command("list", "t1"))
    assert await case.slack.acknowledged() == {"envelope_id": "env2"}


async def test_slack_asking_for_another_connection_gets_one_at_once(case: Case) -> None:
    case.socket_mode.start()
    await case.until(2)
    await case.slack.sockets[0].send_json({"type": "disconnect", "reason": "refresh_requested"})
    await until(lambda: case.slack.opened == 3)
    await case.until(2)
    assert case.waits == []


async def test_a_broken_connection_is_made_anew(case: Case) -> None:
    case.socket_mode.start()
    await case.until(2)
    await case.slack.sockets[0].close()
    await until(lambda: case.slack.opened == 3)
    await case.until(2)
    assert case.waits == [0.1]


async def test_refusals_are_waited_out(case: Case) -> None:
    case.slack.refusals = [{"ok": False, "error": "invalid_auth"}, {"ok": False, "error": "ratelimited"}]
    case.socket_mode.start()
    await case.until(2)
    assert sorted(case.waits) == [30.0, 60.0]


async def test_nonsense_on_the_socket_is_passed_over(case: Case) -> None:
    case.socket_mode.start()
    await case.until(2)
    for nonsense in ("{", "[]", '{"envelope_id": 7}', '{"envelope_id": "e", "payload": []}'):
        await case.slack.sockets[0].send_str(nonsense)
    await case.slack.deliver("env1", command("list", "t1"))
    assert await case.slack.acknowledged() == {"envelope_id": "env1"}


async def test_stopping_hangs_up(case: Case) -> None:
    case.socket_mode.start()
    await case.until(2)
    await case.socket_mode.stop()
    await case.until(0)


def test_only_a_success_is_acknowledged() -> None:
    assert acknowledgement("e", BoltResponse(status=500)) is None
    assert acknowledgement("e", BoltResponse(status=404, body="x")) is None
    assert acknowledgement("e", BoltResponse(status=200)) == {"envelope_id": "e"}
