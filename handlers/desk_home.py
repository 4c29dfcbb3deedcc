"""App Home for the desk: the queue for agents, and for admins who works there. Published when opened and after each press."""

from __future__ import annotations

from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.roles import Role
from bot.errors import NotAnAdmin, UnknownPerson, WrongChoice
from bot.i18n import Speaker
from bot.ports import Person
from bot.ports.desk import Queue
from bot.services.roles import CONFIGURATION
from handlers.blocks import (
    Block,
    actions,
    button,
    context,
    divider,
    field,
    header,
    modal,
    mrkdwn,
    option,
    section,
    select,
)
from handlers.desk_lists import queue_blocks
from handlers.routing import ActionCall, Call, Registry, ViewCall
from handlers.stories import Stories

#: people in the list of roles: a block each, with room for the queue above
_MOST_PEOPLE = 20


def hang(registry: Registry, stories: Stories, publish: Any) -> None:
    """`publish(call, queue, page)` shows the home anew: `handlers.home` makes the whole of it."""
    edge = _DeskHome(stories, publish)
    registry.action("desk.home", edge.turn)
    registry.action("role.give", edge.open_form)
    registry.action("role.take", edge.take)
    registry.view("role.give", edge.given)


async def desk_blocks(stories: Stories, person: Person, queue: Queue, page: int) -> list[Block]:
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
    blocks.append(actions(button(bare("role.give"), "role.give")))
    return blocks


class _DeskHome:
    def __init__(self, stories: Stories, publish: Any) -> None:
        self._stories = stories
        self._publish = publish

    async def turn(self, call: ActionCall) -> None:
        """A filter, or a page: the argument is the queue, with the page's turn behind a dot."""
        queue = Queue(call.argument.partition(".")[0])
        await call.ack()
        await self._publish(call, queue, int(call.value) if call.value.isdigit() else 0)

    async def open_form(self, call: ActionCall) -> None:
        say = call.say
        given = [option(say(f"role.{role.value}"), role.value) for role in (Role.AGENT, Role.ADMIN)]
        await call.open(
            modal(
                "role.give",
                title=say("role.give"),
                submit=say("role.give"),
                close=say("button.cancel"),
                blocks=[
                    field(say("role.who"), {"type": "users_select", "action_id": "user"}),
                    field(say("role.which"), select("role", given, initial=Role.AGENT.value), hint=say("role.hint")),
                ],
            )
        )

    async def given(self, call: ViewCall) -> None:
        user_id, word = call.inputs.get("user", ""), call.inputs.get("role", "")
        if word not in set(Role):
            raise WrongChoice
        await _is_a_person(call, user_id)
        admin = await self._admin(call)
        await self._stories.desk.roles.give(admin, user_id, Role(word))
        await call.ack()
        await self._publish(call, Queue.UNCLAIMED, 0)

    async def take(self, call: ActionCall) -> None:
        admin = await self._admin(call)
        await self._stories.desk.roles.give(admin, call.value, Role.SELLER)
        await call.ack()
        await self._publish(call, Queue.UNCLAIMED, 0)

    async def _admin(self, call: Call) -> Person:
        """Whoever presses, as Slack knows them now: an administrator of yesterday gives no roles."""
        if (await self._stories.desk.roles.of(call.person.team_id, call.person.user_id)).manages_roles:
            return call.person
        profile = await _profile(call.client, call.person.user_id)
        if profile.get("is_admin") is True or profile.get("is_owner") is True:
            return Person(call.person.team_id, call.person.user_id, call.person.locale, call.person.tz, is_admin=True)
        raise NotAnAdmin


async def _profile(client: AsyncWebClient, user_id: str) -> dict[str, Any]:
    try:
        return dict((await client.users_info(user=user_id))["user"])
    except SlackApiError:
        raise UnknownPerson from None


async def _is_a_person(call: Call, user_id: str) -> None:
    profile = await _profile(call.client, user_id)
    if profile.get("is_bot") or profile.get("deleted") or profile.get("team_id") not in (None, call.person.team_id):
        raise UnknownPerson
