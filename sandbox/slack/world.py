"""What this Slack remembers: conversations, messages, open views, triggers, and a number that grows.

It knows no HTTP. Every change raises `version`, so that readers can ask "what is new since?".
"""

import asyncio
import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.elements import settled
from sandbox.slack.people import BOT, BOT_USER, PEOPLE, Channel, Person, channels
from sandbox.slack.views import View, ViewStack

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5


class SlackError(Exception):
    """A refusal with Slack's own word for it, and what the validator found."""

    def __init__(self, error: str, problems: list[str] | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.problems = problems or []


@dataclass(kw_only=True)
class Message:
    """One message; deleted ones stay, so that editing them can be refused as Slack does."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None
    #: an answer in a thread that the conversation sees as well (`reply_broadcast`)
    broadcast: bool = False
    only_for: str | None = None
    edited: str | None = None
    deleted: bool = False
    version: int = 0
    via: str = ""
    metadata: dict[str, Any] | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)
    state: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_message(self) -> dict[str, Any]:
        """The `message` object that Slack hands out."""
        body: dict[str, Any] = {"type": "message", "ts": self.ts, "user": self.user, "text": self.text}
        if self.user == BOT_USER:
            body |= {"bot_id": "B0BOT", "app_id": "A0SANDBOX", "team": "T0SANDBOX"}
        if self.blocks:
            body["blocks"] = self.blocks
        if self.thread_ts is not None:
            body["thread_ts"] = self.thread_ts
        if self.broadcast:
            body["subtype"] = "thread_broadcast"
        if self.edited is not None:
            body["edited"] = {"user": self.user, "ts": self.edited}
        if self.metadata is not None:
            body["metadata"] = self.metadata
        if self.files:
            body["files"] = self.files
        if self.reactions:
            body["reactions"] = [
                {"name": name, "users": users, "count": len(users)} for name, users in self.reactions.items()
            ]
        return body

    def as_seen(self) -> dict[str, Any]:
        """The same for our own page and client, with what only a stand-in can tell."""
        return self.as_message() | {
            "channel": self.channel,
            "ephemeral": self.only_for is not None,
            "deleted": self.deleted,
            "version": self.version,
            "via": self.via,
            "warnings": self.warnings,
            "state": self.state,
        }


@dataclass(kw_only=True)
class Trigger:
    """Permission to open one view, for three seconds."""

    user: str
    issued: float
    used: bool = False


@dataclass(kw_only=True)
class ResponseUrl:
    """Permission to answer in a conversation, five times within half an hour."""

    user: str
    channel: str
    issued: float
    thread_ts: str | None = None
    original: Message | None = None
    uses: int = 0


class World:
    """The workspace. `now` is the sandbox's clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.version = 0
        self.epoch = 0
        self.closing = False
        self._changed = asyncio.Event()
        self._forget()

    def _forget(self) -> None:
        self.people: dict[str, Person] = {person.id: person for person in (*PEOPLE, BOT)}
        self.channels: dict[str, Channel] = {channel.id: channel for channel in channels()}
        self.messages: list[Message] = []
        self.views: dict[str, ViewStack] = {}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.responses: dict[str, ResponseUrl] = {}
        self.statuses: dict[str, str] = {}
        self.installed = True
        self._last_ts = 0.0
        self._numbers = itertools.count(1)

    def reset(self) -> None:
        """Back to an empty workspace; the version keeps growing, so that readers notice."""
        self._forget()
        self.epoch += 1
        self.touch()

    # ------------------------------------------------------------------ changes

    def touch(self) -> int:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()
        return self.version

    def close(self) -> None:
        """Nobody waits any longer: open pages would hold up the end."""
        self.closing = True
        self.touch()

    async def changed_since(self, version: int, within: float) -> int:
        """Wait until something happens after `version`, at most `within` seconds; answers the newest."""
        if self.version <= version and not self.closing:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), within)
        return self.version

    # ------------------------------------------------------------------ people and places

    def person(self, who: str) -> Person:
        """Somebody by id or handle."""
        wanted = who.removeprefix("@")
        for person in self.people.values():
            if person.id == wanted or person.name == wanted.lower():
                return person
        raise SlackError("user_not_found")

    def add_person(self, person: Person) -> Person:
        self.people[person.id] = person
        self.channels["C0GENERAL"].members.add(person.id)
        self.touch()
        return person

    def direct(self, user: str) -> Channel:
        """The conversation between this person and the bot, made when it is first needed."""
        channel_id = "D0" + user.removeprefix("U0").removeprefix("U")
        if channel_id not in self.channels:
            self.channels[channel_id] = Channel(
                id=channel_id, name="directmessage", members={user, BOT_USER}, im_with=user
            )
        return self.channels[channel_id]

    def channel(self, where: str) -> Channel:
        """A conversation by id, by name, or by the person it is with."""
        if where in self.channels:
            return self.channels[where]
        if where in self.people and not self.people[where].bot:
            return self.direct(where)
        for channel in self.channels.values():
            if channel.im_with is None and channel.name == where.removeprefix("#"):
                return channel
        for person in self.people.values():
            if not person.bot and self.direct(person.id).id == where:
                return self.direct(person.id)
        raise SlackError("channel_not_found")

    def conversations_of(self, user: str) -> list[Channel]:
        self.direct(user)
        return [channel for channel in self.channels.values() if user in channel.members]

    # ------------------------------------------------------------------ messages

    def new_ts(self) -> str:
        """Time stamps are a message's name in its channel, so no two are alike."""
        self._last_ts = max(self.now(), self._last_ts + 0.000_001)
        return f"{self._last_ts:.6f}"

    def identifier(self, prefix: str) -> str:
        return f"{prefix}0{next(self._numbers):07X}{secrets.token_hex(2).upper()}"

    def post(self, message: Message) -> Message:
        message.blocks = self.named(message.blocks)
        message.state = settled(message.blocks, {})
        message.version = self.touch()
        self.messages.append(message)
        return message

    def edit(self, message: Message, *, text: str, blocks: list[dict[str, Any]]) -> Message:
        message.text = text
        message.blocks = self.named(blocks)
        message.state = settled(message.blocks, message.state)
        message.edited = self.new_ts()
        message.warnings = {}
        message.version = self.touch()
        return message

    def delete(self, message: Message) -> None:
        message.deleted = True
        message.version = self.touch()

    def named(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Blocks and elements without an id get one, because answers refer to them."""
        done = []
        for block in blocks:
            named = {"block_id": secrets.token_urlsafe(4), **block}
            for key in ("accessory", "element"):
                if isinstance(named.get(key), dict) and named[key].get("type") != "image":
                    named[key] = {"action_id": secrets.token_urlsafe(4), **named[key]}
            if named.get("type") in {"actions", "context_actions"}:
                named["elements"] = [
                    {"action_id": secrets.token_urlsafe(4), **element} for element in named.get("elements", [])
                ]
            done.append(named)
        return done

    def find(self, channel: str, ts: str) -> Message:
        """A message that still exists."""
        for message in reversed(self.messages):
            if message.ts == ts and message.channel == channel and not message.deleted:
                return message
        raise SlackError("message_not_found")

    def visible_to(self, user: str, channel: str | None = None) -> Iterator[Message]:
        places = {place.id for place in self.conversations_of(user)}
        for message in self.messages:
            if message.channel not in places or (channel is not None and message.channel != channel):
                continue
            if message.only_for in {None, user}:
                yield message

    # ------------------------------------------------------------------ permissions that run out

    def new_trigger(self, user: str) -> str:
        trigger_id = f"{int(self.now() * 1000)}.{next(self._numbers)}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(user=user, issued=self.now())
        return trigger_id

    def spend_trigger(self, trigger_id: str) -> str:
        """Use a trigger; answers whose it was."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.now() - trigger.issued > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger.user

    def new_response(
        self, user: str, channel: str, *, original: Message | None = None, thread_ts: str | None = None
    ) -> str:
        """The last part of a `response_url`."""
        name = secrets.token_urlsafe(12)
        self.responses[name] = ResponseUrl(
            user=user, channel=channel, issued=self.now(), original=original, thread_ts=thread_ts
        )
        return name

    def spend_response(self, name: str) -> ResponseUrl:
        response = self.responses.get(name)
        if response is None or self.now() - response.issued > RESPONSE_SECONDS:
            raise SlackError("expired_url")
        if response.uses >= RESPONSE_USES:
            raise SlackError("used_url")
        response.uses += 1
        return response

    # ------------------------------------------------------------------ views

    def stack(self, user: str) -> ViewStack:
        return self.views.setdefault(user, ViewStack())

    def view(self, view_id: str) -> View:
        """An open modal or a home, by id or by the app's own name for it."""
        for view in (*self.homes.values(), *(v for stack in self.views.values() for v in stack.open)):
            if view_id in (view.id, view.external_id):
                return view
        raise SlackError("not_found")

    def new_view(self, body: dict[str, Any], user: str) -> View:
        view_id = self.identifier("V")
        return View(
            id=view_id,
            user=user,
            body=body | {"blocks": self.named(body.get("blocks", []))},
            hash=f"{self.now():.4f}.{secrets.token_hex(4)}",
            root_id=view_id,
        ).settled()

    def change_view(self, view: View, body: dict[str, Any]) -> View:
        view.body = body | {"blocks": self.named(body.get("blocks", []))}
        view.hash = f"{self.now():.4f}.{secrets.token_hex(4)}"
        view.errors, view.notice = {}, ""
        view.settled()
        view.version = self.touch()
        return view

    def open_view(self, body: dict[str, Any], user: str) -> View:
        """A new modal in place of whatever this person had open."""
        view = self.new_view(body, user)
        self.stack(user).open = [view]
        view.version = self.touch()
        return view

    def push_view(self, body: dict[str, Any], user: str) -> View:
        view = self.new_view(body, user)
        stack = self.stack(user)
        if not stack.open:
            raise SlackError("not_found")
        if len(stack.open) >= ViewStack.LIMIT:
            raise SlackError("push_limit_reached")
        view.root_id, view.previous_id = stack.open[0].id, stack.open[-1].id
        stack.open.append(view)
        view.version = self.touch()
        return view

    def publish_home(self, body: dict[str, Any], user: str) -> View:
        home = self.homes.get(user)
        if home is not None:
            return self.change_view(home, body)
        self.homes[user] = home = self.new_view(body, user)
        home.version = self.touch()
        return home
