"""What is kept of questions and answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.questions import GivenAnswer, Miss, MissCount, TaughtPhrase


class Misses(Protocol):
    """Questions that were not answered well. Texts are encrypted and go after a month; counts stay."""

    async def add(self, miss: Miss, *, key: str) -> None:
        """Counts it; keeps its text, if it has one, or counts the same `key` of the workspace once more."""
        ...

    async def frequent(self, team_id: str, *, since: datetime, offset: int, limit: int) -> tuple[Sequence[Miss], int]:
        """Those of a workspace that nobody has settled, most frequent first, and how many there are."""
        ...

    async def get(self, team_id: str, miss_id: str) -> Miss | None:
        """One whose text is still there."""
        ...

    async def settle(self, miss: Miss) -> None:
        """Somebody has dealt with it: forgets the text; the counts stay."""
        ...

    async def counts(self, team_id: str) -> Sequence[MissCount]:
        """By language and topic, most frequent first."""
        ...

    async def forget(self, *, before: datetime) -> int:
        """Forgets the texts of questions first asked before then; how many."""
        ...


class Taught(Protocol):
    """Phrases that agents have taught since the articles were written. They hold where they were taught."""

    async def add(self, phrase: TaughtPhrase, *, key: str) -> TaughtPhrase:
        """The phrase as it is kept: an earlier one of the workspace with the same key stays, whatever it means."""
        ...

    async def all(self) -> Sequence[TaughtPhrase]:
        """Those of every workspace, newest first: for the matcher and the articles, never for a person."""
        ...

    async def of_team(self, team_id: str) -> Sequence[TaughtPhrase]:
        """Those taught in a workspace, newest first."""
        ...

    async def get(self, team_id: str, phrase_id: str) -> TaughtPhrase | None: ...

    async def remove(self, phrase: TaughtPhrase) -> bool:
        """True for the caller who removed it."""
        ...


class AnsweredThreads(Protocol):
    """What was answered where, shared by all replicas: never the same answer twice in a thread."""

    async def first_time(self, answered: GivenAnswer, *, gist: str, now: datetime) -> bool:
        """True for the first caller, and when the answer has another `gist` by now: the state behind it has changed."""
        ...

    async def was_given(self, answered: GivenAnswer) -> bool: ...

    async def take_back(self, answered: GivenAnswer) -> None:
        """It was not said after all."""
        ...

    async def forget(self, *, before: datetime) -> int:
        """Forgets what was last said before then; how many."""
        ...


class Channels(Protocol):
    """The channels that an agent has opened to the bot; it listens in no other."""

    async def open(self, team_id: str, channel_id: str, *, by: str, now: datetime) -> bool:
        """False when it was open already."""
        ...

    async def close(self, team_id: str, channel_id: str) -> bool:
        """False when it was not open."""
        ...

    async def is_open(self, team_id: str, channel_id: str) -> bool: ...
