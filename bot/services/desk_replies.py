"""Answers to sellers: from a template, from an article, or in the agent's own words; in the seller's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.desk_notices import DeskReply
from bot.domain.features import FeatureKey
from bot.domain.templates import ARTICLE, OWN_WORDS, TEMPLATES
from bot.domain.tickets import Ticket, TicketMove
from bot.errors import NothingToSend, WrongChoice
from bot.i18n import Speaker
from bot.ports import Person, Work
from bot.services.answering import Answering
from bot.services.desk_acts import Acts
from bot.services.desk_care import article_for
from bot.services.naming import Names

#: characters of an agent's own words in an answer
WORDS_LIMIT = 1500

Speak = Callable[[Person], Speaker]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent chose to say: a template's key, an article behind `ARTICLE`, or nothing but their own words."""

    choice: str = OWN_WORDS
    words: str = ""
    #: the seller's turn comes next, whatever the template
    wants_more: bool = False

    @property
    def asks(self) -> bool:
        return self.wants_more or (self.choice in TEMPLATES and TEMPLATES[self.choice].asks)


@dataclass(frozen=True, slots=True)
class Preview:
    """The same answer as the seller will read it, and as the agent does."""

    seller: str
    agent: str
    locale: str


class Replies:
    """What agents say to sellers."""

    def __init__(self, acts: Acts, *, answering: Answering, names: Names) -> None:
        self._acts = acts
        self._answering = answering
        self._names = names

    async def preview(self, agent: Person, ticket_id: str, answer: Answer, *, speak: Speak) -> Preview:
        """The answer in both languages. `speak` makes a voice for the place the words will stand in."""
        ticket = await self._acts.ticket(agent, ticket_id)
        seller = await self._acts.seller_of(ticket)
        return Preview(
            await self._words(ticket, seller, answer, speak(seller)),
            await self._words(
                ticket, seller, answer, speak(Person(seller.team_id, seller.user_id, agent.locale, agent.tz))
            ),
            seller.locale,
        )

    async def reply(self, agent: Person, ticket_id: str, answer: Answer, *, speak: Speak) -> Ticket:
        """Answers the seller in their language, or asks them for something. An unclaimed ticket is claimed with it.

        Raises NothingToSend, and what `claim` raises.
        """
        before = await self._acts.ticket(agent, ticket_id)
        seller = await self._acts.seller_of(before)
        text = await self._words(before, seller, answer, speak(seller))
        if not text.strip():
            raise NothingToSend

        async def act(work: Work, ticket: Ticket) -> Ticket:
            mine = await self._acts.mine(work, ticket, agent)
            move = TicketMove.ASK if answer.asks else TicketMove.REPLY
            first = mine.answered_at is None
            replied = await self._acts.moved(work, mine, move)
            for user_id in await work.tickets.people(replied):
                await work.outbox.tell(
                    replied.team_id,
                    user_id,
                    DeskReply(
                        ticket_id=replied.id,
                        number=replied.number,
                        agent=agent.user_id,
                        text=text,
                        asks=answer.asks,
                    ),
                )
            if first:
                taken = self._acts.targets.hours.between(replied.opened_at, self._acts.clock())
                self._acts.observe.first_answer(
                    replied.topic, replied.locale, taken, on_time=taken <= self._acts.targets.answer
                )
            await self._acts.say(work, replied, agent, "asked" if answer.asks else "replied", words=text)
            return replied

        return await self._acts.racing(agent, ticket_id, act)

    async def _words(self, ticket: Ticket, seller: Person, answer: Answer, say: Speaker) -> str:
        """A template or an article about the seller's stores, then the agent's own words as they are."""
        own = say.fact(answer.words.strip()[:WORDS_LIMIT])
        if answer.choice == OWN_WORDS:
            return own
        if answer.choice.startswith(ARTICLE):
            slug = answer.choice.removeprefix(ARTICLE)
            if slug not in self._answering.library.slugs:
                raise WrongChoice
            said = await article_for(self._answering, ticket, seller, say, slug)
        elif answer.choice in TEMPLATES:
            feature = ticket.feature or FeatureKey.ORDERS
            said = say(f"desk.reply.{answer.choice}", **self._names.of_feature(say, feature))
        else:
            raise WrongChoice
        return f"{said}\n\n{own}" if own else said
