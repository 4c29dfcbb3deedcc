"""Calls to Slack's Web API over one shared HTTP session. Knows transport and Slack's ways of refusing; no messages.

slack_sdk's own client opens TLS anew for every call unless it is given a session, ignores NO_PROXY, and takes
`200 {"error": "ratelimited"}` for a refusal like any other; hence these few lines.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

#: Slack names no pause when it limits without the header
DEFAULT_RETRY_AFTER = timedelta(seconds=30)
LONGEST_RETRY_AFTER = timedelta(hours=1)
_CALL_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3, sock_read=8)

_TOO_MANY = 429
_SERVER_ERROR = 500

#: words of Slack's that mean "not now": https://docs.slack.dev/reference/methods (errors common to all methods)
PASSING = frozenset(
    {
        "fatal_error",
        "internal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "org_login_required",
        "rollup_error",
        "external_channel_migrating",
        "message_limit_exceeded",
    }
)


class SlackRefused(Exception):
    """Slack understood and said no; `error` is its word for it."""

    def __init__(self, method: str, error: str) -> None:
        self.method = method
        self.error = error
        super().__init__(f"{method}: {error}")


class SlackBusy(Exception):
    """Slack asked to be left alone for `retry_after`."""

    def __init__(self, method: str, retry_after: timedelta) -> None:
        self.method = method
        self.retry_after = retry_after
        super().__init__(f"{method}: rate limited")


class SlackUnreachable(Exception):
    """No usable answer: a time-out, a broken connection, an error page. The call may or may not have had its effect."""

    def __init__(self, method: str, why: str) -> None:
        self.method = method
        self.why = why
        super().__init__(f"{method}: {why}")


#: told of every call: the method and its outcome ("ok", Slack's word, "rate_limited", "unreachable")
CallObserver = Callable[[str, str], None]


def _nobody(method: str, outcome: str) -> None:
    """The observer when there is none."""


def read_answer(method: str, status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Slack's answer as a dict. Raises SlackBusy, SlackUnreachable or SlackRefused."""
    if status == _TOO_MANY:
        raise SlackBusy(method, _retry_after(headers))
    try:
        answer = json.loads(body)
    except ValueError:
        raise SlackUnreachable(method, f"status {status}, not JSON") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
        raise SlackUnreachable(method, f"status {status}, not Slack's")
    if answer["ok"]:
        return answer
    error = str(answer.get("error") or "unknown_error")
    if error in ("ratelimited", "rate_limited"):
        raise SlackBusy(method, _retry_after(headers))
    if status >= _SERVER_ERROR or error in PASSING:
        raise SlackUnreachable(method, error)
    raise SlackRefused(method, error)


def _retry_after(headers: Mapping[str, str]) -> timedelta:
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        seconds = float(given)
    except ValueError:
        return DEFAULT_RETRY_AFTER
    if not math.isfinite(seconds) or seconds < 0:
        return DEFAULT_RETRY_AFTER
    return min(timedelta(seconds=max(seconds, 1.0)), LONGEST_RETRY_AFTER)


def open_session() -> aiohttp.ClientSession:
    """The one session for all of Slack. Must be made inside the running loop, and closed at the end."""
    return aiohttp.ClientSession(
        timeout=_CALL_TIMEOUT,
        connector=aiohttp.TCPConnector(limit=64, keepalive_timeout=30, ttl_dns_cache=300),
        trust_env=True,  # proxies, with NO_PROXY
    )


def web_client(session: aiohttp.ClientSession, *, api_url: str) -> AsyncWebClient:
    """slack_sdk's client for Bolt, on the shared session (whose time-out counts: the client's own would be ignored)."""
    return AsyncWebClient(base_url=api_url, session=session, retry_handlers=[])


