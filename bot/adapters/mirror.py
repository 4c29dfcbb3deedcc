"""The sister system over HTTP: events go out signed, and what comes in is believed only with its signature.

Signatures are those of Standard Webhooks (https://www.standardwebhooks.com). The library signs; it cannot verify here, because it
takes the time from the system's clock and raises whatever a malformed header makes it raise.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import aiohttp
from standardwebhooks import Webhook

from bot.ports import Clock
from bot.services.relay import DeliveryFailed, Undeliverable

#: Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
TIMESTAMP_TOLERANCE = timedelta(minutes=5)
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
#: a sender that rotates signs with two secrets
_MOST_SIGNATURES = 8

_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)
#: answers that the same event would meet again; anything else, a wrong secret too, is mended by whoever runs either side
_FINAL = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class Seal:
    """Signs and verifies with the shared secrets, newest first; while they are rotated there are several."""

    def __init__(self, secrets: Sequence[str], *, clock: Clock) -> None:
        self._keys = [Webhook(secret) for secret in secrets]
        self._clock = clock

    def headers(self, message_id: str, body: str) -> dict[str, str]:
        """What goes with a body that is sent now: signed with every secret, so that either side may rotate first."""
        now = self._clock()
        return {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(key.sign(message_id, now, body) for key in self._keys),
        }

    def verified(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """The message's id when the sister system signed exactly this within the last five minutes; otherwise None."""
        message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not _MESSAGE_ID.fullmatch(message_id) or not _TIMESTAMP.fullmatch(timestamp):
            return None
        if abs(self._clock().timestamp() - int(timestamp)) > TIMESTAMP_TOLERANCE.total_seconds():
            return None
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return None
        at = datetime.fromtimestamp(int(timestamp), UTC)
        given = headers.get("webhook-signature", "").split()[:_MOST_SIGNATURES]
        matches = False
        for key in self._keys:  # all of them, so that the time taken does not tell which one matched
            expected = key.sign(message_id, at, text).encode()
            for one in given:
                matches |= hmac.compare_digest(expected, one.encode("utf-8", "replace"))
        return message_id if matches else None


class SisterSystem:
    """Sends events. Its task raises DeliveryFailed for what may work later, Undeliverable for what never will."""

    def __init__(self, session: aiohttp.ClientSession, url: str, seal: Seal) -> None:
        self._session = session
        self._url = url
        self._seal = seal

    async def send(self, team_id: str, arguments: Mapping[str, Any]) -> None:
        """The relay's task: one event, as the outbox kept it."""
        del team_id
        body = json.dumps(arguments["event"], ensure_ascii=False)
        try:
            async with self._session.post(
                self._url,
                data=body.encode(),
                headers=self._seal.headers(arguments["id"], body),
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryFailed(f"sister_{type(error).__name__}") from None
        if status in _FINAL:
            raise Undeliverable(f"sister_{status}")
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise DeliveryFailed(f"sister_{status}")
