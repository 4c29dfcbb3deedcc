"""A Bolt app behind the ingress, on loopback, for the tests of both."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.routing import Route

from bot.adapters.slack.bolt import make_bolt
from bot.adapters.slack.reception import Reception
from bot.web.ingress import SlackIngress
from tests.adapters.loopback import HandClock, serving
from tests.adapters.slack_stand_in import SeenDeliveries

NEW, OLD = "new-secret", "old-secret"


def sign(body: bytes, at: int | str, secret: str = NEW) -> dict[str, str]:
    base = f"v0:{at}:".encode() + body
    signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": str(at), "x-slack-signature": signature}


FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


class Case:
    """A bot with one command, one button, one view and one event, behind the ingress."""

    def __init__(self, *, body_seconds: float = 30.0) -> None:
        self.clock = HandClock()
        self.seen = SeenDeliveries()
        self.handled: list[str] = []
        self.acks: list[str] = []
        self.fail = 0
        #: cleared, the bot's work waits for it
        self.hold = asyncio.Event()
        self.hold.set()
        #: set once work has begun
        self.working = asyncio.Event()
        self.answer: dict[str, Any] | None = None
        self.http: httpx.AsyncClient
        self.url = ""
        self.bolt = self._bolt()
        reception = Reception(
            self.bolt, self.seen, clock=self.clock, observe=lambda kind, _seconds: self.acks.append(kind)
        )
        self.ingress = SlackIngress(reception, secrets=(NEW, OLD), clock=self.clock, body_seconds=body_seconds)
        self.app = Starlette(routes=[Route("/slack/events", self.ingress)])

    def _bolt(self) -> AsyncApp:
        async def authorize(team_id: str | None) -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None, team_id=team_id, bot_token="xoxb-1", bot_id="B1", bot_user_id="U0"
            )

        bolt = make_bolt(client=AsyncWebClient(), authorize=authorize)

        @bolt.error
        async def error() -> None:
            """The house's own handler: quiet here."""

        async def work(ack: Any, body: dict[str, Any]) -> None:
            self.handled.append(str(body.get("command") or body.get("type")))
            self.working.set()
            await self.hold.wait()
            if self.fail:
                self.fail -= 1
                raise RuntimeError("Acme's secret plan")
            if self.answer is None:
                await ack()
            else:
                await ack(self.answer)

        bolt.command("/store")(work)
        bolt.action("press")(work)
        bolt.view("form")(work)
        bolt.event("app_home_opened")(work)
        return bolt

    async def send(
        self,
        body: bytes,
        headers: dict[str, str] = FORM,
        *,
        secret: str = NEW,
        later: int = 0,
    ) -> httpx.Response:
        at = int(self.clock().timestamp()) + later
        return await self.http.post(f"{self.url}/slack/events", content=body, headers=headers | sign(body, at, secret))

    async def command(self, trigger: str = "t1", *, later: int = 0) -> httpx.Response:
        form = {"command": "/store", "text": "list", "trigger_id": trigger, "team_id": "T1", "user_id": "U1"}
        return await self.send(urlencode(form).encode(), later=later)

    async def event(self, event_id: str = "Ev1", *, later: int = 0) -> httpx.Response:
        body = {
            "type": "event_callback",
            "event_id": event_id,
            "team_id": "T1",
            "event": {"type": "app_home_opened", "user": "U1", "tab": "home"},
        }
        return await self.send(json.dumps(body).encode(), JSON, later=later)

    async def payload(self, body: dict[str, Any], *, later: int = 0) -> httpx.Response:
        body = {"team": {"id": "T1"}, "user": {"id": "U1"}} | body
        return await self.send(urlencode({"payload": json.dumps(body)}).encode(), later=later)

    async def submit(self, trigger: str, *, later: int = 0) -> httpx.Response:
        view = {"id": "V1", "hash": "h1", "type": "modal", "callback_id": "form", "state": {"values": {}}}
        return await self.payload({"type": "view_submission", "trigger_id": trigger, "view": view}, later=later)


@asynccontextmanager
async def running(*, body_seconds: float = 30.0) -> AsyncIterator[Case]:
    case = Case(body_seconds=body_seconds)
    async with serving(case.app) as url, httpx.AsyncClient(trust_env=False) as http:
        case.url, case.http = url, http
        yield case
