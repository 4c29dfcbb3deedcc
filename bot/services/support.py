"""*I saw an error*: what a code means, whose turn it is, and the desk's help when it is ours."""

from __future__ import annotations

from bot.domain.error_codes import Recognised, recognise
from bot.domain.features import FeatureKey
from bot.domain.notices import OursToMend, PersonWanted, StoreRef
from bot.domain.verification import Turn
from bot.ports import AuditEvent, Clock, Database, Person
from bot.services.stores import own_store

#: characters of a pasted page that are looked at
PASTE_LIMIT = 5000


class Support:
    """The way from a seller to the people who can mend what is ours."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def saw_error(
        self, person: Person, text: str, *, store_id: str | None = None, feature: FeatureKey | None = None
    ) -> Recognised | None:
        """Recognises an error in a code or a pasted page; tells the desk when only we can mend it.

        None when nothing in the text looks like one. Raises UnknownStore for a store that is not the person's.
        """
        found = recognise(text[:PASTE_LIMIT])
        async with self._database.begin() as work:
            store = None if store_id is None else (await own_store(work, person, store_id))[1]
            if found and found.known and found.known.turn is Turn.US:
                await work.outbox.tell_support(
                    person.team_id,
                    OursToMend(
                        store=StoreRef.of(store) if store else None,
                        feature=feature,
                        user_id=person.user_id,
                        error_code=found.known.code,
                    ),
                )
            if found:
                await work.audit.record(
                    AuditEvent(
                        self._clock(),
                        person.team_id,
                        person.user_id,
                        "error.reported",
                        store.id if store else "",
                        details={"code": found.written, "feature": feature.value if feature else ""},
                    )
                )
        return found

    async def ask_person(self, person: Person, *, topic: str = "", store_id: str | None = None) -> None:
        """Asks the desk for a person. Raises UnknownStore for a store that is not the asker's."""
        async with self._database.begin() as work:
            store = None if store_id is None else (await own_store(work, person, store_id))[1]
            await work.outbox.tell_support(
                person.team_id,
                PersonWanted(store=StoreRef.of(store) if store else None, user_id=person.user_id, topic=topic),
            )
            await work.audit.record(
                AuditEvent(
                    self._clock(),
                    person.team_id,
                    person.user_id,
                    "person.asked_for",
                    store.id if store else "",
                    details={"topic": topic},
                )
            )
