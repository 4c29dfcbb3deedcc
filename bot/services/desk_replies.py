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
from bot.services.answering import Answer as Article
from bot.services.answering import Answering
from bot.services.desk_acts import Acts
from bot.services.desk_cards import tell_seller
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


@dataclass(frozen=True, slots=True)
class _Said:
    """The words, and the article they are from: its button mends what it speaks of."""

    text: str
    article: Article | None = None


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
        as_agent = Person(seller.team_id, seller.user_id, agent.locale, agent.tz)
        return Preview(
            (await self._said(ticket, seller, answer, speak(seller))).text,
            (await self._said(ticket, seller, answer, speak(as_agent))).text,
            seller.locale,
        )

    async def reply(self, agent: Person, ticket_id: str, answer: Answer, *, speak: Speak) -> Ticket:
        """Answers the seller in their language, or asks them for something. An unclaimed ticket is claimed with it.

        Raises NothingToSend, and what `claim` raises.
        """
        before = await self._acts.ticket(agent, ticket_id)
        seller = await self._acts.seller_of(before)
        said = await self._said(before, seller, answer, speak(seller))
        if not said.text.strip():
            raise NothingToSend
        to_each = await self._to_each(before, answer, speak)

        async def act(work: Work, ticket: Ticket) -> Ticket:
            mine = await self._acts.mine(work, ticket, agent)
            move = TicketMove.ASK if answer.asks else TicketMove.REPLY
            first = mine.answered_at is None
            replied = await self._acts.moved(work, mine, move)
            await tell_seller(work, replied, "changed")
            for user_id in await work.tickets.people(replied):
                reply = _notice(replied, agent, to_each.get(user_id, said), asks=answer.asks)
                await work.outbox.tell(replied.team_id, user_id, reply)
            if first:
                taken = self._acts.targets.hours.between(replied.opened_at, self._acts.clock())
                self._acts.observe.first_answer(
                    replied.topic, replied.locale, taken, on_time=taken <= self._acts.targets.answer
                )
            await self._acts.say(work, replied, agent, "asked" if answer.asks else "replied", words=said.text)
            return replied

        return await self._acts.racing(agent, ticket_id, act)

    async def _to_each(self, ticket: Ticket, answer: Answer, speak: Speak) -> dict[str, _Said]:
        """Colleagues who asked as well read it in their own language."""
        async with self._acts.database.read() as work:
            asked = await work.tickets.people(ticket)
        people = [await self._acts.people.get(ticket.team_id, user_id) for user_id in asked]
        return {one.user_id: await self._said(ticket, one, answer, speak(one)) for one in people}

    async def _said(self, ticket: Ticket, seller: Person, answer: Answer, say: Speaker) -> _Said:
        """A template or an article about the seller's stores, then the agent's own words as they are."""
        own = say.fact(answer.words.strip()[:WORDS_LIMIT])
        if answer.choice == OWN_WORDS:
            return _Said(own)
        if answer.choice.startswith(ARTICLE):
            slug = answer.choice.removeprefix(ARTICLE)
            if slug not in self._answering.library.slugs:
                raise WrongChoice
            article = await article_for(self._answering, self._names, ticket, seller, say, slug)
            return _Said(_joined(article.text, own), article)
        if answer.choice not in TEMPLATES:
            raise WrongChoice
        feature = ticket.feature or FeatureKey.ORDERS
        return _Said(_joined(say(f"desk.reply.{answer.choice}", **self._names.of_feature(say, feature)), own))


def _notice(ticket: Ticket, agent: Person, said: _Said, *, asks: bool) -> DeskReply:
    article = said.article
    return DeskReply(
        ticket_id=ticket.id,
        number=ticket.number,
        agent=agent.user_id,
        text=said.text,
        asks=asks,
        button=article.button.value if article else "",
        store_id=article.store_id if article else "",
        feature=article.feature if article else None,
    )


def _joined(said: str, own: str) -> str:
    return f"{said}\n\n{own}" if own else said
