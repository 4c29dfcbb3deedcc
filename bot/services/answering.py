"""Answers questions by looking at the asker's stores first.

Q1 and Q2 ask Amazon about the grant in question before they say anything; that takes a task. Every other article is at hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.desk_ports import DeskObserver, Unobserved
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.marketplaces import MARKETPLACES
from bot.domain.notices import Answered
from bot.domain.status import PLATFORM_LABELS, StatusKind
from bot.errors import UnknownStore
from bot.i18n import Speaker
from bot.ports import Clock, Database, Person, Work
from bot.services import diagnosis
from bot.services.checking import Checking
from bot.services.diagnosis import Finding
from bot.services.naming import Names
from bot.services.reporting import Reporting, StoreHistory
from faq.facts import Button, Case, Facts, FeatureFacts, FeatureNames, Standing, StoreFacts
from faq.facts import FeatureKey as FaqFeature
from faq.library import Library, LibraryError
from faq.live import LiveKnowledge
from faq.matcher import Match

log = structlog.get_logger(__name__)

STILL_AUTHORIZING = "still-authorizing"
NOT_WORKING = "granted-but-not-working"

#: what `/faq` offers when nothing was asked: the five questions
FIVE = (STILL_AUTHORIZING, NOT_WORKING, "no-amazon-page", "other-browser", "sister-system")

#: questions longer than this are tickets; what matters stands in their first lines
QUESTION_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class Answer:
    """An article in the asker's words, and the one button that mends what it found."""

    slug: str
    text: str
    button: Button
    store_id: str = ""
    feature: FeatureKey = FeatureKey.ORDERS


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

    async def match(self, person: Person, question: str) -> Match:
        """What a question is about; what the asker's own stores suggest counts as evidence."""
        histories = await self._reporting.histories(person)
        evidence = diagnosis.evidence_of(histories)
        return self._knowledge.current.matcher.match(question[:QUESTION_LIMIT], evidence=evidence)

    async def refresh(self) -> None:
        """Takes up articles that were edited while we run; a bad edit is logged and the old articles stay."""
        try:
            changed = await asyncio.to_thread(self._knowledge.refresh)
        except LibraryError as problem:
            log.warning("articles refused", action="articles_refused", problems=problem.problems[:5])
        else:
            if changed:
                log.info("articles reloaded", action="articles_reloaded")

    async def needs_amazon(self, person: Person, slug: str, question: str) -> bool:
        """Whether the answer depends on what Amazon says right now: then `later`, not `now`."""
        finding = await self._find(person, slug, question)
        if finding.history is None:
            return False
        attempt = finding.history.attempts.get(finding.feature)
        kept = attempt is not None and attempt.authorization_id is not None
        return kept or finding.history.report.grants[finding.feature].authorization_id is not None

    async def now(self, person: Person, say: Speaker, slug: str, question: str = "") -> Answer:
        """The answer from what is known. `say` writes for the place it will stand in: it escapes what people typed."""
        finding = await self._find(person, slug, question)
        histories = await self._reporting.histories(person)
        return self._answer(say, slug, finding, histories)

    async def shown(self, person: Person, slug: str) -> None:
        """Notes that the person was shown an article: the desk tells what they have read, and counts what helped."""
        async with self._database.begin() as work:
            await self._note(work, person, slug)

    async def _note(self, work: Work, person: Person, slug: str) -> None:
        await work.answers.shown(person.team_id, person.user_id, slug, locale=person.locale, at=self._clock())
        self._observe.answered(slug, person.locale)

    async def later(self, person: Person, slug: str, question: str) -> None:
        """Leaves it to the relay: Amazon may take seconds, Slack waits three."""
        async with self._database.begin() as work:
            await work.outbox.ask(
                person.team_id,
                "answer_question",
                {"user_id": person.user_id, "slug": slug, "question": question[:QUESTION_LIMIT]},
                lane=f"answer:{person.team_id}:{person.user_id}",
            )

    async def asked(self, person: Person, say: Speaker, slug: str, question: str) -> None:
        """Asks Amazon about the grant in question, then tells the person."""
        finding = await self._find(person, slug, question)
        if finding.history is not None:
            with suppress(UnknownStore):  # deleted meanwhile: the answer below says what is there now
                await self._checking.check(person, finding.feature, finding.history.report.store.id)
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
                    question=question[:QUESTION_LIMIT],
                ),
            )
            await self._note(work, person, slug)

    async def _find(self, person: Person, slug: str, question: str) -> Finding:
        histories = await self._reporting.histories(person) if slug in (STILL_AUTHORIZING, NOT_WORKING) else []
        if slug == STILL_AUTHORIZING:
            return diagnosis.still_authorizing(question, histories)
        if slug == NOT_WORKING:
            return diagnosis.not_working(question, histories)
        return Finding(Case.GENERAL)

    def _answer(self, say: Speaker, slug: str, finding: Finding, histories: Sequence[StoreHistory]) -> Answer:
        names = self._names.facts(say)
        facts = Facts(
            orders_names=self._feature_names(FeatureKey.ORDERS),
            listing_names=self._feature_names(FeatureKey.LISTING),
            platform_name=names["platform"],
            sister_name=names["sister"],
            stores=tuple(self._store_facts(say, history) for history in histories),
            store=None if finding.history is None else self._store_facts(say, finding.history),
            case=finding.case,
            feature=FaqFeature(finding.feature.value),
        )
        return Answer(
            slug=slug,
            text=self.library.render(slug, say.locale, facts),
            button=facts.button,
            store_id="" if finding.history is None else finding.history.report.store.id,
            feature=finding.feature,
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
        if standing is Standing.REFUSED and attempt is not None and attempt.reason is not None:
            reason = " ".join(self._names.refusal(say, attempt.reason.value, detail=attempt.detail, feature=feature))
        return FeatureFacts(
            standing=standing,
            reason_text=reason,
            opened_at=_moment(say, attempt.pressed_at if attempt else None),
            granted_at=_moment(say, grant.granted_at),
            ends_on=say.date(grant.ends_at) if grant.ends_at else "",
            days_left=(grant.ends_at - now).days if grant.ends_at else None,
            minutes_since_grant=int((now - grant.granted_at).total_seconds() // 60) if grant.granted_at else None,
        )


def _moment(say: Speaker, at: datetime | None) -> str:
    return say.moment(at) if at else ""
