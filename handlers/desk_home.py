"""Reacts to the desk's part of App Home: its filters and pages, and who works there, for admins."""

from __future__ import annotations

from bot.domain.roles import Role
from bot.errors import NotAnAdmin, WrongChoice
from bot.ports import Person
from bot.ports.desk import Queue
from handlers.blocks import field, modal, option, select
from handlers.home_view import publish
from handlers.members import profile_of, require_person
from handlers.routing import ActionCall, Call, Registry, ViewCall
from handlers.stories import Stories
from handlers.words import number_in


def hang(registry: Registry, stories: Stories) -> None:
    """Puts the home's buttons and form on the registry."""
    edge = _DeskHome(stories)
    registry.action("desk.home", edge.turn)
    registry.action("role.give", edge.open_form)
    registry.action("role.take", edge.take)
    registry.view("role.give", edge.given)


class _DeskHome:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    async def turn(self, call: ActionCall) -> None:
        """A filter, or a page: the argument is the queue, with the page's turn behind a dot."""
        queue = Queue(call.argument.partition(".")[0])
        await call.ack()
        await publish(call, self._stories, queue=queue, page=number_in(call.value))

    async def open_form(self, call: ActionCall) -> None:
        say = call.say
        given = [option(say(f"role.{role.value}"), role.value) for role in (Role.AGENT, Role.ADMIN)]
        given.append(option(say("role.take"), Role.SELLER.value))
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
        await require_person(call, user_id)
        admin = await self._admin(call)
        if word == Role.SELLER:
            await self._stories.desk.work.gone(admin, user_id)
        else:
            await self._stories.desk.roles.give(admin, user_id, Role(word))
        await call.ack()
        await publish(call, self._stories)

    async def take(self, call: ActionCall) -> None:
        admin = await self._admin(call)
        await call.ack()
        await self._stories.desk.work.gone(admin, call.value)
        await publish(call, self._stories)

    async def _admin(self, call: Call) -> Person:
        """Whoever presses, as Slack knows them now: an administrator of yesterday gives no roles."""
        if (await self._stories.desk.roles.of(call.person.team_id, call.person.user_id)).manages_roles:
            return call.person
        profile = await profile_of(call.client, call.person.user_id)
        if profile.get("is_admin") is True or profile.get("is_owner") is True:
            return Person(call.person.team_id, call.person.user_id, call.person.locale, call.person.tz, is_admin=True)
        raise NotAnAdmin
