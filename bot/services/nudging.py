"""The one nudge for a link that was opened and that Amazon never answered: Q1's answer for its state, asked just now."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.grants import GrantState
from bot.domain.notices import StoreRef
from bot.domain.year_notices import StillSilent
from bot.errors import UnknownStore
from bot.i18n import Speaker
from bot.ports import Clock, Database, People, Person
from bot.services.answering import STILL_AUTHORIZING, Answering
from bot.services.linking import store_of


class Nudging:
    """Whoever marks the attempt as nudged tells the person, in the same transaction: never twice."""

    def __init__(self, database: Database, answering: Answering, people: People, *, clock: Clock) -> None:
        self._database = database
        self._answering = answering
        self._people = people
        self._clock = clock

    async def nudge(self, attempt_id: str, speak: Callable[[Person], Speaker]) -> bool:
        """False when there is nothing to say any more: the link was pressed again, answered, replaced, or nudged before.

        `speak` gives a person's voice for the place the words will stand in.
        """
        async with self._database.read() as work:
            attempt = await work.attempts.get(attempt_id)
            found = None if attempt is None else await store_of(work, attempt)
            if attempt is None or found is None or attempt.nudged_at is not None:
                return False
            store = found[1]
        if store.disabled_at is not None:
            return False
        person = await self._people.get(attempt.team_id, attempt.user_id)
        try:
            answer = await self._answering.checked(
                person, speak(person), STILL_AUTHORIZING, "", store_id=store.id, feature=attempt.feature
            )
        except UnknownStore:  # deleted, or the person is no member any more
            return False
        now = self._clock()
        async with self._database.begin() as work:
            if not await work.attempts.nudge(attempt, at=now):
                return False
            grant = (await work.grants.of_store(store))[attempt.feature]
            stands = grant.standing(now) is GrantState.GRANTED and grant.ends_at is not None
            await work.outbox.tell(
                attempt.team_id,
                attempt.user_id,
                StillSilent(
                    attempt_id=attempt.id,
                    store=StoreRef.of(store),
                    feature=attempt.feature,
                    text=answer.text,
                    button=answer.button.value,
                    ends_at=grant.ends_at.isoformat() if stands and grant.ends_at else "",
                ),
            )
        return True
