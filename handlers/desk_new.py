"""Reacts to the ways by which a question comes to the desk: `/desk new`, the message shortcut, messages in channels that the
desk reads; and to what sellers write next. Deleting a message takes back what came of it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from bot.domain.features import FEATURES, FeatureKey
from bot.domain.stores import Store, label_key
from bot.domain.tickets import QUESTION_LIMIT, Source
from bot.errors import UnclosedQuote, UnknownPerson
from bot.i18n import Speaker
from bot.ports import Message, Person
from bot.services.intake import Opened
from bot.services.naming import feature_name
from bot.services.support import Ask
from handlers.blocks import Block, context, field, fit, message, modal, mrkdwn, option, section, select, text_input
from handlers.desk_wording import too_long
from handlers.members import require_person
from handlers.routing import ActionCall, CommandCall, EventCall, Registry, ShortcutCall, ViewCall, notes_of
from handlers.stories import Stories
from handlers.wording import store_name
from handlers.words import first_word, mentioned_user, split_words

_NO_STORE = "none"
_OPTIONS = 100
#: a mention at the start: said to that one, or to the bot, which answers by itself
_TO_SOMEBODY = re.compile(r"\s*<@[UW]")


def hang(registry: Registry, stories: Stories) -> None:
    """Puts it on the registry."""
    edge = New(stories)
    registry.shortcut("desk.triage", edge.triage)
    registry.action("desk.who", edge.who)
    registry.view("desk.new", edge.submitted)
    registry.event("message", edge.message)
    registry.action("ticket.write", edge.open_write)
    registry.action("ticket.solved", edge.solved)
    registry.view("ticket.write", edge.wrote)


def _about(question: str, stores: Sequence[Store]) -> tuple[Store | None, str]:
    """The store whose name a question begins with, in quotes where it has spaces, and the rest of the question."""
    with suppress(UnclosedQuote):
        named = (split_words(question) or [""])[0]
        store = next((one for one in stores if label_key(one.label) == label_key(named)), None)
        after = question[question.find(named) + len(named) :]
        rest = after.partition(" ")[2].strip()
        if store is not None and rest:
            return store, rest
    return None, question


class New:
    """From a person to a ticket."""

    def __init__(self, stories: Stories) -> None:
        self._stories = stories
        self._desk = stories.desk

    # --- /desk new and the shortcut ----------------------------------------------------------------------------------

    async def command(self, call: CommandCall, typed: str) -> None:
        """`/desk new`, `/desk new <question>`; agents also `/desk new @seller ["store"] <question>`."""
        agent = await self._desk.roles.works_at_desk(call.person)
        if not agent:
            if not typed:
                await call.open(await self._form(call.person, None, question="", chooses=False))
                await call.ack()
                return
            await call.reply(self._told(call.person, await self._ask(call.person, None, Source.COMMAND, typed), typed))
            return
        first, question = first_word(typed)
        named = mentioned_user(first)
        if named is None and first.startswith("@"):  # Slack makes a mention of everybody it knows
            raise UnknownPerson
        if named is not None:
            await require_person(call, named)
        seller = None if named is None else await self._stories.people.get(call.person.team_id, named)
        question = typed if seller is None else question
        if seller is None or not question:
            await call.open(await self._form(call.person, seller, question=question, chooses=True))
            await call.ack()
            return
        store, question = _about(question, await self._stories.stores.all(seller))
        opened = await self._ask(seller, call.person, Source.COMMAND, question, store=store)
        await call.reply(self._told(call.person, opened, question))

    async def triage(self, call: ShortcutCall) -> None:
        """*Triage authorization* on a message. An agent says whose it is; anybody else brings their own question."""
        agent = await self._desk.roles.works_at_desk(call.person)
        seller = None
        if agent and call.author_id and call.author_id != call.person.user_id and not call.by_bot:
            seller = await self._stories.people.get(call.person.team_id, call.author_id)
        # somebody else's message is not a seller's to take back: their ticket does not hang on it
        place = (call.channel_id, call.message_ts) if agent or call.author_id == call.person.user_id else ("", "")
        await call.open(
            await self._form(
                call.person,
                seller,
                question=html.unescape(call.message_text),
                chooses=agent,
                place=place,
                source=Source.SHORTCUT,
            )
        )

    async def who(self, call: ActionCall) -> None:
        """The form's seller was chosen: now their stores can be."""
        view = call.view or {}
        notes = notes_of(view)
        seller = await self._stories.people.get(call.person.team_id, call.value) if call.value else None
        await call.ack()
        await call.client.views_update(
            view_id=view.get("id"),
            view=await self._form(
                call.person,
                seller,
                question=call.inputs.get("question", ""),
                chooses=await self._desk.roles.works_at_desk(call.person),
                place=(notes.get("channel_id", ""), notes.get("ts", "")),
                source=Source(notes.get("source", Source.COMMAND)),
            ),
        )

    async def submitted(self, call: ViewCall) -> None:
        agent = await self._desk.roles.works_at_desk(call.person)
        chosen = call.inputs.get("desk.who", "") if agent else ""
        if agent and not chosen:
            raise UnknownPerson
        if chosen:
            await require_person(call, chosen)
        seller = await self._stories.people.get(call.person.team_id, chosen) if chosen else call.person
        store_id = call.inputs.get("store", _NO_STORE)
        stores = {store.id: store for store in await self._stories.stores.all(seller)}
        feature = call.inputs.get("feature", "")
        opened = await self._ask(
            seller,
            call.person if agent else None,
            Source(call.notes.get("source", Source.COMMAND)),
            call.inputs.get("question", ""),
            store=stores.get(store_id),
            feature=FeatureKey(feature) if feature in set(FeatureKey) else None,
            place=(call.notes.get("channel_id", ""), call.notes.get("ts", "")),
        )
        say = mrkdwn(call.person)
        await call.replace_with(
            modal(
                "desk.opened",
                title=call.say("desk.new_form.title"),
                close=call.say("button.close"),
                blocks=[section(self._sentence(say, opened))],  # the form takes no more than the desk keeps
            )
        )

    async def _ask(
        self,
        seller: Person,
        agent: Person | None,
        source: Source,
        question: str,
        *,
        store: Store | None = None,
        feature: FeatureKey | None = None,
        place: tuple[str, str] = ("", ""),
    ) -> Opened:
        return await self._stories.support.ask_person(
            seller,
            Ask(
                source,
                question=question,
                store_id=store.id if store else None,
                feature=feature,
                by=agent,
                channel_id=place[0],
                ts=place[1],
            ),
        )

    def _told(self, person: Person, opened: Opened, question: str, *, files: bool = False) -> Message:
        say = mrkdwn(person)
        pictures = context(say("ticket.no_files")) if files else None
        return message(section(self._sentence(say, opened)), too_long(say, question), pictures)

    @staticmethod
    def _sentence(say: Speaker, opened: Opened) -> str:
        key = "joined" if opened.joined else "reopened" if opened.reopened else "opened"
        return say(f"desk.new.{key}", number=opened.ticket.number)

    async def _form(
        self,
        person: Person,
        seller: Person | None,
        *,
        question: str,
        chooses: bool,
        place: tuple[str, str] = ("", ""),
        source: Source = Source.COMMAND,
    ) -> Block:
        """`chooses`: an agent, who says whose question it is."""
        say = Speaker(person.locale, tz=person.tz)
        asker = seller if chooses else person
        blocks: list[Block] = []
        if chooses:
            who: Block = {"type": "users_select", "action_id": "desk.who"}
            if seller is not None:
                who["initial_user"] = seller.user_id
            blocks.append(field(say("desk.new_form.who"), who, dispatch=True))
        stores = await self._stories.stores.all(asker) if asker else []
        if stores:
            options = [option(say("desk.new_form.no_store"), _NO_STORE)]
            options += [option(store_name(say, store), store.id) for store in stores[: _OPTIONS - 1]]
            only = stores[0].id if len(stores) == 1 else _NO_STORE
            blocks.append(field(say("desk.new_form.store"), select("store", options, initial=only)))
            features = [option(feature_name(say, key), key.value) for key in FEATURES]
            blocks.append(field(say("desk.new_form.feature"), select("feature", features), optional=True))
        blocks.append(
            field(
                say("desk.new_form.question"),
                text_input("question", initial=fit(question, QUESTION_LIMIT), multiline=True, limit=QUESTION_LIMIT),
                hint=say("desk.new_form.hint"),
            )
        )
        return modal(
            "desk.new",
            title=say("desk.new_form.title"),
            submit=say("desk.new_form.submit"),
            close=say("button.cancel"),
            notes={"channel_id": place[0], "ts": place[1], "source": source.value},
            blocks=blocks,
        )

    # --- messages ----------------------------------------------------------------------------------------------------

    async def message(self, call: EventCall) -> None:
        """A message in a channel that the desk reads; and a message, anywhere, that was deleted. DMs are `questions`'."""
        event = call.event
        if deleted := _deleted(event):
            await self._desk.talk.gone(call.person.team_id, channel_id=call.channel_id, ts=deleted)
            return
        ordinary = (
            not _TO_SOMEBODY.match(str(event.get("text", "")))
            and event.get("subtype") in (None, "file_share")
            and not event.get("bot_id")
            and not event.get("thread_ts")
        )
        if call.channel_id not in self._desk.listens_in or not ordinary or not call.person.user_id:
            return
        if await self._desk.roles.works_at_desk(call.person):  # they answer there; their own words are no question
            return
        text = html.unescape(str(event.get("text", "")))
        if not await self._stories.support.is_ours(call.person, text):
            return
        place = (call.channel_id, str(event.get("ts", "")))
        opened = await self._ask(call.person, None, Source.CHANNEL, text, place=place)
        await call.ack()
        await call.whisper(self._told(call.person, opened, text, files=bool(event.get("files"))))

    # --- the seller writes on ----------------------------------------------------------------------------------------

    async def open_write(self, call: ActionCall) -> None:
        say = call.say
        await call.open(
            modal(
                "ticket.write",
                title=say("ticket.button.write"),
                submit=say("ticket.send"),
                close=say("button.cancel"),
                notes={"ticket_id": call.value},
                blocks=[
                    field(
                        say("ticket.words"),
                        text_input("question", multiline=True, limit=QUESTION_LIMIT),
                        hint=say("desk.new_form.hint"),
                    )
                ],
            )
        )

    async def wrote(self, call: ViewCall) -> None:
        await self._desk.talk.write(call.person, call.notes.get("ticket_id", ""), call.inputs.get("question", ""))
        await call.ack()

    async def solved(self, call: ActionCall) -> None:
        await self._desk.talk.solved(call.person, call.value)


def _deleted(event: Mapping[str, Any]) -> str:
    """The message that an event says was deleted; empty for every other event.

    Of a message with answers in its thread, Slack leaves a stone in its place, and calls that a change.
    """
    if event.get("subtype") == "message_deleted":
        return str(event.get("deleted_ts") or "")
    stone = event.get("message")
    if event.get("subtype") == "message_changed" and isinstance(stone, dict) and stone.get("subtype") == "tombstone":
        return str(stone.get("ts") or "")
    return ""
