"""`POST /slack/events`: everything from Slack is capped, verified on its raw bytes and parsed once, before anybody looks at it.

Bolt does these things too late or not at all: it parses before it verifies, runs a byte-identical replay twice, and logs the
body of what failed its check.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import structlog
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from bot.adapters.slack.reception import Reception
from bot.ports import Clock

log = structlog.get_logger()

BODY_LIMIT = 1024 * 1024
#: Slack: https://docs.slack.dev/authentication/verifying-requests-from-slack
TIMESTAMP_TOLERANCE = timedelta(minutes=5)
_MOST_FIELDS = 200
_MOST_SIGNATURES = 100_000
_LONGEST_CHALLENGE = 512
_LONGEST_TIMESTAMP = 12


class NotOurs(Exception):
    """The request does not prove that Slack sent it."""


class Unreadable(Exception):
    """Signed, but not a payload."""


class _Refused(Exception):
    """A request that is answered before it has been read to the end."""

    def __init__(self, status: HTTPStatus) -> None:
        self.status = status
        super().__init__(status.phrase)


class _GoneAway(Exception):
    """The sender hung up before the request was complete: there is nobody to answer."""


class SignatureCheck:
    """Slack's v0 signature over the raw body, with any of several secrets; each signature counts once."""

    def __init__(self, secrets: Sequence[str], *, clock: Clock, most: int = _MOST_SIGNATURES) -> None:
        if not secrets or not all(secrets):
            raise ValueError("at least one signing secret is needed, and none may be empty")
        self._secrets = tuple(secret.encode() for secret in secrets)
        self._clock = clock
        self._most = most
        #: signature → when its timestamp stops counting; oldest first
        self._seen: OrderedDict[str, datetime] = OrderedDict()

    def verify(self, body: bytes, *, timestamp: str, signature: str) -> None:
        """Raises NotOurs, also for a signature that was seen before.

        Slack's own retries are signed afresh, so whoever sends the same bytes again is not Slack.
        """
        now = self._clock()
        # isascii: int() also reads digits of other scripts; the length keeps it from reading megabytes of them.
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIMESTAMP):
            raise NotOurs("timestamp is not a number")
        if abs(now.timestamp() - int(timestamp)) > TIMESTAMP_TOLERANCE.total_seconds():
            raise NotOurs("timestamp is not of these five minutes")
        given = signature.encode("utf-8", "replace")
        base = b"v0:" + timestamp.encode() + b":" + body
        matches = False
        for secret in self._secrets:  # all of them, so that the time taken does not tell which one matched
            expected = b"v0=" + hmac.digest(secret, base, hashlib.sha256).hex().encode()
            matches |= hmac.compare_digest(expected, given)
        if not matches:
            raise NotOurs("signature does not match")
        self._forget_old(now)
        if signature in self._seen:
            raise NotOurs("replayed")
        self._seen[signature] = now + 2 * TIMESTAMP_TOLERANCE

    def release(self, signature: str) -> None:
        """The delivery was not handled: a proxy may repeat it."""
        self._seen.pop(signature, None)

    def _forget_old(self, now: datetime) -> None:
        while self._seen:
            signature, until = next(iter(self._seen.items()))
            if until >= now and len(self._seen) < self._most:
                return
            del self._seen[signature]


def read_payload(body: bytes, content_type: str) -> dict[str, Any]:
    """The delivery's payload: JSON, a form, or JSON in a form's `payload`. Raises Unreadable."""
    try:
        if content_type.partition(";")[0].strip().lower() == "application/json" or body.startswith(b"{"):
            payload = json.loads(body)
        else:
            form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
            payload = json.loads(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(payload, dict) or not payload:
        raise Unreadable
    return payload


class SlackIngress:
    """The ASGI endpoint. Mount it with `Route("/slack/events", ingress)`: it answers every method itself."""

    def __init__(
        self,
        reception: Reception,
        *,
        secrets: Sequence[str],
        clock: Clock,
        body_limit: int = BODY_LIMIT,
        body_seconds: float = 5.0,
    ) -> None:
        self._reception = reception
        self._check = SignatureCheck(secrets, clock=clock)
        self._body_limit = body_limit
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        if scope["method"] != "POST":
            # Slack looks at a command's certificate now and then: https://docs.slack.dev/interactivity/implementing-slash-commands
            if scope["method"] == "GET" and b"ssl_check=1" in scope.get("query_string", b"").split(b"&"):
                await _answer(send, HTTPStatus.OK)
            else:
                await _answer(send, HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": "POST"})
            return
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await self._read(headers, receive)
        except _GoneAway:
            return
        except TimeoutError:
            log.info("ingress.slow_body")
            await _answer(send, HTTPStatus.REQUEST_TIMEOUT, headers={"connection": "close"})
            return
        except _Refused as refused:
            log.info("ingress.refused", status=refused.status)
            await _answer(send, refused.status, headers={"connection": "close"})
            return
        await self._handle(headers, body, send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        declared = headers.get("content-length", "")
        if (
            declared.isascii()
            and declared.isdigit()
            and (len(declared) > _LONGEST_TIMESTAMP or int(declared) > self._body_limit)
        ):
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _GoneAway
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._body_limit:
                raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)

    async def _handle(self, headers: Headers, body: bytes, send: Send) -> None:
        signature = headers.get("x-slack-signature", "")
        try:
            self._check.verify(body, timestamp=headers.get("x-slack-request-timestamp", ""), signature=signature)
        except NotOurs as reason:
            log.warning("ingress.not_slack", reason=str(reason))
            await _answer(send, HTTPStatus.UNAUTHORIZED)
            return
        try:
            payload = read_payload(body, headers.get("content-type", ""))
        except Unreadable:
            log.warning("ingress.unreadable", size=len(body))
            await _answer(send, HTTPStatus.BAD_REQUEST)
            return
        if payload.get("ssl_check") == "1":
            await _answer(send, HTTPStatus.OK)
            return
        if payload.get("type") == "url_verification":
            challenge = payload.get("challenge")
            text = challenge[:_LONGEST_CHALLENGE] if isinstance(challenge, str) else ""
            await _answer(
                send, HTTPStatus.OK, text.encode("utf-8", "replace"), {"content-type": "text/plain; charset=utf-8"}
            )
            return
        handled = False
        try:
            response = await self._reception.receive(
                payload, headers=_for_bolt(headers), otherwise=f"signature:{signature}"
            )
            handled = response.status < HTTPStatus.INTERNAL_SERVER_ERROR
        finally:
            if not handled:
                self._check.release(signature)
        content = (response.body or "").encode("utf-8", "replace")
        given = {name: value for name, value in response.first_headers().items() if name == "content-type" and content}
        await _answer(send, response.status, content, given)


def _for_bolt(headers: Headers) -> dict[str, str]:
    """What a listener may want to know of the transport; the signature travels no further."""
    return {name: headers[name] for name in ("x-slack-retry-num", "x-slack-retry-reason") if name in headers}


async def _answer(send: Send, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
    fields = {"content-length": str(len(body)), **(headers or {})}
    await send(
        {
            "type": "http.response.start",
            "status": int(status),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})