@dataclass(slots=True)
class SlackApi:
    """Posts one call and reads its answer."""

    session: aiohttp.ClientSession
    api_url: str = "https://slack.com/api/"
    observe: CallObserver = field(default=_nobody, repr=False)

    async def call(
        self, method: str, *, token: str = "", within: float | None = None, **arguments: Any
    ) -> dict[str, Any]:
        """With JSON and a bearer token. Raises SlackBusy, SlackUnreachable or SlackRefused."""
        given = {name: value for name, value in arguments.items() if value is not None}
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
        return await self._send(method, within, headers=headers, data=json.dumps(given).encode())

    async def call_form(
        self,
        method: str,
        *,
        token: str = "",
        auth: tuple[str, str] | None = None,
        within: float | None = None,
        **arguments: str,
    ) -> dict[str, Any]:
        """With a form: methods such as users.info and oauth.v2.access read no JSON."""
        authorization = aiohttp.encode_basic_auth(*auth) if auth else f"Bearer {token}"
        return await self._send(method, within, headers={"Authorization": authorization}, data=arguments)

    async def _send(self, method: str, within: float | None, **request: Any) -> dict[str, Any]:
        timeout = _CALL_TIMEOUT if within is None else aiohttp.ClientTimeout(total=within)
        try:
            async with self.session.post(
                self.api_url + method, timeout=timeout, allow_redirects=False, **request
            ) as response:
                status, headers, body = response.status, response.headers, await response.read()
            answer = read_answer(method, status, headers, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.observe(method, "unreachable")
            raise SlackUnreachable(method, type(error).__name__) from None
        except SlackUnreachable:
            self.observe(method, "unreachable")
            raise
        except SlackBusy:
            self.observe(method, "rate_limited")
            raise
        except SlackRefused as refused:
            self.observe(method, refused.error)
            raise
        self.observe(method, "ok")
        return answer


@dataclass(slots=True)
class Bucket:
    """Tokens of one (workspace, method): `rate` a second, at most `burst` at once."""

    rate: float
    burst: float
    tokens: float
    at: float

    def wait_for_one(self, now: float) -> float:
        """Takes a token, on credit if need be; how many seconds to wait until it is really there."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        self.tokens -= 1
        return max(0.0, -self.tokens / self.rate)


#: (calls a second, burst). Tier 3 is 50 a minute; chat.postMessage has a limit of its own: one a second and channel, several
#: hundred a minute and workspace: https://docs.slack.dev/apis/web-api/rate-limits
PACES: Mapping[str, tuple[float, float]] = {
    "chat.postMessage": (4.0, 20.0),
    "chat.postMessage per channel": (1.0, 4.0),
    "chat.update": (50 / 60, 20.0),
}


class Pace:
    """Keeps calls under Slack's limits, by waiting before a call instead of being refused after it."""

    def __init__(
        self,
        paces: Mapping[str, tuple[float, float]] = PACES,
        *,
        now: Callable[[], float] = time.monotonic,
        most: int = 10_000,
    ) -> None:
        self._paces = paces
        self._now = now
        self._most = most
        self._buckets: dict[tuple[str, ...], Bucket] = {}

    async def wait(self, method: str, *key: str) -> float:
        """Returns when the call may be made; how long that took. Nobody else waits for this waiting."""
        pace = self._paces.get(method)
        if pace is None:
            return 0.0
        now = self._now()
        bucket = self._buckets.get((method, *key))
        if bucket is None:
            if len(self._buckets) >= self._most:
                self._forget_the_full(now)
            bucket = self._buckets[method, *key] = Bucket(rate=pace[0], burst=pace[1], tokens=pace[1], at=now)
        seconds = bucket.wait_for_one(now)
        if seconds:
            await asyncio.sleep(seconds)
        return seconds

    def _forget_the_full(self, now: float) -> None:
        """A bucket that has filled up again says nothing any more."""
        full = [key for key, b in self._buckets.items() if b.tokens + (now - b.at) * b.rate >= b.burst]
        for key in full or list(self._buckets)[: self._most // 2]:
            del self._buckets[key]
