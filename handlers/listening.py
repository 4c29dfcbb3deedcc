"""Hangs the registry on Bolt: one catch-all listener per kind, the person looked up once, errors told where they happened."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import FormTimedOut, GrantdeskError, SlackUnavailable, WeMustAct
from bot.ports import Message, People, Person
from handlers.blocks import problem_message
from handlers.members import named
from handlers.routing import (
    ActionCall,
    Call,
    CommandCall,
    EventCall,
    Registry,
    ShortcutCall,
    ViewCall,
    chosen_in,
    inputs_of,
    notes_of,
    problems_by_field,
    value_of,
)

log = structlog.get_logger(__name__)
_ANY = re.compile("")
#: the year 3000, in seconds
_FAR_FUTURE = 32_503_680_000

#: Slack's words for a form that was opened too late
_TRIGGER_IS_OVER = frozenset({"expired_trigger_id", "trigger_expired", "exchanged_trigger_id"})

#: its words for "not now": https://docs.slack.dev/reference/methods/views.open (errors common to all methods)
_NOT_NOW = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
    }
)


def listen(app: AsyncApp, registry: Registry, people: People) -> None:
    """Registers the catch-all listeners."""
    listener = _Listener(registry, people)
    app.command(_ANY)(listener.command)
    app.action(_ANY)(listener.action)
    app.view(_ANY)(listener.view)
    app.view_closed(_ANY)(listener.closed)
    app.shortcut(_ANY)(listener.shortcut)
    app.event(_ANY)(listener.event)
    app.error(_telling(people))


class _Listener:
    def __init__(self, registry: Registry, people: People) -> None:
        self._registry = registry
        self._people = people

    async def command(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        handler = self._registry.commands.get(body["command"])
        person = await self._person(body["team_id"], body["user_id"])
        call = CommandCall(
            person=person,
            ack=ack,
            client=client,
            trigger_id=body.get("trigger_id", ""),
            channel_id=body.get("channel_id", ""),
            command=body["command"],
            text=body.get("text", "").strip(),
        )
        if handler is None:
            await ack()
            return
        await _told(handler, call, call.reply)

    async def action(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        taken = chosen_in(body.get("actions", []))
        name, _, argument = str(taken.get("action_id", "")).partition(":")
        handler = self._registry.actions.get(name)
        if handler is None:  # a link's button, or a card from an older version
            await ack()
            return
        container: Mapping[str, Any] = body.get("container") or {}
        view: Mapping[str, Any] | None = body.get("view")
        state = (view or {}).get("state") or body.get("state")
        call = ActionCall(
            person=await self._person(_team_of(body), body["user"]["id"]),
            ack=ack,
            client=client,
            trigger_id=body.get("trigger_id", ""),
            channel_id=(body.get("channel") or {}).get("id", ""),
            action=name,
            argument=argument,
            value=value_of(taken),
            message_ts=str(container.get("message_ts", "")),
            thread_ts=str(container.get("thread_ts") or ""),
            view=view,
            inputs=inputs_of(state),
            ephemeral=bool(container.get("is_ephemeral")),
            response_url=body.get("response_url", ""),
        )
        await _told(handler, call, call.whisper)
        await ack()

    async def view(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        view = body["view"]
        handler = self._registry.views.get(view.get("callback_id", ""))
        if handler is None:
            await ack()
            return
        call = ViewCall(
            person=await self._person(_team_of(body), body["user"]["id"]),
            ack=ack,
            client=client,
            trigger_id=body.get("trigger_id", ""),
            callback=view["callback_id"],
            inputs=inputs_of(view.get("state")),
            notes=notes_of(view),
            view=view,
        )
        try:
            await handler(call)
        except Exception as error:  # noqa: BLE001  # the form stays open with what was typed
            await _show_in_form(call, _problem_of(error))

    async def closed(self, ack: AsyncAck) -> None:
        await ack()

    async def shortcut(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        handler = self._registry.shortcuts.get(body.get("callback_id", ""))
        if handler is None:
            await ack()
            return
        message: Mapping[str, Any] = body.get("message") or {}
        call = ShortcutCall(
            person=await self._person(_team_of(body), body["user"]["id"]),
            ack=ack,
            client=client,
            trigger_id=body.get("trigger_id", ""),
            channel_id=(body.get("channel") or {}).get("id", ""),
            callback=body["callback_id"],
            message_text=str(message.get("text", "")),
            message_ts=str(message.get("ts", "")),
            author_id=str(message.get("user", "")),
            by_bot=bool(message.get("bot_id")),
        )
        await _told(handler, call, call.whisper)
        await ack()

    async def event(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        event: Mapping[str, Any] = body.get("event") or {}
        kind = str(event.get("type", ""))
        team_id = str(body.get("team_id", ""))
        for handler in self._registry.events.get(kind, []):
            user = event.get("user")
            user_id = str(user.get("id", "")) if isinstance(user, dict) else str(user or "")
            call = EventCall(
                person=await self._person(team_id, user_id) if user_id else Person(team_id, "", "en", "UTC"),
                ack=ack,
                client=client,
                channel_id=str(event.get("channel", "")),
                kind=kind,
                event=event,
                at=_time_of(body),
            )
            try:
                await handler(call)
            except WeMustAct:
                raise
            except GrantdeskError as problem:
                if call.channel_id and user_id:
                    await call.whisper(problem_message(problem, call.person))
        await ack()

    async def _person(self, team_id: str, user_id: str) -> Person:
        return await self._people.get(team_id, user_id)


def _team_of(body: Mapping[str, Any]) -> str:
    return str((body.get("team") or {}).get("id") or body["user"].get("team_id", ""))


def _time_of(body: Mapping[str, Any]) -> datetime | None:
    seconds = body.get("event_time")
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and 0 < seconds < _FAR_FUTURE else None


async def _told(
    handler: Callable[[Any], Awaitable[None]], call: Call, tell: Callable[[Message], Awaitable[None]]
) -> None:
    """Runs a handler; what goes wrong is a sentence to the person, in their language."""
    try:
        await handler(call)
    except Exception as error:  # noqa: BLE001  # whatever it was, the person hears of it
        await tell(problem_message(_problem_of(error), call.person))


def _problem_of(error: Exception) -> GrantdeskError:
    """What to say of an error: itself when it was foreseen, else an incident number; the log has the same and no payload."""
    if isinstance(error, GrantdeskError) and not isinstance(error, WeMustAct):
        return error
    if isinstance(error, SlackApiError):
        status, word = _slack_said(error)
        if word in _TRIGGER_IS_OVER:
            log.info("trigger expired", action="trigger_expired")
            return FormTimedOut()
        if not word or word in _NOT_NOW or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("slack unavailable", action="slack_unavailable", error=word)
            return SlackUnavailable()
    if isinstance(error, TimeoutError | OSError):
        log.warning("slack unavailable", action="slack_unavailable", error=type(error).__name__)
        return SlackUnavailable()
    incident = secrets.token_hex(4)
    log.error("unexpected error", action="unexpected", incident=incident, kind=type(error).__name__, exc_info=error)
    return WeMustAct(incident=incident)


def _slack_said(error: SlackApiError) -> tuple[int, str]:
    """The status and error word of a refusal; slack_sdk carries a dict where the answer was not JSON."""
    response = error.response
    if isinstance(response, AsyncSlackResponse):
        data = response.data if isinstance(response.data, dict) else {}
        return response.status_code, str(data.get("error", ""))
    if isinstance(response, Mapping):
        return int(response.get("status", 0) or 0), str(response.get("error", ""))
    return 0, ""


async def _show_in_form(call: ViewCall, problem: GrantdeskError) -> None:
    """Under the inputs it is about; a problem about none of them goes under the first."""
    known = {
        action_id: block["block_id"]
        for block in call.view.get("blocks", [])
        if block.get("type") == "input"
        for action_id in [block["element"]["action_id"]]
    }
    errors: dict[str, str] = {}
    for name, sentence in problems_by_field(problem, call.say).items():
        block_id = known.get(name) or next(iter(known.values()), "")
        said = await named(call.client, sentence)
        errors[block_id] = f"{errors[block_id]} {said}" if block_id in errors else said
    if known:
        await call.show_errors(errors)
    else:
        await call.ack()
        await call.whisper(problem_message(problem, call.person))


def _telling(people: People) -> Callable[..., Awaitable[BoltResponse | None]]:
    """What Bolt does with something that we did not foresee."""

    async def unexpected(error: Exception, body: dict[str, Any], client: AsyncWebClient) -> BoltResponse | None:
        """An incident number for the person and for the log, and no text of the payload. An event is left to Slack's retry."""
        incident = secrets.token_hex(4)
        log.error("unexpected error", action="unexpected", incident=incident, kind=type(error).__name__, exc_info=error)
        user = body.get("user_id") or (body.get("user") or {}).get("id")
        if user is None:
            return None
        team = str(body.get("team_id") or (body.get("team") or {}).get("id", ""))
        person = Person(team, user, "en", "UTC")
        with suppress(Exception):  # perhaps the database is what failed
            person = await people.get(team, user)
        message = problem_message(WeMustAct(incident=incident), person)
        if body.get("command"):
            return _answered(text=message.text, response_type="ephemeral")
        inputs = [block for block in (body.get("view") or {}).get("blocks", []) if block.get("type") == "input"]
        if body.get("type") == "view_submission" and inputs:
            return _answered(response_action="errors", errors={inputs[0]["block_id"]: message.text})
        with suppress(Exception):  # nobody is left to tell
            await client.chat_postMessage(channel=user, text=message.text, unfurl_links=False, unfurl_media=False)
        return BoltResponse(status=200, body="")

    return unexpected


def _answered(**answer: Any) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(answer), headers={"content-type": "application/json"})
