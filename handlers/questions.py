"""Reacts to `/faq [question or code]`, direct messages, mentions, App Home's ask box, and what is said in opened channels.

A code is explained; a question is answered after a look at the asker's stores, or likely ones are offered, or nothing is
claimed. Where others read, the answer is for the asker's eyes first. Only Q1 and Q2 may have to ask Amazon: then the answer
follows in the DM.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.error_codes import recognise
from bot.domain.features import FeatureKey
from bot.domain.notices import Answered, Notice
from bot.domain.questions import GivenAnswer, MissKind, without_personal
from bot.errors import EmptyQuestion
from bot.ports import CardAddress, Message, Person, Sending
from bot.services.answering import Answer, Place
from faq.facts import Button, Case
from faq.matcher import Band
from handlers import answer_cards
from handlers.agent_view import AgentView
from handlers.blocks import context, field, message, modal, mrkdwn, section, text_input
from handlers.desk_wording import too_long
from handlers.error_codes import code_lines
from handlers.routing import ActionCall, Call, CommandCall, EventCall, Registry, ViewCall
from handlers.stories import Stories
from handlers.teaching import Teaching

_ADDRESSED = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^>]*)?>")
#: Amazon's own codes as a seller types them: then the question is what the code means
_CODE_ONLY = re.compile(r"\s*[A-Za-z]{2,4}[\s:_#-]{0,2}\d{4}\s*[?？。.]?\s*")
#: messages somebody wrote; every other subtype is Slack telling of an edit, a deletion, somebody joining
_WRITTEN = (None, "file_share", "thread_broadcast")


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = Questions(stories)
    registry.command("/faq", edge.command)
    registry.action("faq.show", edge.show)
    registry.action("faq.store", edge.choose_store)
    registry.action("faq.ask", edge.press_ask)
    registry.view("faq.ask", edge.asked)
    registry.event("message", edge.message)
    registry.event("app_mention", edge.mention)
    registry.event("assistant_thread_started", edge.agent_view.opened)
    registry.event("assistant_thread_context_changed", edge.agent_view.opened)
    registry.task("answer_question", edge.run_answer)
    registry.notice(Answered, edge.render_answered)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where something is asked. `thread` is empty where there is none to repeat oneself in."""

    channel_id: str = ""
    thread_ts: str = ""
    #: others read here: what is said is for the asker's eyes, and can be shared
    shared: bool = False
    #: nobody asked the bot: it speaks only when it has something to say
    uninvited: bool = False

    @property
    def place(self) -> Place | None:
        """Where an answer that comes later belongs; the DM, if nowhere else."""
        return Place(self.channel_id, self.thread_ts) if self.thread_ts and not self.shared else None


