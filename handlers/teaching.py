"""Reacts to `/faq misses`, `/faq taught` and `/faq channel on|off`: what agents do with questions that were not answered well.

Two clicks make a phrase of a miss: choose its topic, confirm. Everybody else is told that it is for agents.
"""

from __future__ import annotations

from bot.domain.questions import PHRASE_LIMIT, Miss, MissCount
from bot.i18n import LOCALES
from bot.ports import Message, Person
from bot.services.learning import Taught
from faq.library import NONE
from handlers.answer_cards import bare
from handlers.blocks import (
    Block,
    actions,
    button,
    confirmation,
    context,
    divider,
    escape,
    field,
    fit,
    header,
    message,
    modal,
    mrkdwn,
    option,
    plain,
    section,
    select,
    text_input,
)
from handlers.routing import ActionCall, CommandCall, Registry, ViewCall
from handlers.stories import Stories
from handlers.words import number_in

#: questions on a page, each with a menu of topics: together under what Slack lets us post
PAGE = 5
#: of a question, as it is shown: one full of marks grows when they are escaped
_QUOTED = 500
#: topics to choose from at once; the form has the others
LIKELY = 7
_ANOTHER = "another"
#: phrases on a page, each with a button that asks before it acts
TAUGHT_PAGE = 10
_COUNTS_SHOWN = 6
_SWITCH = ("on", "off")


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry. Its commands are words of `/faq`."""
    edge = Teaching(stories)
    registry.action("faq.misses", edge.turn_misses)
    registry.action("faq.teach", edge.choose_topic)
    registry.action("faq.dismiss", edge.dismiss)
    registry.action("faq.taught", edge.turn_taught)
    registry.action("faq.undo", edge.undo)
    registry.view("faq.teach", edge.teach)


class Teaching:
    """The agents' side of questions."""

    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    async def command(self, call: CommandCall, words: list[str]) -> Message | None:
        """What an agent's word of `/faq` shows; None when it is a question. Raises NotAnAgent, NotAChannel."""
        match [word.casefold() for word in words]:
            case ["misses"]:
                return await self._misses(call.person, 0)
            case ["taught"]:
                return await self._taught(call.person, 0)
            case ["channel", switch] if switch in _SWITCH:
                return await self._switch(call, on=switch == "on")
            case _:
                return None

    async def turn_misses(self, call: ActionCall) -> None:
        await call.tell(await self._misses(call.person, _page(call)))

    async def turn_taught(self, call: ActionCall) -> None:
        await call.tell(await self._taught(call.person, _page(call)))

    async def choose_topic(self, call: ActionCall) -> None:
        """The first click: the topic. The second is this form's button; the words may be mended before."""
        miss = await self._stories.learning.miss(call.person, call.argument)
        if miss is None:
            await call.tell(message(section(mrkdwn(call.person)("teach.gone"))))
            return
        say = call.say
        await call.open(
            modal(
                "faq.teach",
                title=say("teach.title"),
                submit=say("button.teach"),
                close=say("button.cancel"),
                notes={"miss_id": miss.id, "slug": call.value},
                blocks=[
                    self._meaning(call.person, call.value),
                    field(
                        say("teach.phrase"),
                        text_input("phrase", initial=fit(miss.text, PHRASE_LIMIT), multiline=True, limit=PHRASE_LIMIT),
                        hint=say("teach.phrase_hint"),
                    ),
                    field(
                        say("teach.language"),
                        select("locale", [option(say(f"language.{one}"), one) for one in LOCALES], initial=miss.locale),
                    ),
                ],
            )
        )

    async def teach(self, call: ViewCall) -> None:
        """Raises NotAnAgent, UnknownTopic, PhraseUnusable, PhraseCollides."""
        taught = await self._stories.learning.teach(
            call.person,
            call.inputs.get("phrase", ""),
            slug=call.inputs.get("topic") or call.notes.get("slug", ""),
            locale=call.inputs.get("locale", "en"),
            miss_id=call.notes.get("miss_id", ""),
        )
        say = mrkdwn(call.person)
        done = say("teach.done", phrase=taught.text, topic=self._topic(call.person, taught.slug))
        await call.replace_with(
            modal("faq.taught", title=call.say("teach.title"), close=call.say("button.close"), blocks=[section(done)])
        )

    async def dismiss(self, call: ActionCall) -> None:
        await self._stories.learning.dismiss(call.person, call.value)
        await call.tell(await self._misses(call.person, 0))

    async def undo(self, call: ActionCall) -> None:
        phrase = await self._stories.learning.undo(call.person, call.value)
        say = mrkdwn(call.person)
        gone = say("teach.gone") if phrase is None else say("teach.undone", phrase=phrase.text)
        await call.tell(message(section(gone)))

    async def _switch(self, call: CommandCall, *, on: bool) -> Message:
        changed = await self._stories.presence.switch(call.person, call.channel_id, on=on)
        key = "on" if on else "off"
        return message(section(mrkdwn(call.person)(f"channel.{key}" if changed else f"channel.{key}_already")))

    async def _misses(self, agent: Person, page: int) -> Message:
        found, total = await self._stories.learning.misses(agent, page=page, size=PAGE)
        say, faces = mrkdwn(agent), bare(agent)
        counts = await self._stories.learning.counts(agent)
        blocks: list[Block] = [header(faces("misses.title"))]
        if counts:
            shown = [self._count(agent, one) for one in counts[:_COUNTS_SHOWN]]
            blocks.append(context(f"{say('misses.counted')} {' · '.join(shown)}"))
        if not found:
            blocks.append(section(say("misses.none")))
        for miss in found:
            blocks += [
                section(f">{fit(escape(miss.text), _QUOTED).replace(chr(10), ' ')}"),
                context(self._how(agent, miss)),
                actions(self._topics(agent, miss), button(faces("button.dismiss"), "faq.dismiss", value=miss.id)),
            ]
        blocks += _turns(agent, "faq.misses", page, more=total > (page + 1) * PAGE)
        return message(*blocks)

    async def _taught(self, agent: Person, page: int) -> Message:
        every = await self._stories.learning.taught(agent)
        say, faces = mrkdwn(agent), bare(agent)
        blocks: list[Block] = [header(faces("taught.title"))]
        blocks.append(context(say("taught.export")) if every else section(say("taught.none")))
        blocks += [self._phrase(agent, one) for one in every[page * TAUGHT_PAGE : (page + 1) * TAUGHT_PAGE]]
        blocks += _turns(agent, "faq.taught", page, more=len(every) > (page + 1) * TAUGHT_PAGE)
        return message(*blocks)

    def _phrase(self, agent: Person, taught: Taught) -> Block:
        say, faces, phrase = mrkdwn(agent), bare(agent), taught.phrase
        facts = {"phrase": phrase.text, "topic": self._topic(agent, phrase.slug), "day": phrase.taught_at.date()}
        line = f"{say('taught.line', **facts)} <@{phrase.taught_by}>"
        if taught.in_articles:
            line += f" · {say('taught.in_articles')}"
        undo = button(
            faces("button.undo"),
            "faq.undo",
            value=phrase.id,
            confirm=confirmation(
                title=faces("taught.undo_title"),
                text=fit(faces("taught.undo_ask", phrase=phrase.text), 300),
                yes=faces("button.undo"),
                no=faces("button.cancel"),
            ),
        )
        return section(line, accessory=undo)

    def _topics(self, agent: Person, miss: Miss) -> Block:
        """The first click. The likeliest topics, or silence: not every question is ours."""
        faces, library = bare(agent), self._stories.answering.library
        likely = self._stories.learning.likely_topics(agent, miss.text, most=LIKELY)
        return {
            "type": "static_select",
            "action_id": f"faq.teach:{miss.id}",
            "placeholder": plain(faces("misses.choose_topic")),
            "options": [
                *[option(library.article(slug, agent.locale).short, slug) for slug in likely if slug in library.slugs],
                option(faces("misses.silence"), NONE),
                option(faces("misses.another"), _ANOTHER),
            ],
        }

    def _meaning(self, agent: Person, slug: str) -> Block:
        """What was chosen; or all topics, for what is none of the likeliest."""
        faces, library = bare(agent), self._stories.answering.library
        if slug != _ANOTHER:
            return section(mrkdwn(agent)("teach.means", topic=self._topic(agent, slug)))
        every = [option(library.article(one, agent.locale).short, one) for one in library.slugs]
        return field(faces("misses.choose_topic"), select("topic", every))

    def _topic(self, agent: Person, slug: str) -> str:
        library = self._stories.answering.library
        if slug in library.slugs:
            return library.article(slug, agent.locale).short
        return bare(agent)("misses.silence") if slug == NONE else slug

    def _how(self, agent: Person, miss: Miss) -> str:
        say = mrkdwn(agent)
        parts = [say.count("misses.times", miss.times), say(f"language.{miss.locale}"), say(f"miss.{miss.kind.value}")]
        if miss.topic:
            parts.append(escape(self._topic(agent, miss.topic)))
        return " · ".join(parts)

    def _count(self, agent: Person, count: MissCount) -> str:
        say = mrkdwn(agent)
        topic = escape(self._topic(agent, count.topic)) if count.topic else say(f"miss.{count.kind.value}")
        return f"{topic} ({say(f'language.{count.locale}')}) {count.times}"


def _page(call: ActionCall) -> int:
    return number_in(call.value)


def _turns(agent: Person, action: str, page: int, *, more: bool) -> list[Block]:
    faces = bare(agent)
    turns = [
        button(faces(key), f"{action}:{goal}", value=str(goal))
        for key, goal, there in (("button.previous", page - 1, page > 0), ("button.next", page + 1, more))
        if there
    ]
    return [divider(), actions(*turns)] if turns else []
