"""From Slack's payloads to our own calls: one catch-all listener per kind, one dict per kind.

Payloads are taken apart here and travel no further. Bolt matches listeners one after the other (2.8 ms for 300); a dict does not.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient
from starlette.routing import BaseRoute

from bot.domain.notices import Notice
from bot.errors import GrantdeskError, SeveralProblems
from bot.i18n import Speaker
from bot.ports import Message, Person, Renderer

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Call:
    """Somebody did something in Slack."""

    person: Person
    ack: AsyncAck
    client: AsyncWebClient
    trigger_id: str = field(default="", repr=False)
    #: where it happened; empty in App Home and modals
    channel_id: str = ""

    @property
    def say(self) -> Speaker:
        """Plain sentences, for buttons, titles and form fields."""
        return Speaker(self.person.locale, tz=self.person.tz)

    async def open(self, view: Mapping[str, Any]) -> None:
        """Opens a modal; Slack allows it for three seconds after the press."""
        await self.client.views_open(trigger_id=self.trigger_id, view=dict(view))

    async def whisper(self, message: Message) -> None:
        """Only the person sees it: where they are, or in the bot's DM when they are in no conversation."""
        blocks = [dict(block) for block in message.blocks] or None
        if self.channel_id:
            await self.client.chat_postEphemeral(
                channel=self.channel_id, user=self.person.user_id, text=message.text, blocks=blocks
            )
        else:
            await self.client.chat_postMessage(
                channel=self.person.user_id, text=message.text, blocks=blocks, unfurl_links=False, unfurl_media=False
            )

    async def say_here(self, message: Message, *, thread_ts: str = "") -> None:
        """For everybody in the conversation, in its thread if there is one."""
        await self.client.chat_postMessage(
            channel=self.channel_id,
            thread_ts=thread_ts or None,
            text=message.text,
            blocks=[dict(block) for block in message.blocks] or None,
            unfurl_links=False,
            unfurl_media=False,
        )


@dataclass(slots=True)
class CommandCall(Call):
    """A slash command. `text` is what follows it."""

    command: str = ""
    text: str = ""

    async def reply(self, message: Message) -> None:
        """Answers in the acknowledgement itself, visible to the person only."""
        await self.ack(
            text=message.text, blocks=[dict(block) for block in message.blocks] or None, response_type="ephemeral"
        )


@dataclass(slots=True)
class ActionCall(Call):
    """A button pressed, or a choice made. `argument` is what follows the action's name after a colon."""

    action: str = ""
    argument: str = ""
    value: str = ""
    #: the message or view it stood on
    message_ts: str = ""
    #: the thread that message is in
    thread_ts: str = ""
    view: Mapping[str, Any] | None = field(default=None, repr=False)
    #: inputs of the view it stood on, by action id
    inputs: Mapping[str, str] = field(default_factory=dict)
    #: the message is visible to the person only
    ephemeral: bool = False
    response_url: str = field(default="", repr=False)

    async def whisper(self, message: Message) -> None:
        """By the press's own address, which works where the bot is no member; Slack takes it for half an hour."""
        session = self.client.session
        if not self.response_url or session is None:
            await Call.whisper(self, message)
            return
        answer = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": message.text,
            "blocks": [dict(block) for block in message.blocks],
        }
        async with session.post(self.response_url, json=answer) as response:
            taken = response.status == HTTPStatus.OK
        if not taken:
            await Call.whisper(self, message)

    async def tell(self, message: Message | None) -> None:
        """Answers where the button stood: in the DM it stays readable, in a channel only the person sees it."""
        if message is None:
            return
        if self.channel_id.startswith("D"):
            await self.say_here(message, thread_ts=self.thread_ts)
        elif self.channel_id:
            await self.client.chat_postEphemeral(
                channel=self.channel_id,
                user=self.person.user_id,
                thread_ts=self.thread_ts or None,
                text=message.text,
                blocks=[dict(block) for block in message.blocks] or None,
            )
        else:
            await self.whisper(message)


@dataclass(slots=True)
class ViewCall(Call):
    """A modal submitted. `inputs` by action id; `notes` is what was put into private_metadata."""

    callback: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict, repr=False)

    async def show_errors(self, errors: Mapping[str, str]) -> None:
        """Sentences under inputs; the form stays open with what was typed."""
        await self.ack(response_action="errors", errors=dict(errors))

    async def replace_with(self, view: Mapping[str, Any]) -> None:
        await self.ack(response_action="update", view=dict(view))


