"""From a seller to a person: *ask a person*, *I saw an error*, and a message that somebody brings to the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.error_codes import Recognised, recognise
from bot.domain.features import FeatureKey
from bot.domain.grants import GrantState
from bot.domain.stores import Store
from bot.domain.tickets import Source
from bot.domain.verification import Turn
from bot.errors import EmptyQuestion
from bot.ports import AuditEvent, Clock, Database, Person, Work
from bot.services import diagnosis
from bot.services.answering import Answering
from bot.services.contention import in_turn
from bot.services.intake import Draft, Intake, Opened
from bot.services.reporting import Reporting, StoreHistory
from bot.services.stores import own_store
from faq.matcher import Band

#: characters of a pasted page that are looked at
PASTE_LIMIT = 5000
#: articles read within this time are worth telling the agent
_READ_LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody's question to the desk. `by` is the agent who brings it, if it was not the seller."""

    source: Source
    question: str = ""
    topic: str = ""
    store_id: str | None = None
    feature: FeatureKey | None = None
    by: Person | None = None
    channel_id: str = ""
    ts: str = ""


class Support:
    """The way from a seller to the people who can mend what is ours, or answer what no article does."""

    def __init__(
        self, database: Database, *, intake: Intake, answering: Answering, reporting: Reporting, clock: Clock
    ) -> None:
        self._database = database
        self._intake = intake
        self._answering = answering
        self._reporting = reporting
        self._clock = clock

    async def saw_error(
        self, person: Person, text: str, *, store_id: str | None = None, feature: FeatureKey | None = None
    ) -> Recognised | None:
        """Recognises an error in a code or a pasted page; opens a ticket when only we can mend it. The paste is not kept.

        None when nothing in the text looks like one. Raises UnknownStore for a store that is not the person's.
        """
        return await in_turn(lambda: self._saw(person, recognise(text[:PASTE_LIMIT]), store_id, feature))

    async def _saw(
        self, person: Person, found: Recognised | None, store_id: str | None, feature: FeatureKey | None
    ) -> Recognised | None:
        async with self._database.begin() as work:
            store = None if store_id is None else (await own_store(work, person, store_id))[1]
            if found and found.known and store is not None and feature is not None:
                await self._intake.failed(
                    work,
                    user_id=person.user_id,
                    store=store,
                    feature=feature,
                    cause=found.known.code,
                    may_open=False,
                )
            if found and found.known and found.known.turn is Turn.US:
                draft = Draft(
                    person.team_id,
                    person.user_id,
                    Source.ERROR,
                    locale=person.locale,
                    store=store,
                    feature=feature,
                    error_code=found.known.code,
                    topic="error-code",
                )
                await self._intake.open(work, await self._informed(work, draft))
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

    async def ask_person(self, person: Person, ask: Ask) -> Opened:
        """Brings a question to the desk, with what can be told from it: its store, its feature, its likely topic.

        Raises UnknownStore for a store that is not the asker's, EmptyQuestion when there is nothing to go by.
        """
        if not (ask.question.strip() or ask.topic):
            raise EmptyQuestion
        return await in_turn(lambda: self._bring(person, ask))

    async def _bring(self, person: Person, ask: Ask) -> Opened:
        histories = await self._reporting.histories(person)
        meant = _meant(ask, histories)
        topic = ask.topic or await self._topic(person, ask.question)
        error = recognise(ask.question)
        async with self._database.begin() as work:
            store: Store | None = None
            if ask.store_id:
                store = (await own_store(work, person, ask.store_id))[1]
            elif meant is not None:
                store = meant.report.store
            history = next((one for one in histories if store and one.report.store.id == store.id), None)
            draft = Draft(
                person.team_id,
                person.user_id,
                ask.source,
                locale=person.locale,
                store=store,
                feature=ask.feature or _feature(ask.question, history),
                question=ask.question,
                topic=topic,
                error_code=error.known.code if error and error.known else "",
                opened_by=ask.by.user_id if ask.by else None,
                channel_id=ask.channel_id,
                ts=ask.ts,
            )
            return await self._intake.open(work, await self._informed(work, draft))

    async def is_ours(self, person: Person, text: str) -> bool:
        """Whether a message in a channel is worth a ticket: small talk is not."""
        if recognise(text) is not None:
            return True
        return (await self._answering.understand(person, text)).band is not Band.SILENT

    async def _topic(self, person: Person, question: str) -> str:
        understood = await self._answering.understand(person, question)
        return "" if understood.band is Band.SILENT else understood.likeliest

    async def _informed(self, work: Work, draft: Draft) -> Draft:
        """With the articles that the seller has read already."""
        since = self._clock() - _READ_LATELY
        return replace(
            draft, answers=tuple(await work.answers.of_person(draft.team_id, draft.user_id, since=since))[:5]
        )


def _meant(ask: Ask, histories: Sequence[StoreHistory]) -> StoreHistory | None:
    """The one store that a question names, or the asker's only one."""
    named = diagnosis.stores_in(ask.question, histories) or histories
    return named[0] if len(named) == 1 else None


def _feature(question: str, history: StoreHistory | None) -> FeatureKey | None:
    """The feature that a question names; else the only one that is not granted, the one tried last where both are not."""
    if named := diagnosis.feature_in(question):
        return named
    if history is None:
        return None
    now = history.report.at
    missing = [key for key, grant in history.report.grants.items() if grant.standing(now) is not GrantState.GRANTED]
    if len(missing) == 1:
        return missing[0]
    tried = [history.attempts[key] for key in missing if key in history.attempts]
    newest = max(tried, key=lambda one: one.pressed_at or one.created_at, default=None)
    return None if newest is None else newest.feature
