"""Two write the same thing at once: the database lets one through, and the other looks again at what is there then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import ConcurrentChange

_Done = TypeVar("_Done")

#: after so many lost races in a row the person is asked to look again
_TRIES = 5


async def in_turn(act: Callable[[], Awaitable[_Done]]) -> _Done:
    """Does it in a transaction of its own, anew whenever somebody else was quicker. Raises ConcurrentChange in the end."""
    for _ in range(_TRIES - 1):
        try:
            return await act()
        except ConcurrentChange:
            continue
    return await act()
