"""Reacts to `/faq [question or code]`, to direct messages, to mentions, and to App Home's ask box.

A code is explained; a question is answered after a look at the asker's stores, or three likely ones are offered, or nothing
is claimed. Only Q1 and Q2 may have to ask Amazon first: then the answer follows in the DM.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.error_codes import recognise
from bot.domain.features import FeatureKey
from bot.domain.notices import Answered, Notice
from bot.domain.tickets import Source
from bot.i18n import Speaker
from bot.ports import Message, Person, Sending
from bot.services.answering import FIVE, Answer
from bot.services.support import Ask
from faq.facts import Button
from faq.matcher import Band
from handlers.blocks import (
    BUTTON_VALUE,
    Block,
    actions,
    button,
    field,
    fit,
    message,
    modal,
    mrkdwn,
    section,
    text_input,
)
from handlers.error_codes import code_lines
from handlers.routing import ActionCall, Call, CommandCall, EventCall, Registry, ViewCall
from handlers.stories import Stories

_MENTION = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^>]*)?>")
#: Amazon's own codes as a seller types them: then the question is what the code means
_CODE_ONLY = re.compile(r"\s*[A-Za-z]{2,4}[\s:_#-]{0,2}\d{4}\s*[?？。.]?\s*")


#: a mending button's face, and its action
_MENDING: Mapping[Button, tuple[str, str]] = {
    Button.GRANT_ORDERS: ("button.grant", "grant.start"),
    Button.GRANT_LISTING: ("button.grant", "grant.start"),
    Button.RENEW: ("button.renew_feature", "grant.start"),
    Button.NEW_LINK: ("button.new_link", "grant.start"),
    Button.CHECK: ("button.check", "grant.check"),
    Button.EDIT_STORE: ("button.edit", "store.do:edit"),
    Button.ENABLE_STORE: ("button.enable", "store.do:enable"),
}
_FEATURE_OF: Mapping[Button, FeatureKey] = {
    Button.GRANT_ORDERS: FeatureKey.ORDERS,
    Button.GRANT_LISTING: FeatureKey.LISTING,
}


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = Questions(stories)
    registry.command("/faq", edge.command)
    registry.action("faq.show", edge.show)
    registry.action("faq.ask", edge.press_ask)
    registry.action("faq.person", edge.ask_person)
    registry.view("faq.ask", edge.asked)
    registry.event("message", edge.message)
    registry.event("app_mention", edge.mention)
    registry.task("answer_question", edge.run_answer)
    registry.notice(Answered, edge.render_answered)


class Questions:
    """Answers, wherever they are asked for."""

    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    # --- where questions come from -----------------------------------------------------------------------------------

    async def command(self, call: CommandCall) -> None:
        question = html.unescape(call.text)
        if question.casefold() == "help":
            await call.reply(message(section(mrkdwn(call.person)("usage.faq"))))
            return
        await call.reply(await self._said(call, question) if question else self._menu(call.person))

    async def show(self, call: ActionCall) -> None:
        """A topic was chosen."""
        await call.ack()
        await self._whisper_or_say(call, await self._topic(call.person, call.argument, call.value))

    async def press_ask(self, call: ActionCall) -> None:
        """App Home's ask box, or a button that opens one."""
        question = call.inputs.get("faq.ask", "")
        if question:
            await call.ack()
            await self._whisper_or_say(call, await self._said(call, question))
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
        said = await self._said(call, call.inputs.get("question", ""))
        await call.replace_with(
            modal(
                "faq.answer",
                title=call.say("home.answer_title"),
                close=call.say("button.close"),
                blocks=[dict(block) for block in said.blocks],
            )
        )

    async def message(self, call: EventCall) -> None:
        """A direct message. Its own answers, edits and what other bots write are not questions."""
        event = call.event
        if event.get("channel_type") != "im" or event.get("bot_id") or event.get("subtype"):
            return
        await call.ack()
        thread = str(event.get("thread_ts") or "")
        heard = await self._stories.desk.talk.heard(
            call.person, _words(event), channel_id=call.channel_id, ts=str(event.get("ts", "")), thread_ts=thread
        )
        if heard is not None:
            said = message(section(mrkdwn(call.person)("ticket.passed_on", number=heard.number)))
        else:
            said = await self._said(call, _words(event))
        await call.client.chat_postMessage(
            channel=call.channel_id,
            thread_ts=event.get("thread_ts"),
            text=said.text,
            blocks=[dict(block) for block in said.blocks],
            unfurl_links=False,
            unfurl_media=False,
        )

    async def mention(self, call: EventCall) -> None:
        """A mention in a channel: answered so that only the asker sees it, since it speaks of their stores."""
        await call.ack()
        said = await self._said(call, _words(call.event))
        await call.client.chat_postEphemeral(
            channel=call.channel_id,
            user=call.person.user_id,
            thread_ts=call.event.get("thread_ts"),
            text=said.text,
            blocks=[dict(block) for block in said.blocks],
        )

    async def ask_person(self, call: ActionCall) -> None:
        """The question goes to the desk, with the words it was asked in; its card comes to the DM."""
        store_id, _, question = call.value.partition("|")
        opened = await self._stories.support.ask_person(
            call.person,
            Ask(
                Source.ANSWER,
                question=question,
                topic=call.argument,
                store_id=store_id or None,
            ),
        )
        await call.ack()
        if not call.channel_id.startswith("D"):
            say = mrkdwn(call.person)
            await call.whisper(message(section(say("faq.person_told", number=opened.ticket.number))))

    # --- what is answered --------------------------------------------------------------------------------------------

    async def _said(self, call: Call, question: str) -> Message:
        """The answer to a question in somebody's own words."""
        say = mrkdwn(call.person)
        if not question.strip():
            return message(section(say("faq.hello")), *[dict(block) for block in self._menu(call.person).blocks])
        if _CODE_ONLY.fullmatch(question) and (found := recognise(question)):
            lines = code_lines(say, found, self._stories.names.facts(say), told=False)
            return message(*[section(line) for line in lines])
        match = await self._stories.answering.match(call.person, question)
        if match.band is Band.ANSWER:
            return await self._topic(call.person, match.slugs[0], question)
        if match.band is Band.OFFER:
            return self._offer(call.person, "faq.likeliest", match.slugs, question)
        return self._offer(call.person, "faq.no_answer", FIVE, question, person_too=True)

    async def _topic(self, person: Person, slug: str, question: str) -> Message:
        answering = self._stories.answering
        if slug not in answering.library.slugs:
            return self._menu(person)
        say = mrkdwn(person)
        if await answering.needs_amazon(person, slug, question):
            await answering.later(person, slug, question)
            return message(section(say("faq.asking_amazon")))
        answer = await answering.now(person, say, slug, question)
        await answering.shown(person, slug)
        return self._card(person, answer, question)

    def _menu(self, person: Person) -> Message:
        return self._offer(person, "faq.choose", FIVE, "")

    def _offer(
        self, person: Person, key: str, slugs: Sequence[str], question: str, *, person_too: bool = False
    ) -> Message:
        say = mrkdwn(person)
        library = self._stories.answering.library
        buttons = [
            button(fit(library.article(slug, person.locale).short, 75), f"faq.show:{slug}", value=fit(question, 1900))
            for slug in slugs
        ]
        if person_too:
            face = say.escaping(str)("button.ask_person")
            buttons.append(button(face, "faq.person", value=_carried("", question)))
        return message(section(say(key)), actions(*buttons))

    def _card(self, person: Person, answer: Answer, question: str) -> Message:
        bare = Speaker(person.locale, tz=person.tz)
        mend = self._button(bare, answer)
        carried = _carried(answer.store_id, question)
        person_button = button(bare("button.ask_person"), f"faq.person:{answer.slug}", value=carried)
        return message(section(answer.text), actions(*([mend] if mend else []), person_button))

    @staticmethod
    def _button(say: Speaker, answer: Answer) -> Block | None:
        """The one button that mends what was found."""
        if answer.button is Button.ASK_PERSON:
            return None
        if answer.button is Button.ADD_STORE:
            return button(say("button.add_store"), "store.add", style="primary")
        if not answer.store_id:
            return button(say("button.status"), "status.show")
        face, action = _MENDING[answer.button]
        feature = _FEATURE_OF.get(answer.button, answer.feature)
        words = say(face, feature=say(f"feature.{feature.value}.name"))
        action_id = f"{action}:{feature.value}" if action.startswith("grant.") else action
        return button(words, action_id, value=answer.store_id, style="primary")

    async def run_answer(self, team_id: str, arguments: Mapping[str, Any]) -> None:
        person = await self._stories.people.get(team_id, arguments["user_id"])
        await self._stories.answering.asked(person, mrkdwn(person), arguments["slug"], arguments["question"])

    def render_answered(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, Answered):
            raise TypeError(type(notice).__name__)
        answer = Answer(
            slug=notice.slug,
            text=notice.text,
            button=Button(notice.button),
            store_id=notice.store_id,
            feature=notice.feature,
        )
        return [Sending(self._card(person, answer, notice.question))]

    @staticmethod
    async def _whisper_or_say(call: Call, said: Message) -> None:
        """In the DM it stays readable; in a channel only the asker sees it."""
        if call.channel_id.startswith("D"):
            await call.client.chat_postMessage(
                channel=call.channel_id,
                text=said.text,
                blocks=[dict(block) for block in said.blocks],
                unfurl_links=False,
                unfurl_media=False,
            )
        else:
            await call.whisper(said)


def _carried(store_id: str, question: str) -> str:
    """What *ask a person* takes along: the store, and the question as it was asked."""
    return fit(f"{store_id}|{question}", BUTTON_VALUE)


def _words(event: Mapping[str, Any]) -> str:
    """A message's text as its author typed it, without the mention of the bot."""
    return html.unescape(_MENTION.sub(" ", str(event.get("text", "")))).strip()
