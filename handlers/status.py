"""Reacts to `/authstatus [store]`: each store with the platform's label, both features, the day each ends, and the buttons
that make sense. What it shows is what was last learned; its *check* buttons ask Amazon. Agents also name a seller, or `all`.
"""

from __future__ import annotations

from bot.errors import NoStores, NoStoresThere, UnknownPerson
from bot.i18n import Speaker
from bot.ports import Message, Person
from bot.services.naming import Names
from bot.services.reporting import StoreReport
from handlers.blocks import Block, actions, button, divider, message, mrkdwn, section
from handlers.desk_lists import everybody_message, seller_message
from handlers.members import require_person
from handlers.routing import ActionCall, CommandCall, Registry
from handlers.store_buttons import grant_buttons
from handlers.stories import Stories
from handlers.wording import report_lines
from handlers.words import mentioned_user, number_in, page_in, split_words

#: stores on one page: three blocks each, under Slack's fifty
PAGE = 12


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = _Status(stories)
    registry.command("/authstatus", edge.command)
    registry.action("status.show", edge.press)


class _Status:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    async def command(self, call: CommandCall) -> None:
        words = split_words(call.text)
        agent = bool(words) and await self._stories.desk.roles.works_at_desk(call.person)
        if words and words[0].casefold() == "help":
            say = mrkdwn(call.person)
            lines = [say("usage.authstatus"), *([say("usage.authstatus_agent")] if agent else [])]
            await call.reply(message(section("\n".join(lines))))
            return
        if words and (seller := mentioned_user(words[0])):
            await call.reply(await self._of_seller(call, seller))
            return
        if agent and words[0].startswith("@"):  # Slack makes a mention of everybody it knows
            raise UnknownPerson
        if agent and words[0].casefold() == "all":
            found = await self._stories.desk.queue.everybody(call.person, page_in(words[1:]))
            await call.reply(everybody_message(call.person, found))
            return
        if words:
            store = await self._stories.stores.find(call.person, " ".join(words))
            await call.reply(await self._one(call.person, store.id))
            return
        await call.reply(await self.page(call.person, 0))

    async def _of_seller(self, call: CommandCall, seller: str) -> Message:
        try:
            reports = await self._stories.desk.queue.of_seller(call.person, seller)
        except NoStoresThere:
            await require_person(call, seller)
            raise
        return seller_message(call.person, self._stories.names, seller, reports)

    async def press(self, call: ActionCall) -> None:
        await call.whisper(await self.page(call.person, number_in(call.value)))

    async def _one(self, person: Person, store_id: str) -> Message:
        report = await self._stories.reporting.store(person, store_id)
        bare = Speaker(person.locale, tz=person.tz)
        return message(*store_blocks(mrkdwn(person), bare, self._stories.names, report))

    async def page(self, person: Person, page: int) -> Message:
        """A page of the person's stores. Raises NoStores."""
        reports = await self._stories.reporting.stores(person)
        if not reports:
            raise NoStores
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        blocks: list[Block] = []
        for report in reports[page * PAGE : (page + 1) * PAGE]:
            blocks += [*store_blocks(say, bare, self._stories.names, report), divider()]
        blocks = blocks[:-1]
        turns = [
            button(bare(key), f"status.show:{goal}", value=str(goal))
            for key, goal, there in (
                ("button.previous", page - 1, page > 0),
                ("button.next", page + 1, len(reports) > (page + 1) * PAGE),
            )
            if there
        ]
        if turns:
            blocks.append(actions(*turns))
        return message(*blocks)


def store_blocks(say: Speaker, bare: Speaker, names: Names, report: StoreReport) -> list[Block]:
    """One store: its lines and its buttons."""
    if report.store.disabled_at is not None:
        enable = button(bare("button.enable"), "store.do:enable", value=report.store.id)
        return [section(report_lines(say, names, report)), actions(enable)]
    return [section(report_lines(say, names, report)), actions(*grant_buttons(bare, report))]
