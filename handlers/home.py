"""Reacts to App Home being opened, and to its pages."""

from __future__ import annotations

from bot.ports.desk import Queue
from handlers import desk_home
from handlers.home_view import home_view, publish
from handlers.routing import ActionCall, EventCall, Registry
from handlers.stories import Stories
from handlers.words import number_in


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = _Home(stories)
    registry.event("app_home_opened", edge.opened)
    registry.action("home.page", edge.turn)
    desk_home.hang(registry, stories)


class _Home:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    async def opened(self, call: EventCall) -> None:
        if call.event.get("tab", "home") != "home":
            return
        await call.ack()
        await publish(call, self._stories)

    async def turn(self, call: ActionCall) -> None:
        """Another page of the person's own stores."""
        page = number_in(call.value)
        view = await home_view(self._stories, call.person, page=page, queue=Queue.UNCLAIMED, queue_page=0)
        await call.client.views_publish(user_id=call.person.user_id, view=view)
