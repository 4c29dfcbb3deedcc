"""The one way in for everything Slack delivers, over HTTP or a socket: once each, in Bolt's hands, and timed.

What Slack sends again while the first of it is still in hand is sent away with a 503: Slack asks a third time a minute later,
and by then it is known whether the first ended well. Answering the retry with *ok* would lose what the first then fails at.

Knows payloads only as far as telling one delivery from another takes. Logs no text of a payload.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.ports import Clock, Deliveries, Sighting

log = structlog.get_logger()

_SERVER_ERROR = 500
#: longer than any acknowledgement takes, shorter than Slack waits with its second retry (a minute)
IN_HAND = timedelta(seconds=50)
#: what is sent again when its answer does not come in time: events by Slack itself, forms by the person
_REPEATED = frozenset({"event_callback", "view_submission"})

#: told of every acknowledgement: its kind, and how many seconds it took
AckObserver = Callable[[str, float], None]


def _nobody(kind: str, seconds: float) -> None:
    """The observer when there is none."""


def kind_of(body: Mapping[str, Any]) -> str:
    """What sort of delivery it is; one of a few words, whatever was sent."""
    if "command" in body:
        return "command"
    given = body.get("type")
    return given if isinstance(given, str) and given in _KINDS else "other"


_KINDS = frozenset(
    {
        "event_callback",
        "block_actions",
        "block_suggestion",
        "view_submission",
        "view_closed",
        "message_action",
        "shortcut",
    }
)


def delivery_key(body: Mapping[str, Any]) -> str | None:
    """What is the same when Slack, or a person, sends the same thing again; None when nothing in it says so.

    A view's submission goes by the view and not by its trigger: pressing *Submit* again after an answer that came too late
    is a new trigger but the same wish.
    """
    match body.get("type"):
        case "event_callback":
            return _named("event", body.get("event_id"))
        case "view_submission" | "view_closed" as kind:
            view = body.get("view")
            if isinstance(view, Mapping) and view.get("id") and view.get("hash"):
                return _named(str(kind), f"{view['id']}:{view['hash']}")
        case "block_suggestion":
            return None  # asks, changes nothing
        case _:
            pass
    return _named("trigger", body.get("trigger_id"))


def _named(kind: str, value: object) -> str | None:
    return f"{kind}:{value}" if isinstance(value, str) and value else None


class Reception:
    """Drops what was delivered before, hands the rest to Bolt, and lets go of what was not handled."""

    def __init__(
        self,
        app: AsyncApp,
        deliveries: Deliveries,
        *,
        clock: Clock,
        observe: AckObserver = _nobody,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._deliveries = deliveries
        self._clock = clock
        self._observe = observe
        self._timer = timer

    async def receive(
        self,
        body: dict[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        otherwise: str | None = None,
    ) -> BoltResponse:
        """Handles one verified, parsed delivery. `otherwise` is the key of those that carry none of their own.

        Never raises but when cancelled: a failure is an answer with status 500, and its key is free for Slack's retry.
        """
        started = self._timer()
        kind = kind_of(body)
        key = delivery_key(body)
        if key is None and kind != "block_suggestion":
            key = otherwise
        hold = IN_HAND if kind in _REPEATED else None
        try:
            seen = await self._deliveries.take(key, now=self._clock(), hold=hold) if key else Sighting.FIRST
        except Exception:  # Slack sends it again
            log.exception("reception.unreachable_database", kind=kind)
            return BoltResponse(status=503, body="")
        if seen is not Sighting.FIRST:
            log.info("reception.duplicate", kind=kind, in_hand=seen is Sighting.IN_HAND)
            return BoltResponse(status=503 if seen is Sighting.IN_HAND else 200, body="")
        keep = False
        try:
            response = await self._dispatch(body, headers)
            keep = response.status < _SERVER_ERROR and not _stays_open(kind, response)
        finally:
            if key and not (keep and hold is None):
                await self._let_go(key, handled=keep)
            self._observe(kind, self._timer() - started)
        return response

    async def _dispatch(self, body: dict[str, Any], headers: Mapping[str, str] | None) -> BoltResponse:
        try:
            # Bolt wants text in its mode "http", and parses it; in "socket_mode" it takes what is parsed already.
            request = AsyncBoltRequest(body=body, headers=dict(headers or {}), mode="socket_mode")
            return await self._app.async_dispatch(request)
        except Exception:  # what Bolt lets through: never Slack's business, nor a reason to die
            log.exception("reception.crashed", kind=kind_of(body))
            return BoltResponse(status=500, body="")

    async def _let_go(self, key: str, *, handled: bool) -> None:
        try:
            await (self._deliveries.finish(key) if handled else self._deliveries.forget(key))
        except Exception as error:  # noqa: BLE001  # at worst it is handled twice, or its retry is taken for a duplicate
            log.warning("reception.key_kept", error=type(error).__name__)


def _stays_open(kind: str, response: BoltResponse) -> bool:
    """True when a form was answered with errors, or covered by another: it keeps its hash and may be submitted again."""
    if kind != "view_submission" or not response.body:
        return False
    try:
        answer = json.loads(response.body)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("response_action") in ("errors", "push")
