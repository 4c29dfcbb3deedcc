"""What the sister system would be told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.domain.mirror import MIRROR_TASK
from tests.services.desk import Desk


async def sent(desk: Desk) -> list[dict[str, Any]]:
    """What the sister system is told, taken out of the outbox."""
    events = []
    while batch := await desk.database.mirror_errands.claim(now=desk.clock(), lease=timedelta(minutes=1), limit=100):
        for errand in batch:
            assert errand.kind == MIRROR_TASK
            events.append(errand.body["event"])
            await desk.database.mirror_errands.done(errand)
    return events
