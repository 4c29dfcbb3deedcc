"""The sandbox's clock: the wall clock plus an offset that tests and tours can move forward."""

import time
from collections.abc import Callable


class SandboxClock:
    """Shared by both stand-ins, so that one call makes an hour pass everywhere."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.offset = 0.0

    def now(self) -> float:
        return self._wall() + self.offset

    def advance(self, seconds: float) -> float:
        """Let `seconds` pass; answers the new time."""
        self.offset += seconds
        return self.now()

    def reset(self) -> None:
        self.offset = 0.0
