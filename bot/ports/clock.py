"""Time and chance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

#: the present moment, always aware and in UTC
Clock = Callable[[], datetime]


class Entropy(Protocol):
    """Where ids and secrets come from."""

    def new_id(self) -> str:
        """A unique id that sorts by time; not secret."""
        ...

    def secret(self) -> str:
        """256 random bits, URL-safe."""
        ...
