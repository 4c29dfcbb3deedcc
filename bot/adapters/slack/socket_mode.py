"""Slack's deliveries over a socket (SLACK_APP_TOKEN) instead of HTTP, into the same reception.

Two connections, because Slack closes each of them now and then and a new one takes a moment; Slack sends a delivery to one
of them, and the same one twice is dropped by its key. slack_sdk's client closes the old socket before it opens the new one,
and keeps a session of its own without time-outs; hence these lines on the shared session.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import structlog
from slack_bolt.response import BoltResponse

from bot.adapters.slack.reception import Reception
from bot.adapters.slack.session import SlackApi, SlackBusy, SlackRefused, SlackUnreachable

log = structlog.get_logger()

CONNECTIONS = 2
_HEARTBEAT = 10.0
_LARGEST_MESSAGE = 1024 * 1024
_LONGEST_WAIT = 60.0
#: a connection that ends sooner than that, unannounced, was a failure
_STABLE = 5.0
_SHUTDOWN = 10.0
_OK = 200


class SocketMode:
    """Keeps the connections up from `start()` to `stop()`."""

    def __init__(
        self,
        reception: Reception,
        *,
        api: SlackApi,
        app_token: str,
        connections: int = CONNECTIONS,
        pause: Callable[[float], Any] = asyncio.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timer = timer
        self._reception = reception
        self._api = api
        self._app_token = app_token
        self._connections = connections
        self._pause = pause
        self._loops: list[asyncio.Task[None]] = []
        self._handling: set[asyncio.Task[None]] = set()
        self._open = 0

    @property
    def connected(self) -> int:
        """How many connections stand."""
        return self._open

    def start(self) -> None:
        self._loops = [
            asyncio.create_task(self._keep(number), name=f"socket mode {number}") for number in range(self._connections)
        ]

    async def stop(self) -> None:
        """Finishes what was delivered, then hangs up."""
        if self._handling:
            await asyncio.wait(set(self._handling), timeout=_SHUTDOWN)
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)

    async def _keep(self, number: int) -> None:
        failures = 0
        while True:
            try:
                began = self._timer()
                announced = await self._connect_once(number)
                if announced or self._timer() - began > _STABLE:
                    failures = 0
                    continue
                wait = min(0.1 * 2.0 ** min(failures, 10), _LONGEST_WAIT)
            except SlackBusy as busy:
                wait = busy.retry_after.total_seconds()
            except SlackRefused as refused:
                log.error("socket.refused", error=refused.error, action="check SLACK_APP_TOKEN")  # noqa: TRY400
                wait = _LONGEST_WAIT
            except (SlackUnreachable, aiohttp.ClientError, OSError, TimeoutError) as error:
                wait = min(0.1 * 2.0 ** min(failures, 10), _LONGEST_WAIT)
                log.info("socket.lost", number=number, error=type(error).__name__)
            except Exception:
                wait = min(2.0 ** min(failures, 6), _LONGEST_WAIT)
                log.exception("socket.crashed", number=number)
            failures += 1
            await self._pause(wait)

    async def _connect_once(self, number: int) -> bool:
        """One connection from its opening to its end; True when Slack announced the end."""
        answer = await self._api.call_form("apps.connections.open", token=self._app_token)
        async with self._api.session.ws_connect(
            str(answer["url"]), heartbeat=_HEARTBEAT, max_msg_size=_LARGEST_MESSAGE
        ) as socket:
            self._open += 1
            try:
                log.info("socket.open", number=number)
                return await self._listen(socket)
            finally:
                self._open -= 1

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> bool:
        """True when Slack announced the end of the connection; False when it simply ended."""
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            envelope = _read(message.data)
            if envelope.get("type") == "disconnect":
                await self._settled()
                return True
            if isinstance(envelope.get("envelope_id"), str) and isinstance(envelope.get("payload"), dict):
                task = asyncio.create_task(self._handle(socket, envelope))
                self._handling.add(task)
                task.add_done_callback(self._handling.discard)
        return False

    async def _settled(self) -> None:
        """What is being handled is acknowledged on the socket that it came by."""
        if self._handling:
            await asyncio.wait(set(self._handling), timeout=3.0)

    async def _handle(self, socket: aiohttp.ClientWebSocketResponse, envelope: dict[str, Any]) -> None:
        headers = {}
        if envelope.get("retry_attempt"):
            headers["x-slack-retry-num"] = str(envelope["retry_attempt"])
            headers["x-slack-retry-reason"] = str(envelope.get("retry_reason", ""))
        response = await self._reception.receive(
            envelope["payload"], headers=headers, otherwise=f"envelope:{envelope['envelope_id']}"
        )
        reply = acknowledgement(envelope["envelope_id"], response)
        if reply is None:
            log.warning("socket.not_acknowledged", status=response.status)
            return  # Slack repeats it
        try:
            await socket.send_str(json.dumps(reply))
        except (aiohttp.ClientError, ConnectionError) as error:
            log.info("socket.ack_lost", error=type(error).__name__)


def acknowledgement(envelope_id: str, response: BoltResponse) -> dict[str, Any] | None:
    """Bolt's answer as the socket wants it; None when there is nothing to acknowledge with."""
    if response.status != _OK:
        return None
    reply: dict[str, Any] = {"envelope_id": envelope_id}
    if response.body:
        content_type = response.first_headers().get("content-type", "")
        is_json = content_type.startswith("application/json")
        reply["payload"] = json.loads(response.body) if is_json else {"text": response.body}
    return reply


def _read(text: str) -> dict[str, Any]:
    try:
        envelope = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return envelope if isinstance(envelope, dict) else {}
