"""Hands things to the bot as Slack does: signed, with three seconds to acknowledge, events again if need be.

The signature carries the wall clock, not the sandbox's: the bot compares it with its own.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

import aiohttp

from sandbox.slack import payloads
from sandbox.slack.journal import Delivery, Journal
from sandbox.slack.settings import SlackSettings
from sandbox.slack.signing import signed_headers
from sandbox.slack.world import World

Json = dict[str, Any]

FORM = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
OK = 200
#: What Slack calls the ways an app can fail to acknowledge.
TIMEOUT, REFUSED, UNREACHABLE = "http_timeout", "http_error", "connection_failed"


class Courier:
    """One outbound session; remembers its background work so that closing leaves nothing behind."""

    def __init__(
        self,
        settings: SlackSettings,
        world: World,
        journal: Journal,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.world = world
        self.journal = journal
        self.wall = wall
        self.bot_url = settings.bot_url
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting = 0

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def busy(self) -> int:
        """How many background deliveries are on their way; those that wait to be sent again do not count."""
        return len(self._tasks) - self._waiting

    # ------------------------------------------------------------------ the four kinds of body

    async def command(self, fields: Json, who: str) -> Delivery:
        summary = f"{fields['command']} {fields['text']}".strip()
        return await self.send(
            Delivery(
                kind="command",
                summary=summary,
                who=who,
                body=fields,
                raw=urlencode(fields).encode(),
                content_type=FORM,
            )
        )

    async def interaction(self, payload: Json, who: str, summary: str) -> Delivery:
        return await self.send(
            Delivery(
                kind=str(payload["type"]),
                summary=summary,
                who=who,
                body=payload,
                raw=urlencode({"payload": json.dumps(payload, ensure_ascii=False)}).encode(),
                content_type=FORM,
            )
        )

    async def event(self, event: Json, who: str) -> Delivery:
        """The first attempt; further ones follow in the background if it is not acknowledged."""
        event_id = self.world.identifier("Ev")
        body = payloads.event_callback(event, event_id=event_id, at=self.world.now())
        delivery = await self.send(
            Delivery(
                kind="event",
                summary=":".join(str(event[key]) for key in ("type", "subtype") if key in event),
                who=who,
                body=body,
                raw=json.dumps(body, ensure_ascii=False).encode(),
                content_type=JSON_TYPE,
            )
        )
        if not delivery.ok and not delivery.no_retry:
            self.later(self._again(delivery))
        return delivery

    async def url_verification(self, challenge: str) -> Delivery:
        body = {
            "token": payloads.LEGACY_TOKEN,
            "challenge": challenge,
            "type": "url_verification",
        }
        delivery = await self.send(
            Delivery(
                kind="url_verification",
                summary=challenge,
                who="Slack",
                body=body,
                raw=json.dumps(body).encode(),
                content_type=JSON_TYPE,
            )
        )
        if challenge not in delivery.answer:
            delivery.problems.append("the answer does not repeat the challenge")
        return delivery

    def announce(self, event: Json, who: str) -> None:
        """An event that nobody waits for."""
        self.later(self.event(event, who))

    def later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _again(self, first: Delivery) -> None:
        failed = first
        for number, delay in enumerate(self.settings.retry_delays, start=1):
            self._waiting += 1
            try:
                await asyncio.sleep(delay)
            finally:
                self._waiting -= 1
            headers = {
                "X-Slack-Retry-Num": str(number),
                "X-Slack-Retry-Reason": failed.failure.partition(":")[0],
            }
            failed = await self.repeat(first, headers, attempt=number + 1)
            if failed.ok or failed.no_retry:
                return

    # ------------------------------------------------------------------ the wire

    async def repeat(
        self, delivery: Delivery, headers: Mapping[str, str] | None = None, *, attempt: int = 1
    ) -> Delivery:
        """The same bytes again, signed anew."""
        return await self.send(
            Delivery(
                kind=delivery.kind,
                summary=delivery.summary,
                who=delivery.who,
                body=delivery.body,
                raw=delivery.raw,
                content_type=delivery.content_type,
                attempt=attempt,
            ),
            headers,
        )

    async def send(self, delivery: Delivery, headers: Mapping[str, str] | None = None) -> Delivery:
        """One attempt, measured and written down. `headers` may override even the signature."""
        delivery.at = self.world.now()
        sent = {
            "Content-Type": delivery.content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Accept": "*/*",
            **signed_headers(self.settings.signing_secret, self.wall(), delivery.raw),
            **(headers or {}),
        }
        limit = aiohttp.ClientTimeout(total=self.settings.ack_limit)
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        started = perf_counter()
        try:
            async with self._session.post(
                self.bot_url + self.settings.events_path,
                data=delivery.raw,
                headers=sent,
                timeout=limit,
                allow_redirects=False,
            ) as response:
                delivery.answer = await response.text()
                delivery.status = response.status
                delivery.no_retry = response.headers.get("X-Slack-No-Retry") == "1"
                delivery.ok = response.status == OK
                if not delivery.ok:
                    delivery.failure = f"{REFUSED}: answered {response.status}"
        except TimeoutError:
            delivery.failure = f"{TIMEOUT}: no acknowledgement within {self.settings.ack_limit:g} s"
        except aiohttp.ClientError as error:
            delivery.failure = f"{UNREACHABLE}: {type(error).__name__}"
        delivery.ack_ms = round((perf_counter() - started) * 1000, 2)
        return self.journal.delivered(delivery)
