"""Time and chance for tests: both are told what to be."""

from __future__ import annotations

import base64
import hashlib
import itertools
from datetime import UTC, datetime, timedelta


class FakeClock:
    """A `bot.ports.Clock` that stands still until it is moved."""

    def __init__(self, now: datetime = datetime(2026, 2, 2, 8, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> datetime:
        self.now += by
        return self.now

    def set(self, now: datetime) -> None:
        self.now = now.astimezone(UTC)


class CountingEntropy:
    """A `bot.ports.Entropy` that counts: ids sort by when they were made, secrets look like real ones."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._secrets = itertools.count(1)

    def new_id(self) -> str:
        return f"id{next(self._ids):06d}"

    def secret(self) -> str:
        digest = hashlib.sha256(f"secret {next(self._secrets)}".encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
