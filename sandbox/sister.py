"""A local sister system: takes the bot's signed events, keeps what it received, and sends signed events of its own.

It knows a store by the events it was told of it, as a real one would. Control, JSON only, below /control/sister:
`GET events` shows what it received, `POST say` sends an event about such a store, `POST send` sends exactly what it is given,
`POST switches` makes it answer badly or slowly. Nothing here is shared with the bot: it signs and verifies by the
specification itself (https://www.standardwebhooks.com).
"""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

Json = dict[str, Any]

PATH = "/sister/events"
#: public by design: nothing real is behind it
SECRET = "whsec_" + base64.b64encode(b"the sandbox's sister system").decode()
_TOLERANCE = 300


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Standard Webhooks, version 1: HMAC-SHA256 over the id, the time in seconds and the raw body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


@dataclass(frozen=True, slots=True)
class Received:
    """One request at the sister system's door."""

    message_id: str
    verified: bool
    #: how it was answered
    status: int
    event: Json = field(default_factory=dict)


class SisterSystem:
    """One sister system, talking to the bot at `bot_url`."""

    def __init__(self, bot_url: str, now: Callable[[], float], *, secret: str = SECRET) -> None:
        self.received: list[Received] = []
        #: answers this instead of 204 while it is set
        self.status = 0
        #: answers so many seconds late
        self.delay = 0.0
        self._bot_url = bot_url.rstrip("/")
        self._now = now
        self._secret = secret
        self._count = itertools.count(1)

    def routes(self) -> list[BaseRoute]:
        return [
            Route(PATH, self._take, methods=["POST"]),
            Route("/control/sister/events", self._show),
            Route("/control/sister/say", self._say, methods=["POST"]),
            Route("/control/sister/send", self._send, methods=["POST"]),
            Route("/control/sister/switches", self._switch, methods=["POST"]),
        ]

    # --- what the bot sends ------------------------------------------------------------------------------------------

    async def _take(self, request: Request) -> Response:
        body, ordered = await request.body(), self.status
        await asyncio.sleep(self.delay)
        message_id = request.headers.get("webhook-id", "")
        verified = self._is_signed(request, message_id, body)
        status = ordered or (HTTPStatus.NO_CONTENT if verified else HTTPStatus.UNAUTHORIZED)
        self.received.append(Received(message_id, verified, int(status), json.loads(body) if verified else {}))
        return Response(status_code=status)

    def _is_signed(self, request: Request, message_id: str, body: bytes) -> bool:
        timestamp = request.headers.get("webhook-timestamp", "")
        if not message_id or not timestamp.isdigit() or abs(self._now() - int(timestamp)) > _TOLERANCE:
            return False
        expected = signature(self._secret, message_id, timestamp, body)
        return any(
            hmac.compare_digest(expected.encode(), one.encode())
            for one in request.headers.get("webhook-signature", "").split()
        )

    async def _show(self, request: Request) -> Response:
        store = request.query_params.get("store", "")
        found = [one for one in self.received if not store or self._is_about(one, store)]
        return JSONResponse({"events": [asdict(one) for one in found]})

    @staticmethod
    def _is_about(received: Received, store_id: str) -> bool:
        return bool(received.event.get("data", {}).get("store", {}).get("id") == store_id)

    # --- what it sends -----------------------------------------------------------------------------------------------

    async def _say(self, request: Request) -> Response:
        """`{"type": "store.disabled", "store": "<id>"}`, for a grant with `"grant": {"feature": "listing", …}`."""
        try:
            body = json.loads(await request.body())
            known = next(one for one in reversed(self.received) if self._is_about(one, body["store"]))
            data = {**known.event["data"], **({"grant": body["grant"]} if "grant" in body else {})}
            if "grant" not in body:
                data.pop("grant", None)
            event = {"type": body["type"], "timestamp": body.get("timestamp") or self._moment(), "data": data}
        except StopIteration:
            return _wrong("that store was never mirrored here")
        except (KeyError, TypeError, ValueError):
            return _wrong("send type and store, and grant for a grant")
        return await self.sends(json.dumps(event, ensure_ascii=False).encode(), message_id=body.get("id", ""))

    async def _send(self, request: Request) -> Response:
        """`{"body": "…", "id": "…", "late": seconds, "secret": "whsec_…"}`: all but the body may be missing."""
        try:
            given = json.loads(await request.body())
            return await self.sends(
                given["body"].encode(),
                message_id=str(given.get("id", "")),
                late=float(given.get("late", 0)),
                secret=str(given.get("secret", "")),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return _wrong("send a body, as text")

    async def sends(self, body: bytes, *, message_id: str = "", late: float = 0, secret: str = "") -> Response:
        """Signs and sends; answers with what the bot answered."""
        message_id = message_id or f"sister-{next(self._count)}-{int(self._now())}"
        timestamp = str(int(self._now() - late))
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(secret or self._secret, message_id, timestamp, body),
        }
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            try:
                answer = await http.post(f"{self._bot_url}/mirror/events", content=body, headers=headers)
            except httpx.HTTPError as error:
                return _wrong(f"the bot cannot be reached: {type(error).__name__}", HTTPStatus.BAD_GATEWAY)
        return JSONResponse({"id": message_id, "status": answer.status_code, "answer": answer.text})

    async def _switch(self, request: Request) -> Response:
        """`{"status": 503, "delay": seconds}`; 0 is as it should be."""
        try:
            given = json.loads(await request.body())
            self.status, self.delay = int(given.get("status", 0)), float(given.get("delay", 0))
        except (AttributeError, TypeError, ValueError):
            return _wrong("status and delay are numbers")
        return JSONResponse({"status": self.status, "delay": self.delay})

    def _moment(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).isoformat()


def _wrong(why: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Response:
    return JSONResponse({"error": why}, status)
