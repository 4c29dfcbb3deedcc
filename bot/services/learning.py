"""Learns from misses: questions that were not answered well are counted, and an agent turns one into a phrase.

Counts stay; what somebody wrote is kept without anything personal, encrypted, and a month at most. What is taught holds at
once in this replica, and in the others when their job comes round.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.domain.questions import (
    PHRASE_LIMIT,
    TEXT_LIFETIME,
    GivenAnswer,
    Miss,
    MissCount,
    MissKind,
    TaughtPhrase,
    without_personal,
)
from bot.errors import PhraseCollides, PhraseUnusable, UnknownTopic
from bot.ports import AuditEvent, Clock, Database, Entropy, Person
from bot.services.reporting import Reporting
from bot.services.roles import Roles
from faq.library import NONE, Phrase
from faq.live import LiveKnowledge
from faq.scripts import Script, script_of
from faq.text import clean

log = structlog.get_logger(__name__)

#: the job that forgets runs every hour; texts go that much earlier, so that none is older than a month
_JOB_EVERY = timedelta(hours=1)
#: what is said of a thread counts as long as the thread may be read
THREAD_MEMORY = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Taught:
    """A taught phrase, and whether the articles have it by now."""

    phrase: TaughtPhrase
    in_articles: bool


class Learning:
    """What agents do with questions that were missed."""

    def __init__(
        self,
        knowledge: LiveKnowledge,
        database: Database,
        *,
        reporting: Reporting,
        roles: Roles,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._knowledge = knowledge
        self._database = database
        self._reporting = reporting
        self._roles = roles
        self._clock = clock
        self._entropy = entropy
        self._learned: dict[str, list[Phrase]] = {}
        self._refreshing = asyncio.Lock()
        self._under_way: set[asyncio.Task[None]] = set()

    # --- what was missed ---------------------------------------------------------------------------------------------

    async def missed(self, person: Person, question: str, *, topic: str, kind: MissKind) -> None:
        """Counts a question, and keeps its words for the agents unless nothing is left of them once they are cleaned."""
        labels = [report.store.label for report in await self._reporting.stores(person)]
        text = without_personal(question, labels)
        said = clean(text)
        now = self._clock()
        miss = Miss(
            id=self._entropy.new_id(),
            team_id=person.team_id,
            locale=language_of(question, person),
            topic=topic,
            kind=kind,
            text=text if said else "",
            times=1,
            first_at=now,
            last_at=now,
        )
        async with self._database.begin() as work:
            await work.misses.add(miss, key=hashlib.sha256(f"{person.team_id}\0{said}".encode()).hexdigest())

    async def judged(
        self, person: Person, question: str, *, topic: str, helpful: bool, channel_id: str, message_ts: str
    ) -> bool:
        """An answer was *helpful* or *not helpful*; an answer is judged once by a person. False when it was before."""
        if message_ts:
            async with self._database.begin() as work:
                judgement = GivenAnswer(person.team_id, channel_id, message_ts, f"judged:{topic}", person.user_id)
                if not await work.answered.first_time(judgement, gist="judged", now=self._clock()):
                    return False
        if not helpful:
            await self.missed(person, question, topic=topic, kind=MissKind.NOT_HELPFUL)
        return True

    async def misses(self, agent: Person, *, page: int, size: int) -> tuple[Sequence[Miss], int]:
        """A page of the workspace's questions, most frequent first, and how many there are. Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        async with self._database.read() as work:
            return await work.misses.frequent(
                agent.team_id, since=self._clock() - TEXT_LIFETIME, offset=page * size, limit=size
            )

    async def miss(self, agent: Person, miss_id: str) -> Miss | None:
        """One of them; None when it was dealt with, or forgotten. Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        async with self._database.read() as work:
            return await work.misses.get(agent.team_id, miss_id)

    def likely_topics(self, agent: Person, text: str, *, most: int) -> tuple[str, ...]:
        """What a question may be about, likeliest first: to choose from."""
        topics = self._knowledge.current.matcher_of(agent.team_id).match(text).topics
        return tuple(topic.slug for topic in topics[:most])

    async def counts(self, agent: Person) -> Sequence[MissCount]:
        """How often, by language and topic. Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        async with self._database.read() as work:
            return await work.misses.counts(agent.team_id)

    # --- what is taught ----------------------------------------------------------------------------------------------

    async def teach(self, agent: Person, text: str, *, slug: str, locale: str, miss_id: str = "") -> TaughtPhrase:
        """Takes up a phrase for a topic, or for silence; settles the miss it came from.

        Raises NotAnAgent, UnknownTopic, PhraseUnusable, PhraseCollides.
        """
        await self._roles.require_agent(agent)
        library = self._knowledge.current.library
        if slug != NONE and slug not in library.slugs:
            raise UnknownTopic
        phrase = " ".join(without_personal(text).split())
        said = clean(phrase)
        if not said or len(phrase) > PHRASE_LIMIT:
            raise PhraseUnusable(limit=PHRASE_LIMIT)
        known = self._knowledge.current.matcher_of(agent.team_id).match(phrase)
        if known.exact and known.nearest is not None and known.nearest.slug != slug:
            raise PhraseCollides(other=known.nearest.text[:80])
        taught = TaughtPhrase(
            id=self._entropy.new_id(),
            slug=slug,
            locale=locale,
            text=phrase,
            taught_by=agent.user_id,
            team_id=agent.team_id,
            taught_at=self._clock(),
        )
        async with self._database.begin() as work:
            kept = await work.taught.add(taught, key=said)
            if kept.slug != slug:  # somebody else taught it while this was decided
                raise PhraseCollides(other=kept.text[:80])
            if miss_id and (miss := await work.misses.get(agent.team_id, miss_id)) is not None:
                await work.misses.settle(miss)
            if kept.id == taught.id:
                await work.audit.record(self._event(agent, "phrase.taught", taught))
        self._learn_soon()
        return kept

    async def dismiss(self, agent: Person, miss_id: str) -> None:
        """A miss that teaches nothing: its text is forgotten. Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        async with self._database.begin() as work:
            if (miss := await work.misses.get(agent.team_id, miss_id)) is not None:
                await work.misses.settle(miss)

    async def undo(self, agent: Person, phrase_id: str) -> TaughtPhrase | None:
        """Takes a phrase of the workspace back; None when somebody was faster. Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        async with self._database.begin() as work:
            phrase = await work.taught.get(agent.team_id, phrase_id)
            if phrase is None or not await work.taught.remove(phrase):
                return None
            await work.audit.record(self._event(agent, "phrase.taken_back", phrase))
        self._learn_soon()
        return phrase

    async def taught(self, agent: Person) -> Sequence[Taught]:
        """All that was taught in the workspace, newest first. Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        written = {(phrase.slug, phrase.text) for phrase in self._knowledge.current.library.phrases()}
        async with self._database.read() as work:
            return [Taught(one, (one.slug, one.text) in written) for one in await work.taught.of_team(agent.team_id)]

    def _learn_soon(self) -> None:
        """In the background: building a matcher takes half a second, on a busy machine more, and Slack waits three."""
        task = asyncio.create_task(self._learn_now(), name="learn phrases")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _learn_now(self) -> None:
        try:
            await self.refresh()
        except Exception:
            # the job tries again within a minute
            log.exception("phrases not learned", action="phrases_not_learned")

    async def settled(self) -> None:
        """Returns when what was taught here is known here."""
        await asyncio.gather(*self._under_way)

    async def refresh(self) -> None:
        """Takes up what was taught, here or in another replica; nothing happens when it is known already."""
        async with self._refreshing:  # one after the other: what was read earlier must not be learned later
            async with self._database.read() as work:
                stored = await work.taught.all()
            topics = {*self._knowledge.current.library.slugs, NONE}
            phrases: dict[str, list[Phrase]] = {}
            for one in reversed(stored):
                if one.slug in topics:
                    phrases.setdefault(one.team_id, []).append(Phrase(one.slug, one.locale, one.text))
            if phrases == self._learned:
                return
            await asyncio.to_thread(self._knowledge.learn, phrases)
            self._learned = phrases
        log.info("phrases learned", action="phrases_learned", count=sum(map(len, phrases.values())))

    async def forget(self) -> None:
        """Forgets texts before their month is over, and threads that nobody reads any more."""
        now = self._clock()
        async with self._database.begin() as work:
            texts = await work.misses.forget(before=now - TEXT_LIFETIME + _JOB_EVERY)
            await work.answered.forget(before=now - THREAD_MEMORY)
        if texts:
            log.info("questions forgotten", action="questions_forgotten", count=texts)

    def _event(self, agent: Person, action: str, phrase: TaughtPhrase) -> AuditEvent:
        details = {"slug": phrase.slug, "locale": phrase.locale, "text": phrase.text}
        return AuditEvent(self._clock(), agent.team_id, agent.user_id, action, phrase.id, details=details)


def language_of(text: str, person: Person) -> str:
    """The language a question is written in; the asker's own decides between the two kinds of Chinese where the text does not."""
    match script_of(text):
        case Script.LATIN:
            return "en"
        case Script.TRADITIONAL:
            return "zh-TW"
        case Script.EITHER if person.locale.startswith("zh"):
            return person.locale
        case _:
            return "zh-CN"