class Questions:
    """Answers, wherever they are asked for."""

    def __init__(self, stories: Stories) -> None:
        self._stories = stories
        self._teaching = Teaching(stories)
        self.agent_view = AgentView(stories)

    # --- where questions come from -----------------------------------------------------------------------------------

    async def command(self, call: CommandCall) -> None:
        question = html.unescape(call.text)
        if question.casefold() == "help":
            usage = [section(mrkdwn(call.person)("usage.faq"))]
            if await self._stories.desk.roles.works_at_desk(call.person):
                usage.append(section(mrkdwn(call.person)("usage.faq_agents")))
            await call.reply(message(*usage))
            return
        if said := await self._teaching.command(call, question.split()):
            await call.reply(said)
            return
        said = await self._said(call, question, Setting()) if question else self._menu(call.person)
        await call.reply(said or self._menu(call.person))

    async def show(self, call: ActionCall) -> None:
        """A topic was chosen."""
        await call.ack()
        setting = Setting(call.channel_id, call.thread_ts, shared=not call.channel_id.startswith("D"))
        await call.tell(await self._topic(call.person, call.argument, call.value, setting, fresh=True))

    async def choose_store(self, call: ActionCall) -> None:
        """Another of the asker's stores was meant. Raises UnknownStore."""
        slug, _, feature = call.argument.partition(":")
        named = FeatureKey(feature) if feature else None
        setting = Setting(call.channel_id, call.thread_ts, shared=not call.channel_id.startswith("D"))
        said = await self._topic(call.person, slug, "", setting, fresh=True, store_id=call.value, named=named)
        await call.ack()
        await call.tell(said)

    async def press_ask(self, call: ActionCall) -> None:
        """App Home's ask box, or a button that opens one."""
        question = call.inputs.get("faq.ask", "")
        if question:
            await call.ack()
            await call.tell(await self._said(call, question, Setting()) or self._menu(call.person))
            return
        say = call.say
        await call.open(
            modal(
                "faq.ask",
                title=say("home.ask"),
                submit=say("button.ask"),
                close=say("button.cancel"),
                blocks=[
                    field(
                        say("home.ask"),
                        text_input("question", multiline=True, placeholder=say("home.ask_example"), limit=3000),
                    )
                ],
            )
        )

    async def asked(self, call: ViewCall) -> None:
        said = await self._said(call, call.inputs.get("question", ""), Setting()) or self._menu(call.person)
        await call.replace_with(
            modal(
                "faq.answer",
                title=call.say("home.answer_title"),
                close=call.say("button.close"),
                blocks=[dict(block) for block in said.blocks],
            )
        )

    async def message(self, call: EventCall) -> None:
        """A direct message, or something said in a channel. What bots write, and edits, are not questions."""
        event = call.event
        if event.get("bot_id") or event.get("subtype") not in _WRITTEN or not call.person.user_id:
            return
        if event.get("channel_type") == "im":
            await self._direct(call)
        elif event.get("channel_type") in ("channel", "group"):
            await self._overheard(call)

    async def mention(self, call: EventCall) -> None:
        """A mention in a channel: answered so that only the asker sees it, since it speaks of their stores."""
        await call.ack()
        thread_ts = str(call.event.get("thread_ts") or call.event.get("ts", ""))
        said = await self._said(call, _words(call.event), Setting(call.channel_id, thread_ts, shared=True))
        await self._whisper(call, said or self._menu(call.person))

    async def _is_for_the_desk(self, call: EventCall, thread_ts: str) -> bool:
        """Passes on what a seller writes to the desk, and says so; a ticket that opens again with it says so itself."""
        say, text = mrkdwn(call.person), _words(call.event)
        # only the bot can see what is sent to it: a picture would not reach the agents
        pictures = context(say("ticket.no_files")) if call.event.get("files") else None
        try:
            heard = await self._stories.desk.talk.heard(
                call.person, text, channel_id=call.channel_id, ts=str(call.event.get("ts", "")), thread_ts=thread_ts
            )
        except EmptyQuestion:
            if pictures is None:
                raise
            await call.say_here(message(pictures), thread_ts=thread_ts)
            return True
        if heard is None:
            return False
        passed_on = None if heard.reopened else section(say("ticket.passed_on", number=heard.ticket.number))
        parts = [part for part in (passed_on, too_long(say, text), pictures) if part is not None]
        if parts:
            await call.say_here(message(*parts), thread_ts=thread_ts)
        return True

    async def _direct(self, call: EventCall) -> None:
        await call.ack()
        thread_ts = str(call.event.get("thread_ts") or "")
        if await self._is_for_the_desk(call, thread_ts):
            return
        if thread_ts:
            await self.agent_view.works(call, thread_ts)
        said = await self._said(call, _words(call.event), Setting(call.channel_id, thread_ts))
        await call.say_here(said or self._menu(call.person), thread_ts=thread_ts)

    async def _overheard(self, call: EventCall) -> None:
        """In an opened channel. A message to somebody is left to them, a mention of us to `mention`; agents answer, not ask."""
        words = _words(call.event)
        if not words or _ADDRESSED.search(str(call.event.get("text", ""))):
            return
        if not await self._stories.presence.listens_in(call.person.team_id, call.channel_id):
            return
        if await self._stories.desk.roles.works_at_desk(call.person):
            return
        await call.ack()
        thread_ts = str(call.event.get("thread_ts") or call.event.get("ts", ""))
        setting = Setting(call.channel_id, thread_ts, shared=True, uninvited=True)
        if said := await self._said(call, words, setting):
            await self._whisper(call, said)

    @staticmethod
    async def _whisper(call: EventCall, said: Message) -> None:
        """To the asker alone, in the thread if there is one: Slack shows ephemeral answers only in threads that exist."""
        await call.client.chat_postEphemeral(
            channel=call.channel_id,
            user=call.person.user_id,
            thread_ts=call.event.get("thread_ts"),
            text=said.text,
            blocks=[dict(block) for block in said.blocks],
        )

    # --- what is answered --------------------------------------------------------------------------------------------

    async def _said(self, call: Call, question: str, setting: Setting) -> Message | None:
        """The answer to a question in somebody's own words; None when there is nothing to say."""
        say, person = mrkdwn(call.person), call.person
        if not question.strip():
            return message(section(say("faq.hello")), *[dict(block) for block in self._menu(person).blocks])
        if _CODE_ONLY.fullmatch(question) and (found := recognise(question)):
            lines = code_lines(say, found, self._stories.names.facts(say), told=False)
            return message(*[section(line) for line in lines])
        understood = await self._stories.answering.understand(person, question)
        library = self._stories.answering.library
        if understood.band is Band.ANSWER:
            return await self._topic(person, understood.slugs[0], question, setting)
        if understood.band is Band.OFFER:
            return answer_cards.offer(
                person, library, "faq.likeliest", understood.slugs, question=question, none_of=understood.likeliest
            )
        if setting.uninvited:
            return None
        await self._stories.learning.missed(person, question, topic="", kind=MissKind.UNMATCHED)
        topics = await self._stories.answering.likely_topics(person, understood.guess)
        return answer_cards.offer(person, library, "faq.no_answer", topics, question=question, person_too=True)

    async def _topic(
        self,
        person: Person,
        slug: str,
        question: str,
        setting: Setting,
        *,
        fresh: bool = False,
        store_id: str = "",
        named: FeatureKey | None = None,
    ) -> Message | None:
        """One article for this asker; None when they have it already and did not ask. `fresh`: chosen, so said again."""
        answering, presence = self._stories.answering, self._stories.presence
        if slug not in answering.library.slugs:
            return self._menu(person)
        share = setting.thread_ts if setting.shared else ""
        claim = GivenAnswer(person.team_id, setting.channel_id, setting.thread_ts, slug, person.user_id)
        if await answering.needs_amazon(person, slug, question, store_id=store_id, feature=named):
            # asked by name, the present truth is worth asking for again
            if setting.uninvited and not await presence.says(claim, gist="asked"):
                return None
            await answering.later(person, slug, question, store_id=store_id, feature=named, place=setting.place)
            return answer_cards.asking_amazon(person, slug, share=share)
        answer = await answering.now(person, mrkdwn(person), slug, question, store_id=store_id, feature=named)
        if setting.thread_ts:
            new = await presence.says(claim, gist=answer.gist, general=answer.case is Case.GENERAL)
            if not new and not fresh:
                return None if setting.uninvited else answer_cards.already(person, slug)
        await answering.shown(person, slug)
        kept = without_personal(question, await answering.labels(person)) if question else ""
        return answer_cards.card(person, answer, question=kept, named=named, share=share)

    def _menu(self, person: Person) -> Message:
        return answer_cards.menu(person, self._stories.answering.library)

    # --- what comes later --------------------------------------------------------------------------------------------

    async def run_answer(self, team_id: str, arguments: Mapping[str, Any]) -> None:
        person = await self._stories.people.get(team_id, arguments["user_id"])
        feature = arguments.get("feature")
        await self._stories.answering.asked(
            person,
            mrkdwn(person),
            arguments["slug"],
            arguments["question"],
            store_id=arguments.get("store_id", ""),
            feature=FeatureKey(feature) if feature else None,
            place=Place(arguments.get("channel_id", ""), arguments.get("thread_ts", "")),
        )

    def render_answered(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, Answered):
            raise TypeError(type(notice).__name__)
        answer = Answer(
            slug=notice.slug,
            text=notice.text,
            button=Button(notice.button),
            store_id=notice.store_id,
            feature=notice.feature,
            choices=notice.choices,
        )
        thread = CardAddress(notice.channel_id, notice.thread_ts) if notice.thread_ts else None
        return [Sending(answer_cards.card(person, answer, question=notice.question), thread=thread)]


def _words(event: Mapping[str, Any]) -> str:
    """A message's text as its author typed it, without the mention of the bot."""
    return html.unescape(_ADDRESSED.sub(" ", str(event.get("text", "")))).strip()
