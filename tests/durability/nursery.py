"""Bears replicas: `python -m tests.durability.nursery` reads a line of JSON per replica, and answers its process id.

Each is forked from this process, which has imported everything and opened nothing: it serves as `grantdesk serve` does, but
within a second. When the input ends, so do all replicas.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import uvicorn

from bot.adapters.slack.session import PACES
from bot.app import build
from bot.logs import set_up
from bot.settings import Settings


async def _serve(clock: Path) -> None:
    """The file holds how many seconds this world's time is before the real one."""

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(clock.read_text()))

    paces = cast("dict[str, tuple[float, float]]", PACES)
    paces.update(
        dict.fromkeys(PACES, (10_000.0, 10_000.0))
    )  # Slack's limits are kept by waiting; they are not meant here
    settings = Settings.load(env_file=None)
    set_up(settings.log_format, level="WARNING")
    desk = await build(settings, clock=now, public_routes=())
    config = uvicorn.Config(desk.asgi, host=settings.host, port=settings.port, log_config=None, access_log=False)
    await uvicorn.Server(config).serve()


def _live(wish: dict[str, Any]) -> None:
    """A replica's life; it never returns into the nursery's."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(wish["log"], os.O_WRONLY | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for stream, target in ((0, nothing), (1, log), (2, log)):
            os.dup2(target, stream)
        os.environ.clear()
        os.environ.update(wish["environment"])
        asyncio.run(_serve(Path(wish["clock"])))
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    """Until nobody asks any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead leave no trace, so that it can be seen that they are dead
    born = []
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _live(json.loads(line))
        born.append(child)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
    for child in born:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
