"""The support desk. Reacts to `/desk` (the queue, one ticket, a new one, the week's numbers); its cards, forms, lists and
news are in the modules beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import NotAnAgent, UnknownWord, WhichTicket
from bot.ports import Message, Person
from bot.ports.desk import Queue
from handlers import desk_acts, desk_cards, desk_new, desk_news
from handlers.blocks import message, mrkdwn, problem_message, section
from handlers.desk_lists import everybody_message, queue_message
from handlers.routing import ActionCall, CommandCall, Registry
from handlers.stories import Stories
from handlers.words import as_typed, first_word, number_in, page_in, pick


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = _DeskCommand(stories)
    registry.command("/desk", edge.command)
    registry.action("desk.queue", edge.turn)
    registry.action("desk.everybody", edge.turn_everybody)
    desk_cards.hang(registry, stories)
    desk_acts.hang(registry, stories)
    desk_new.hang(registry, stories)
    desk_news.hang(registry, stories)


_WORDS = (*(queue.value for queue in Queue), "new", "show", "claim", "numbers", "help")
_OF_ONE = ("show", "claim")
_FOR_SELLERS = ("new", "help")


class _DeskCommand:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories
        self._new = desk_new.New(stories)
        self._cards = desk_cards.Cards(stories)
        self._news = desk_news.News(stories)

    async def command(self, call: CommandCall) -> None:
        first, rest = first_word(as_typed(call.text))
        agent = await self._stories.desk.roles.works_at_desk(call.person)
        if not first:
            told = await self._page(call.person, Queue.UNCLAIMED, 0) if agent else self._usage(call.person, agent=False)
            await call.reply(told)
            return
        if not agent and first.casefold() in set(_WORDS) - set(_FOR_SELLERS):
            raise NotAnAgent
        try:
            word = pick(first, _WORDS if agent else _FOR_SELLERS)
        except UnknownWord as problem:
            told, usage = problem_message(problem, call.person), self._usage(call.person, agent=agent)
            await call.reply(Message(f"{told.text}\n{usage.text}", [*told.blocks, *usage.blocks]))
            return
        if word == "new":
            await self._new.command(call, rest)
        elif word == "help":
            await call.reply(self._usage(call.person, agent=agent))
        else:
            await call.reply(await self._for_agents(call.person, word, rest.split()))

    async def _for_agents(self, agent: Person, word: str, rest: Sequence[str]) -> Message:
        desk = self._stories.desk
        if word in _OF_ONE and not rest:
            raise WhichTicket(word=word)
        match word:
            case "numbers":
                return self._news.numbers(await desk.numbers.last_week(agent), agent)
            case "show":
                ticket = await desk.acts.numbered(agent, " ".join(rest))
                return self._cards.shown(await desk.care.card(agent, ticket.id, say=mrkdwn(agent)), agent)
            case "claim":
                ticket = await desk.acts.numbered(agent, " ".join(rest))
                claimed = await desk.work.claim(agent, ticket.id)
                return message(section(mrkdwn(agent)("desk.done.claimed", number=claimed.number)))
            case _:
                return await self._page(agent, Queue(word), page_in(rest))

    async def _page(self, agent: Person, queue: Queue, page: int) -> Message:
        found = await self._stories.desk.queue.page(agent, queue, page)
        return queue_message(agent, self._stories.names, found)

    async def turn(self, call: ActionCall) -> None:
        """A filter, or a page: the argument is the queue, with the page's turn behind a dot."""
        queue = Queue(call.argument.partition(".")[0])
        page = number_in(call.value)
        await call.whisper(await self._page(call.person, queue, page))

    async def turn_everybody(self, call: ActionCall) -> None:
        page = number_in(call.value)
        found = await self._stories.desk.queue.everybody(call.person, page)
        await call.whisper(everybody_message(call.person, found))

    @staticmethod
    def _usage(person: Person, *, agent: bool) -> Message:
        return message(section(mrkdwn(person)("usage.desk" if agent else "usage.desk_seller")))
