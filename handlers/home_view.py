"""What App Home shows: for agents the queue, for admins who works at the desk, for everybody their stores and an ask box."""

from __future__ import annotations

from typing import Any

from bot.i18n import Speaker
from bot.ports import Person
from bot.ports.desk import Queue
from bot.services.roles import CONFIGURATION
from handlers.blocks import Block, actions, button, context, divider, field, header, mrkdwn, section, text_input
from handlers.desk_lists import queue_blocks
from handlers.routing import Call
from handlers.status import store_blocks
from handlers.stories import Stories

#: stores on one page: three blocks each, under the hundred of a view
PAGE = 25
_BLOCKS_OF_STORE = 3
#: with room for what stands around the stores
_MOST_BLOCKS = 90
#: people in the list of roles: a block each, with room for the queue above
_MOST_PEOPLE = 20


async def publish(call: Call, stories: Stories, *, queue: Queue = Queue.UNCLAIMED, page: int = 0) -> None:
    """Shows the home anew, an agent's with that page of that queue."""
    view = await home_view(stories, call.person, page=0, queue=queue, queue_page=page)
    await call.client.views_publish(user_id=call.person.user_id, view=view)


async def home_view(stories: Stories, person: Person, *, page: int, queue: Queue, queue_page: int) -> dict[str, Any]:
    """The whole of it: a page of a queue, and a page of the person's own stores."""
    say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
    reports = await stories.reporting.stores(person)
    blocks: list[Block] = await _desk_blocks(stories, person, queue, queue_page)
    # a view holds a hundred blocks
    shown = PAGE if not blocks else max(1, (_MOST_BLOCKS - len(blocks)) // _BLOCKS_OF_STORE)
    blocks.append(header(bare("home.title")))
    if not reports:
        blocks.append(section(bare("home.empty")))
    for report in reports[page * shown : (page + 1) * shown]:
        blocks += [*store_blocks(say, bare, stories.names, report), divider()]
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


async def _desk_blocks(stories: Stories, person: Person, queue: Queue, page: int) -> list[Block]:
    """What an agent or an admin sees above their own stores; nothing for a seller."""
    roles = stories.desk.roles
    blocks: list[Block] = []
    if await roles.works_at_desk(person):
        found = await stories.desk.queue.page(person, queue, page)
        blocks += queue_blocks(person, stories.names, found, action="desk.home")
        blocks.append(divider())
    if await roles.manages(person):
        blocks += await _people(stories, person)
        blocks.append(divider())
    return blocks


async def _people(stories: Stories, person: Person) -> list[Block]:
    say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
    everybody = await stories.desk.roles.everybody(person.team_id)
    blocks: list[Block] = [header(bare("role.title")), context(say("role.explained"))]
    for one in everybody[:_MOST_PEOPLE]:
        by = say("role.configured") if one.given_by == CONFIGURATION else say("role.given_by", admin=one.given_by)
        words = f"<@{one.user_id}> · *{say(f'role.{one.role.value}')}*\n{by}"
        take = button(bare("role.take"), f"role.take:{one.user_id}", value=one.user_id)
        blocks.append(section(words, accessory=take))
    if not everybody:
        blocks.append(section(say("role.nobody")))
    if (more := len(everybody) - _MOST_PEOPLE) > 0:
        blocks.append(context(say.count("role.more", more)))
    blocks.append(actions(button(bare("role.give"), "role.give")))
    return blocks
