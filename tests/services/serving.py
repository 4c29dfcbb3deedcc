"""The whole service in a process of its own, with a clock that begins where it is told: `serving.py URL SANDBOX MOMENT`.

It serves no HTTP: its scheduler plans, its relay sends. It is there to be killed.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from datetime import datetime, timedelta

from pydantic import SecretStr

from bot.app import build
from bot.demo import demo_settings
from bot.logs import set_up

#: whoever is started again must be able to read what was written before
KEY = bytes(range(32))


async def serve(database_url: str, sandbox_url: str, begins_at: datetime) -> None:
    """Works until it is killed."""
    settings = demo_settings(
        bot_url="http://127.0.0.1:9", sandbox_url=sandbox_url, database_url=database_url, port=9
    ).model_copy(update={"encryption_keys": {"test": SecretStr(base64.b64encode(KEY).decode())}})
    started = time.monotonic()
    desk = await build(
        settings,
        clock=lambda: begins_at + timedelta(seconds=time.monotonic() - started),
        look_every=timedelta(seconds=0.05),
    )
    await desk.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    set_up("console", level="CRITICAL")
    asyncio.run(serve(sys.argv[1], sys.argv[2], datetime.fromisoformat(sys.argv[3])))