@dataclass(slots=True)
class ShortcutCall(Call):
    """A shortcut on a message, or a global one."""

    callback: str = ""
    message_text: str = field(default="", repr=False)
    message_ts: str = ""
    author_id: str = ""
    #: the message is an app's
    by_bot: bool = False


@dataclass(slots=True)
class EventCall(Call):
    """Something that happened in the workspace."""

    kind: str = ""
    event: Mapping[str, Any] = field(default_factory=dict, repr=False)
    #: when it happened, to the second; None when Slack did not say
    at: datetime | None = None


Handler = Callable[[Any], Awaitable[None]]
Task = Callable[[str, Mapping[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Registry:
    """What the capabilities registered. Registering a name twice is an error at start."""

    commands: dict[str, Handler] = field(default_factory=dict)
    actions: dict[str, Handler] = field(default_factory=dict)
    views: dict[str, Handler] = field(default_factory=dict)
    shortcuts: dict[str, Handler] = field(default_factory=dict)
    events: dict[str, list[Handler]] = field(default_factory=dict)
    renderers: dict[str, Renderer] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    routes: list[BaseRoute] = field(default_factory=list)

    def command(self, name: str, handler: Callable[[CommandCall], Awaitable[None]]) -> None:
        _once(self.commands, name, handler)

    def action(self, name: str, handler: Callable[[ActionCall], Awaitable[None]]) -> None:
        """For every action id `name` or `name:argument`."""
        _once(self.actions, name, handler)

    def view(self, callback_id: str, handler: Callable[[ViewCall], Awaitable[None]]) -> None:
        _once(self.views, callback_id, handler)

    def shortcut(self, callback_id: str, handler: Callable[[ShortcutCall], Awaitable[None]]) -> None:
        _once(self.shortcuts, callback_id, handler)

    def event(self, kind: str, handler: Callable[[EventCall], Awaitable[None]]) -> None:
        """Several capabilities may listen to the same event."""
        self.events.setdefault(kind, []).append(handler)

    def notice(self, kind: type[Notice], renderer: Renderer) -> None:
        _once(self.renderers, kind.kind, renderer)

    def task(self, name: str, task: Task) -> None:
        _once(self.tasks, name, task)

    def route(self, *routes: BaseRoute) -> None:
        self.routes.extend(routes)


def _once(table: dict[str, Any], name: str, entry: Any) -> None:
    if name in table:
        raise ValueError(f"{name} is registered twice")
    table[name] = entry


def problem_lines(problem: GrantdeskError, speaker: Speaker) -> list[str]:
    """An error as sentences in the person's language."""
    problems = problem.problems if isinstance(problem, SeveralProblems) else (problem,)
    return [speaker(one.key, **one.facts) for one in problems]


def problems_by_field(problem: GrantdeskError, speaker: Speaker) -> dict[str, str]:
    """An error's sentences by the input they belong to; those that belong to none are under the empty string."""
    problems = problem.problems if isinstance(problem, SeveralProblems) else (problem,)
    return {one.field or "": speaker(one.key, **one.facts) for one in problems}


def inputs_of(state: Mapping[str, Any] | None) -> dict[str, str]:
    """A view's inputs by action id: text, chosen option, date; several options joined by commas."""
    found: dict[str, str] = {}
    for block in ((state or {}).get("values") or {}).values():
        for action_id, entry in block.items():
            found[action_id] = _chosen(entry)
    return found


def _chosen(entry: Mapping[str, Any]) -> str:
    if option := entry.get("selected_option"):
        return str(option.get("value", ""))
    if (options := entry.get("selected_options")) is not None:
        return ",".join(str(option.get("value", "")) for option in options)
    for name in ("value", "selected_date", "selected_user", "selected_channel", "selected_conversation"):
        if entry.get(name) is not None:
            return str(entry[name])
    return ""


def notes_of(view: Mapping[str, Any]) -> dict[str, str]:
    """What was put into a view's private_metadata."""
    try:
        notes = json.loads(view.get("private_metadata") or "{}")
    except json.JSONDecodeError:
        return {}
    return {str(key): str(value) for key, value in notes.items()} if isinstance(notes, dict) else {}


def chosen_in(actions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The action that was taken: Slack sends a list of one."""
    return actions[0] if actions else {}


def value_of(action: Mapping[str, Any]) -> str:
    """What an action carries: a button's value, or the choice made."""
    return _chosen(action)
