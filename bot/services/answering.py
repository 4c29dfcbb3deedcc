"""Answers questions by looking at the asker's stores first.

Q1 and Q2 ask Amazon about the grant in question before they say anything; that takes a task. Every other article is at hand,
and ends in the first of its buttons that would do something for this asker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.domain.features import FEATURES, FeatureKey
from bot.domain.marketplaces import MARKETPLACES
from bot.domain.notices import Answered
from bot.domain.questions import without_personal
from bot.domain.status import PLATFORM_LABELS, StatusKind
from bot.domain.verification import Refused, Turn, Verdict
from bot.errors import UnknownStore
from bot.i18n import Speaker
from bot.ports import Clock, Database, Person, Work
from bot.ports.desk import DeskObserver, Unobserved
from bot.services import diagnosis, mending
from bot.services.checking import Checking
from bot.services.diagnosis import Finding
from bot.services.naming import Names
from bot.services.reporting import Reporting, StoreHistory
from bot.services.understanding import Understood, understood_from
from faq.facts import Button, Case, Facts, FeatureFacts, FeatureNames, StoreFacts
from faq.facts import FeatureKey as FaqFeature
from faq.library import Library, LibraryError
from faq.live import LiveKnowledge

log = structlog.get_logger(__name__)

STILL_AUTHORIZING = "still-authorizing"
NOT_WORKING = "granted-but-not-working"

#: what `/faq` offers when nothing was asked: the five questions
FIVE = (STILL_AUTHORIZING, NOT_WORKING, "no-amazon-page", "other-browser", "sister-system")

#: questions longer than this are tickets; what matters stands in their first lines
QUESTION_LIMIT = 4000

#: what *granted and well* may be claimed of only when Amazon has just said so
_CLAIMS = frozenset({Case.GRANTED, Case.JUST_GRANTED, Case.ALL_GOOD})


@dataclass(frozen=True, slots=True)
class Place:
    """A thread of a conversation, where an answer belongs."""

    channel_id: str = ""
    thread_ts: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An article in the asker's words, and the one button that mends what it found."""

    slug: str
    text: str
    button: Button
    store_id: str = ""
    feature: FeatureKey = FeatureKey.ORDERS
    case: Case = Case.GENERAL
    #: the store it is about, escaped, where the text itself does not say so
    about: str = ""
    #: the asker's stores as (id, label), when there are several and the answer is about one of them
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def gist(self) -> str:
        """What makes it the same answer as another one, whatever minutes it quotes."""
        return f"{self.case.value}:{self.store_id}:{self.feature.value}"


