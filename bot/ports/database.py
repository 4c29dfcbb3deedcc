"""One transaction's view of everything kept."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from bot.ports.keeping import Attempts, Audit, Authorizations, Grants, Outbox, Sellers, Stores
from bot.ports.knowledge import AnsweredThreads, Channels, Misses, Taught
from bot.ports.year import Announcements, Endings, Health, Readers


class Work(Protocol):
    """One transaction's view of everything kept."""

    @property
    def sellers(self) -> Sellers: ...
    @property
    def stores(self) -> Stores: ...
    @property
    def grants(self) -> Grants: ...
    @property
    def authorizations(self) -> Authorizations: ...
    @property
    def attempts(self) -> Attempts: ...
    @property
    def readers(self) -> Readers: ...
    @property
    def endings(self) -> Endings: ...
    @property
    def announcements(self) -> Announcements: ...
    @property
    def health(self) -> Health: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def misses(self) -> Misses: ...
    @property
    def taught(self) -> Taught: ...
    @property
    def answered(self) -> AnsweredThreads: ...
    @property
    def channels(self) -> Channels: ...


class Database(Protocol):
    """Where it is kept."""

    def begin(self) -> AbstractAsyncContextManager[Work]:
        """A transaction: committed when the block ends, rolled back when it raises. The relay is woken after a commit that
        put something into the outbox.
        """
        ...

    def read(self) -> AbstractAsyncContextManager[Work]:
        """A view to read from; nothing written through it is kept."""
        ...
