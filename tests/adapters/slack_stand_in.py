"""A Slack that answers as it was told to, over HTTP, and keeps every call; and the ports that delivery needs, in memory."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.ports import CardAddress, Installation, Person, Sighting

Json = dict[str, Any]


class SlackStandIn:
    def __init__(self) -> None:
        self.calls: list[tuple[str, Json]] = []
        self.tokens: list[str] = []
        self.queued: dict[str, list[Response | Json | Callable[[], Response]]] = {}
        self.usual: dict[str, Json] = {}
        self.seconds = 0.0
        self._ts = 0

    def next(self, method: str, *answers: Response | Json) -> None:
        """What the next calls of a method are answered with."""
        self.queued.setdefault(method, []).extend(answers)

    def refuse(self, method: str, error: str) -> None:
        self.next(method, {"ok": False, "error": error})

    def called(self, method: str) -> list[Json]:
        return [arguments for name, arguments in self.calls if name == method]

    async def handle(self, request: Request) -> Response:
        await asyncio.sleep(self.seconds)
        method = request.path_params["method"]
        if request.headers.get("content-type", "").startswith("application/json"):
            arguments = json.loads(await request.body())
        else:
            arguments = dict(await request.form())
        self.calls.append((method, arguments))
        self.tokens.append(request.headers.get("authorization", ""))
        if self.queued.get(method):
            answer = self.queued[method].pop(0)
            if isinstance(answer, Response):
                return answer
            return JSONResponse(answer) if isinstance(answer, dict) else answer()
        if method in self.usual:
            return JSONResponse({"ok": True} | self.usual[method])
        self._ts += 1
        channel = str(arguments.get("channel", ""))
        home = f"D{channel[1:]}" if channel.startswith("U") else channel
        return JSONResponse({"ok": True, "channel": home, "ts": str(arguments.get("ts", f"{self._ts}.0"))})

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/api/{method}", self.handle, methods=["POST"])])


class SeenDeliveries:
    """The Deliveries port."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        #: until when
        self.held: dict[str, datetime] = {}
        self.broken = False

    async def take(self, key: str, *, now: datetime, hold: timedelta | None = None) -> Sighting:
        if self.broken:
            raise ConnectionError("database is away")
        if key in self.keys and not (key in self.held and self.held[key] <= now):
            return Sighting.IN_HAND if key in self.held else Sighting.HANDLED
        self.keys.add(key)
        if hold is not None:
            self.held[key] = now + hold
        return Sighting.FIRST

    async def finish(self, key: str) -> None:
        self.held.pop(key, None)

    async def forget(self, key: str) -> None:
        self.keys.discard(key)
        self.held.pop(key, None)


class KnownTokens:
    def __init__(self) -> None:
        self.tokens = {"T1": "xoxb-one"}
        self.forgotten: list[str] = []

    async def token(self, team_id: str) -> str | None:
        return self.tokens.get(team_id)

    def forget(self, team_id: str) -> None:
        self.forgotten.append(team_id)


class MemoryCards:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], CardAddress] = {}

    async def get(self, team_id: str, recipient: str, subject: str) -> CardAddress | None:
        return self.kept.get((team_id, recipient, subject))

    async def put(self, team_id: str, recipient: str, subject: str, address: CardAddress) -> None:
        self.kept[team_id, recipient, subject] = address

    async def forget(self, team_id: str, recipient: str, subject: str) -> None:
        self.kept.pop((team_id, recipient, subject), None)


class MemoryPeople:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get(self, team_id: str, user_id: str) -> Person:
        self.asked.append(user_id)
        return Person(team_id, user_id, "zh-TW", "Asia/Taipei")


class MemoryInstallations:
    def __init__(self) -> None:
        self.rows: dict[str, Installation] = {}
        self.states: dict[str, datetime] = {}
        self.reads = 0

    async def get(self, team_id: str) -> Installation | None:
        self.reads += 1
        return self.rows.get(team_id)

    async def put(self, installation: Installation) -> None:
        self.rows[installation.team_id] = installation

    async def remove(self, team_id: str, *, said_at: datetime | None = None) -> bool:
        row = self.rows.get(team_id)
        if row is not None and said_at is not None and said_at < row.installed_at.replace(microsecond=0):
            return False
        self.rows.pop(team_id, None)
        return True

    async def mint_state(self, state_hash: str, *, expires_at: datetime) -> None:
        self.states[state_hash] = expires_at

    async def consume_state(self, state_hash: str, *, now: datetime) -> bool:
        expires_at = self.states.pop(state_hash, None)
        return expires_at is not None and now < expires_at