class Answering:
    """From a topic to an answer for this asker."""

    def __init__(
        self,
        knowledge: LiveKnowledge,
        database: Database,
        *,
        names: Names,
        reporting: Reporting,
        checking: Checking,
        clock: Clock,
        observe: DeskObserver | None = None,
    ) -> None:
        self._observe = observe or Unobserved()
        self._knowledge = knowledge
        self._database = database
        self._names = names
        self._reporting = reporting
        self._checking = checking
        self._clock = clock

    @property
    def library(self) -> Library:
        """The articles as they are now."""
        return self._knowledge.current.library

    async def understand(self, person: Person, question: str) -> Understood:
        """What a question is about; what the asker's own stores suggest counts as evidence."""
        histories = await self._reporting.histories(person)
        evidence = diagnosis.evidence_of(histories)
        match = self._knowledge.current.matcher_of(person.team_id).match(question[:QUESTION_LIMIT], evidence=evidence)
        return understood_from(match)

    async def refresh(self) -> None:
        """Takes up articles that were edited while we run; a bad edit is logged and the old articles stay."""
        try:
            changed = await asyncio.to_thread(self._knowledge.refresh)
        except LibraryError as problem:
            log.warning("articles refused", action="articles_refused", problems=problem.problems[:5])
        else:
            if changed:
                log.info("articles reloaded", action="articles_reloaded")

    async def likely_topics(self, person: Person, guess: str = "") -> tuple[str, ...]:
        """Five topics: the guess, if there is one with an article, then those questions that the asker's stores suggest."""
        evidence = diagnosis.evidence_of(await self._reporting.histories(person))
        known = sorted(FIVE, key=lambda slug: -evidence.get(slug, 0.0))
        guessed = [guess] if guess in self.library.slugs else []
        return tuple(dict.fromkeys([*guessed, *known]))[: len(FIVE)]

    async def needs_amazon(
        self, person: Person, slug: str, question: str, *, store_id: str = "", feature: FeatureKey | None = None
    ) -> bool:
        """Whether the answer depends on what Amazon says right now: then `later`, not `now`."""
        if slug not in _DIAGNOSES:
            return False
        finding = self._find(slug, question, await self._histories(person, store_id), feature)
        return finding.history is not None and _can_ask(finding.history, finding.feature)

    async def now(
        self,
        person: Person,
        say: Speaker,
        slug: str,
        question: str = "",
        *,
        store_id: str = "",
        feature: FeatureKey | None = None,
    ) -> Answer:
        """The answer from what is known. `say` writes for the place it will stand in: it escapes what people typed.

        `store_id` and `feature` are what the asker chose, and outweigh the question. Raises UnknownStore.
        """
        chosen = await self._histories(person, store_id)
        every = chosen if not store_id else await self._reporting.histories(person)
        if slug in _DIAGNOSES:
            finding = self._find(slug, question, chosen, feature)
            return self._answer(say, slug, finding, every)
        pressed, finding = mending.fitting(self.library.article(slug, say.locale).buttons, question, chosen)
        answer = self._answer(say, slug, finding, every)
        about = "" if finding.history is None or len(every) < _SEVERAL else finding.history.report.store.label
        return replace(answer, button=pressed, about=say.fact(about))

    def public(self, say: Speaker, slug: str) -> Answer:
        """The answer that looks at nobody's stores: what may be shown to everybody."""
        return self._answer(say, slug, Finding(Case.GENERAL), ())

    async def shown(self, person: Person, slug: str) -> None:
        """Notes that the person was shown an article: the desk tells what they have read, and counts what helped."""
        async with self._database.begin() as work:
            await self._note(work, person, slug)

    async def _note(self, work: Work, person: Person, slug: str) -> None:
        await work.answers.shown(person.team_id, person.user_id, slug, locale=person.locale, at=self._clock())
        self._observe.answered(slug, person.locale)

    async def later(
        self,
        person: Person,
        slug: str,
        question: str,
        *,
        store_id: str = "",
        feature: FeatureKey | None = None,
        place: Place | None = None,
    ) -> None:
        """Leaves it to the relay: Amazon may take seconds, Slack waits three."""
        place = place or Place()
        async with self._database.begin() as work:
            await work.outbox.ask(
                person.team_id,
                "answer_question",
                {
                    "user_id": person.user_id,
                    "slug": slug,
                    "question": question[:QUESTION_LIMIT],
                    "store_id": store_id,
                    "feature": feature.value if feature else "",
                    "channel_id": place.channel_id,
                    "thread_ts": place.thread_ts,
                },
                lane=f"answer:{person.team_id}:{person.user_id}",
            )

    async def asked(
        self,
        person: Person,
        say: Speaker,
        slug: str,
        question: str,
        *,
        store_id: str = "",
        feature: FeatureKey | None = None,
        place: Place | None = None,
    ) -> None:
        """Asks Amazon about the grant in question, then tells the person."""
        place = place or Place()
        try:
            answer = await self.checked(person, say, slug, question, store_id=store_id, feature=feature)
        except UnknownStore:  # deleted meanwhile: what is there now is the answer
            answer = await self.now(person, say, slug, question)
        async with self._database.begin() as work:
            await work.outbox.tell(
                person.team_id,
                person.user_id,
                Answered(
                    slug=answer.slug,
                    text=answer.text,
                    button=answer.button.value,
                    store_id=answer.store_id,
                    feature=answer.feature,
                    choices=answer.choices,
                    question=without_personal(question, await self.labels(person)),
                    channel_id=place.channel_id,
                    thread_ts=place.thread_ts,
                ),
            )
            await self._note(work, person, slug)

    async def labels(self, person: Person) -> list[str]:
        """What the asker calls their stores: nothing that may be kept with a question."""
        return [report.store.label for report in await self._reporting.stores(person)]

    async def checked(
        self, person: Person, say: Speaker, slug: str, question: str, *, store_id: str, feature: FeatureKey | None
    ) -> Answer:
        """The answer after Amazon was asked. Raises UnknownStore.

        The store in question is asked about, then looked at again; it stays the store in question.
        """
        finding = self._find(slug, question, await self._histories(person, store_id), feature)
        if finding.history is None:
            return await self.now(person, say, slug, question)
        named = feature or diagnosis.feature_in(question)
        verdicts: dict[FeatureKey, Verdict] = {}
        for one in [named] if named else FEATURES:
            if _can_ask(finding.history, one):
                # of two features the answer tells the likelier one only
                verdicts[one] = await self._checking.check(person, one, finding.store_id, answered=named is not None)
        histories = await self._histories(person, finding.store_id)
        found = self._find(slug, question, histories, feature)
        verdict = verdicts.get(found.feature)
        if isinstance(verdict, Refused) and verdict.turn is not Turn.SELLER and found.case in _CLAIMS:
            found = replace(found, case=Case.UNCHECKED)
        return self._answer(say, slug, found, await self._reporting.histories(person))

    async def _histories(self, person: Person, store_id: str) -> Sequence[StoreHistory]:
        """The asker's stores, or the one that was chosen. Raises UnknownStore."""
        if store_id:
            return [await self._reporting.history(person, store_id)]
        return await self._reporting.histories(person)

    @staticmethod
    def _find(slug: str, question: str, histories: Sequence[StoreHistory], feature: FeatureKey | None) -> Finding:
        # a store that was chosen outweighs those that are named
        return _DIAGNOSES[slug](question, histories, feature=feature)

    def _answer(self, say: Speaker, slug: str, finding: Finding, histories: Sequence[StoreHistory]) -> Answer:
        names = self._names.facts(say)
        facts = Facts(
            orders_names=self._feature_names(FeatureKey.ORDERS),
            listing_names=self._feature_names(FeatureKey.LISTING),
            platform_name=names["platform"],
            sister_name=names["sister"],
            mirrored=self._names.mirrored,
            stores=tuple(self._store_facts(say, history) for history in histories),
            store=None if finding.history is None else self._store_facts(say, finding.history),
            case=finding.case,
            feature=FaqFeature(finding.feature.value),
        )
        several = finding.history is not None and len(histories) >= _SEVERAL
        return Answer(
            slug=slug,
            text=self.library.render(slug, say.locale, facts),
            button=facts.button,
            store_id=finding.store_id,
            feature=finding.feature,
            case=finding.case,
            choices=tuple((one.report.store.id, one.report.store.label) for one in histories) if several else (),
        )

    def _feature_names(self, feature: FeatureKey) -> FeatureNames:
        return FeatureNames(
            platform_label=FEATURES[feature].platform_label,
            developer_name=self._names.developers[feature],
            app_name=self._names.applications[feature],
        )

    def _store_facts(self, say: Speaker, history: StoreHistory) -> StoreFacts:
        report = history.report
        base = report.status.base
        return StoreFacts(
            label=say.fact(report.store.label),
            marketplace=say.marketplace(MARKETPLACES[report.store.marketplace_code]),
            status_label=PLATFORM_LABELS[StatusKind(base)],
            orders=self._feature_facts(say, history, FeatureKey.ORDERS),
            listing=self._feature_facts(say, history, FeatureKey.LISTING),
            initial_order_date=say.date(report.store.initial_order_date),
        )

    def _feature_facts(self, say: Speaker, history: StoreHistory, feature: FeatureKey) -> FeatureFacts:
        grant = history.report.grants[feature]
        attempt = history.attempts.get(feature)
        now = history.report.at
        standing = diagnosis.standing_of(history, feature)
        reason = ""
        refused = diagnosis.refusal_of(history, feature)
        if refused is not None and refused.reason is not None:
            reason = " ".join(self._names.refusal(say, refused.reason.value, detail=refused.detail, feature=feature))
        return FeatureFacts(
            standing=standing,
            reason_text=reason,
            opened_at=_moment(say, attempt.pressed_at if attempt else None),
            granted_at=_moment(say, grant.granted_at),
            ends_on=say.date(grant.ends_at) if grant.ends_at else "",
            days_left=(grant.ends_at - now).days if grant.ends_at else None,
            minutes_since_grant=_minutes(now - grant.granted_at) if grant.granted_at else None,
        )


_SEVERAL = 2


class _Diagnosis(Protocol):
    def __call__(
        self, question: str, histories: Sequence[StoreHistory], *, feature: FeatureKey | None = None
    ) -> Finding: ...


_DIAGNOSES: Mapping[str, _Diagnosis] = {
    STILL_AUTHORIZING: diagnosis.still_authorizing,
    NOT_WORKING: diagnosis.not_working,
}


def _can_ask(history: StoreHistory, feature: FeatureKey) -> bool:
    """Whether there is a token to ask Amazon with; a store that is switched off is not asked about."""
    if history.report.store.disabled_at is not None:
        return False
    attempt = history.attempts.get(feature)
    kept = attempt is not None and attempt.authorization_id is not None
    return kept or history.report.grants[feature].authorization_id is not None


def _moment(say: Speaker, at: datetime | None) -> str:
    return say.moment(at) if at else ""


def _minutes(passed: timedelta) -> int:
    """At least one: nobody says that something happened nought minutes ago."""
    return max(1, int(passed.total_seconds() // 60))
