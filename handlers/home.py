"""App Home: for agents the desk, for everybody their stores, what to do next, and a box to ask in."""

from __future__ import annotations

from typing import Any

from bot.i18n import Speaker
from bot.ports import Person
from bot.ports.desk import Queue
from handlers import desk_home
from handlers.blocks import Block, actions, button, context, divider, field, header, mrkdwn, section, text_input
from handlers.routing import ActionCall, Call, EventCall, Registry
from handlers.status import store_blocks
from handlers.stories import Stories

#: stores on one page: three blocks each, under the hundred of a view
PAGE = 25
_BLOCKS_OF_STORE = 3
#: with room for what stands around the stores
_MOST_BLOCKS = 90


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = _Home(stories)
    registry.event("app_home_opened", edge.opened)
    registry.action("home.page", edge.turn)
    desk_home.hang(registry, stories, edge.publish)


class _Home:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    async def opened(self, call: EventCall) -> None:
        if call.event.get("tab", "home") != "home":
            return
        await call.ack()
        await self.publish(call, Queue.UNCLAIMED, 0)

    async def turn(self, call: ActionCall) -> None:
        page = int(call.value) if call.value.isdigit() else 0
        view = await self._view(call.person, page, Queue.UNCLAIMED, 0)
        await call.client.views_publish(user_id=call.person.user_id, view=view)

    async def publish(self, call: Call, queue: Queue, page: int) -> None:
        """Shows the home anew, an agent's with that page of that queue."""
        view = await self._view(call.person, 0, queue, page)
        await call.client.views_publish(user_id=call.person.user_id, view=view)

    async def _view(self, person: Person, page: int, queue: Queue, queue_page: int) -> dict[str, Any]:
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        reports = await self._stories.reporting.stores(person)
        blocks: list[Block] = await desk_home.desk_blocks(self._stories, person, queue, queue_page)
        # a view holds a hundred blocks
        shown = PAGE if not blocks else max(1, (_MOST_BLOCKS - len(blocks)) // _BLOCKS_OF_STORE)
        blocks.append(header(bare("home.title")))
        if not reports:
            blocks.append(section(bare("home.empty")))
        for report in reports[page * shown : (page + 1) * shown]:
            blocks += [*store_blocks(say, bare, report), divider()]
        turns = [
            button(bare(key), f"home.page:{goal}", value=str(goal))
            for key, goal, there in (
                ("button.previous", page - 1, page > 0),
                ("button.next", page + 1, len(reports) > (page + 1) * shown),
            )
            if there
        ]
        blocks.append(
            actions(
                button(bare("button.add_store"), "store.add", style="" if reports else "primary"),
                button(bare("button.prepare"), "store.prepare"),
                *turns,
            )
        )
        blocks.append(
            field(
                bare("home.ask"),
                text_input("faq.ask", placeholder=bare("home.ask_example"), limit=3000),
                dispatch=True,
                optional=True,
            )
        )
        blocks.append(context(say("home.commands")))
        return {"type": "home", "blocks": blocks}
