"""Misses and what is made of them: counted, cleaned, forgotten in time; taught, taken back, for agents only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.domain.questions import GivenAnswer, MissKind
from bot.errors import GrantdeskError, NotAChannel, NotAnAgent, PhraseCollides, PhraseUnusable, UnknownTopic
from bot.ports import Person
from bot.services.jobs import Job, run_due
from bot.services.learning import Learning, language_of
from bot.services.presence import Presence
from bot.services.roles import Roles
from faq.library import NONE
from faq.live import LiveKnowledge
from faq.matcher import Band
from tests.services.desk import ALEX, LIN, MEI, Desk

SAM = Person(MEI.team_id, "U0SAM", "en", "Europe/London")
KIM = Person(ALEX.team_id, "U0KIM", "zh-CN", "Asia/Shanghai")
AGENTS = frozenset({SAM.user_id, KIM.user_id})
#: nobody would take it for one of our topics
STRANGE = "zorgle refuses the flurb again"


@pytest.fixture(scope="module")
def shared() -> LiveKnowledge:
    return LiveKnowledge()


@pytest.fixture
def knowledge(shared: LiveKnowledge) -> Iterator[LiveKnowledge]:
    yield shared
    shared.learn({})


def learning_of(desk: Desk, knowledge: LiveKnowledge) -> Learning:
    return Learning(
        knowledge,
        desk.database,
        reporting=desk.reporting,
        roles=Roles(desk.database, desk.clock, seeds=AGENTS),
        clock=desk.clock,
        entropy=desk.entropy,
    )


@pytest.fixture
def learning(desk: Desk, knowledge: LiveKnowledge) -> Learning:
    return learning_of(desk, knowledge)


def understood(knowledge: LiveKnowledge, person: Person) -> str:
    return knowledge.current.matcher_of(person.team_id).match(STRANGE).best


async def texts(learning: Learning, agent: Person = SAM) -> list[tuple[str, int]]:
    found, _ = await learning.misses(agent, page=0, size=50)
    return [(miss.text, miss.times) for miss in found]


async def test_what_is_asked_more_often_stands_first(learning: Learning) -> None:
    await learning.missed(MEI, "once", topic="", kind=MissKind.UNMATCHED)
    for asker in (MEI, SAM):
        await learning.missed(asker, STRANGE, topic="", kind=MissKind.UNMATCHED)
    assert await texts(learning) == [(STRANGE, 2), ("once", 1)]


async def test_questions_stay_in_their_workspace(learning: Learning) -> None:
    await learning.missed(MEI, STRANGE, topic="", kind=MissKind.UNMATCHED)
    assert await texts(learning, KIM) == []
    assert await learning.counts(KIM) == []


async def test_counts_are_kept_by_language_and_topic(learning: Learning) -> None:
    await learning.missed(MEI, "授权失败", topic="authorization-failed", kind=MissKind.NOT_HELPFUL)
    await learning.missed(LIN, "授權失敗了", topic="authorization-failed", kind=MissKind.NOT_HELPFUL)
    await learning.missed(MEI, "it failed", topic="authorization-failed", kind=MissKind.NOT_HELPFUL)
    counted = {(one.locale, one.topic, one.kind, one.times) for one in await learning.counts(SAM)}
    assert counted == {(locale, "authorization-failed", MissKind.NOT_HELPFUL, 1) for locale in ("zh-CN", "zh-TW", "en")}


async def test_nothing_personal_is_kept(desk: Desk, learning: Learning) -> None:
    await desk.store(MEI, "Acme US")
    asked = "Acme US zorgles: order 113-1234567-7654321, mail mei@acme.example, seller A2ACMEPARTNER, call +86 138 0013 8000"
    await learning.missed(MEI, asked, topic="", kind=MissKind.UNMATCHED)
    [(text, _)] = await texts(learning)
    for personal in ("Acme", "113-", "mei@", "A2ACME", "138"):
        assert personal not in text
    assert "zorgles" in text
    assert "zorgles" not in await desk.rows(), "what is kept is encrypted"


async def test_texts_are_gone_before_their_month_is_over_and_counts_stay(desk: Desk, learning: Learning) -> None:
    await learning.missed(MEI, STRANGE, topic="", kind=MissKind.UNMATCHED)
    job = Job("forget-questions", timedelta(hours=1), lambda _at: learning.forget())
    for _ in range(30 * 24):
        desk.clock.advance(timedelta(hours=1))
        await run_due(job, desk.database.job_runs, clock=desk.clock)
    assert await texts(learning) == []
    async with desk.database.read() as work:
        assert await work.misses.forget(before=desk.clock()) == 0
    assert [one.times for one in await learning.counts(SAM)] == [1]


async def test_asking_again_does_not_keep_a_text_longer(desk: Desk, learning: Learning) -> None:
    await learning.missed(MEI, STRANGE, topic="", kind=MissKind.UNMATCHED)
    desk.clock.advance(timedelta(days=29))
    await learning.missed(MEI, STRANGE, topic="", kind=MissKind.UNMATCHED)
    desk.clock.advance(timedelta(days=1))
    await learning.forget()
    assert await texts(learning) == []


async def test_an_answer_is_judged_once_by_a_person(learning: Learning) -> None:
    facts = {"topic": "authorization-failed", "helpful": False, "channel_id": "D0MEI", "message_ts": "1.1"}
    assert await learning.judged(MEI, STRANGE, **facts)  # type: ignore[arg-type]
    assert not await learning.judged(MEI, STRANGE, **facts)  # type: ignore[arg-type]
    assert await learning.judged(LIN, STRANGE, **facts)  # type: ignore[arg-type]
    assert await texts(learning) == [(STRANGE, 2)]


async def test_what_helped_is_no_miss(learning: Learning) -> None:
    await learning.judged(MEI, STRANGE, topic="add-store", helpful=True, channel_id="D0MEI", message_ts="1.1")
    assert await texts(learning) == []


async def test_a_miss_becomes_a_phrase_that_is_understood_at_once(
    desk: Desk, knowledge: LiveKnowledge, learning: Learning
) -> None:
    await learning.missed(MEI, STRANGE, topic="", kind=MissKind.UNMATCHED)
    [miss], _ = await learning.misses(SAM, page=0, size=10)
    assert understood(knowledge, SAM) != "no-amazon-page"

    taught = await learning.teach(SAM, miss.text, slug="no-amazon-page", locale="en", miss_id=miss.id)
    await learning.settled()

    found = knowledge.current.matcher_of(SAM.team_id).match(STRANGE)
    assert (found.band, found.best) == (Band.ANSWER, "no-amazon-page")
    assert await texts(learning) == []
    assert [(one.phrase, one.in_articles) for one in await learning.taught(SAM)] == [(taught, False)]

    assert await learning.undo(SAM, taught.id) == taught
    assert await learning.undo(SAM, taught.id) is None
    await learning.settled()
    assert understood(knowledge, SAM) != "no-amazon-page"
    assert await learning.taught(SAM) == []


async def test_a_phrase_holds_in_the_workspace_that_taught_it_and_nowhere_else(
    knowledge: LiveKnowledge, learning: Learning
) -> None:
    taught = await learning.teach(SAM, STRANGE, slug="no-amazon-page", locale="en")
    await learning.settled()
    assert await learning.taught(KIM) == []
    assert await learning.undo(KIM, taught.id) is None
    assert understood(knowledge, SAM) == "no-amazon-page"
    before = understood(knowledge, KIM)
    assert before != "no-amazon-page"

    other = await learning.teach(KIM, STRANGE, slug="add-store", locale="en")
    await learning.settled()
    assert other.slug == "add-store", "what the one teaches is no collision for the other"
    assert (understood(knowledge, SAM), understood(knowledge, KIM)) == ("no-amazon-page", "add-store")
    assert [one.phrase for one in await learning.taught(SAM)] == [taught]

    assert await learning.undo(SAM, taught.id) == taught
    await learning.settled()
    assert (understood(knowledge, SAM), understood(knowledge, KIM)) == (before, "add-store")


@pytest.mark.parametrize("written", [STRANGE, f"  {STRANGE.title()}!  "])
async def test_of_two_agents_who_teach_the_same_at_once_the_second_is_told(
    learning: Learning, knowledge: LiveKnowledge, written: str
) -> None:
    await learning.missed(MEI, STRANGE, topic="", kind=MissKind.UNMATCHED)
    [miss], _ = await learning.misses(SAM, page=0, size=10)
    first = await learning.teach(SAM, STRANGE, slug="no-amazon-page", locale="en")
    with pytest.raises(PhraseCollides):  # before anybody's matcher has taken it up
        await learning.teach(SAM, written, slug="add-store", locale="en", miss_id=miss.id)
    assert await texts(learning) == [(STRANGE, 1)]
    again = await learning.teach(SAM, written, slug="no-amazon-page", locale="en", miss_id=miss.id)
    assert again == first
    assert await texts(learning) == []
    await learning.settled()
    assert [one.phrase for one in await learning.taught(SAM)] == [first]
    assert understood(knowledge, SAM) == "no-amazon-page"


async def test_another_replica_follows_when_its_job_comes_round(desk: Desk, learning: Learning) -> None:
    other = LiveKnowledge()
    elsewhere = learning_of(desk, other)
    await learning.teach(SAM, STRANGE, slug="no-amazon-page", locale="en")
    await learning.settled()
    job = Job("learn-phrases", timedelta(seconds=30), lambda _at: elsewhere.refresh(), everywhere=True)
    assert await run_due(job, desk.database.job_runs, clock=desk.clock)
    assert understood(other, SAM) == "no-amazon-page"
    assert await run_due(job, desk.database.job_runs, clock=desk.clock), (
        "every replica runs it, and as often as it likes"
    )


async def test_nothing_is_built_anew_when_nothing_was_taught(knowledge: LiveKnowledge, learning: Learning) -> None:
    before = knowledge.current
    await learning.refresh()
    assert knowledge.current is before


async def test_a_phrase_may_teach_silence(knowledge: LiveKnowledge, learning: Learning) -> None:
    question = "where is the amazon warehouse party tonight"
    await learning.teach(SAM, question, slug=NONE, locale="en")
    await learning.settled()
    assert knowledge.current.matcher.match(question).band is Band.SILENT


@pytest.mark.parametrize(
    ("text", "slug", "problem"),
    [
        ("", "add-store", PhraseUnusable),
        ("113-1234567-7654321", "add-store", PhraseUnusable),
        ("word " * 60, "add-store", PhraseUnusable),
        (STRANGE, "no-such-topic", UnknownTopic),
    ],
)
async def test_what_cannot_be_taught_is_refused(
    learning: Learning, text: str, slug: str, problem: type[GrantdeskError]
) -> None:
    with pytest.raises(problem):
        await learning.teach(SAM, text, slug=slug, locale="en")
    assert await learning.taught(SAM) == []


async def test_a_phrase_means_one_thing(learning: Learning) -> None:
    await learning.teach(SAM, STRANGE, slug="add-store", locale="en")
    await learning.settled()
    with pytest.raises(PhraseCollides):
        await learning.teach(SAM, STRANGE.upper(), slug="grant-orders", locale="en")


async def test_only_agents_see_and_teach(learning: Learning) -> None:
    for forbidden in (
        learning.misses(MEI, page=0, size=1),
        learning.miss(MEI, "x"),
        learning.counts(MEI),
        learning.teach(MEI, STRANGE, slug="add-store", locale="en"),
        learning.dismiss(MEI, "x"),
        learning.undo(MEI, "x"),
        learning.taught(MEI),
    ):
        with pytest.raises(NotAnAgent):
            await forbidden


async def test_a_dismissed_miss_is_forgotten(learning: Learning) -> None:
    await learning.missed(MEI, STRANGE, topic="", kind=MissKind.UNMATCHED)
    [miss], _ = await learning.misses(SAM, page=0, size=10)
    await learning.dismiss(SAM, miss.id)
    assert await texts(learning) == []
    assert await learning.miss(SAM, miss.id) is None


async def test_pages_are_turned(learning: Learning) -> None:
    for number in range(5):
        await learning.missed(MEI, f"zorgle {'again ' * number}", topic="", kind=MissKind.UNMATCHED)
    first, total = await learning.misses(SAM, page=0, size=2)
    last, _ = await learning.misses(SAM, page=2, size=2)
    assert (len(first), len(last), total) == (2, 1, 5)


@pytest.mark.parametrize(
    ("text", "person", "language"),
    [
        ("why is it pending", MEI, "en"),
        ("为什么还没有授权", LIN, "zh-CN"),
        ("為什麼還沒有授權", MEI, "zh-TW"),
        ("我明明授權了，怎麼還是【授权中】", MEI, "zh-TW"),
        ("怎么办", ALEX, "zh-CN"),
        ("不能同步", LIN, "zh-TW"),
        ("不能同步", MEI, "zh-CN"),
    ],
)
def test_a_question_has_the_language_it_is_written_in(text: str, person: Person, language: str) -> None:
    assert language_of(text, person) == language


async def test_channels_are_opened_by_agents_and_by_nobody_else(desk: Desk) -> None:
    presence = Presence(desk.database, roles=Roles(desk.database, desk.clock, seeds=AGENTS), clock=desk.clock)
    with pytest.raises(NotAnAgent):
        await presence.switch(MEI, "C0GENERAL", on=True)
    with pytest.raises(NotAChannel):
        await presence.switch(SAM, "D0SAM", on=True)
    assert not await presence.listens_in(SAM.team_id, "C0GENERAL")
    assert await presence.switch(SAM, "C0GENERAL", on=True)
    assert not await presence.switch(SAM, "C0GENERAL", on=True)
    assert await presence.listens_in(SAM.team_id, "C0GENERAL")
    assert not await presence.listens_in(KIM.team_id, "C0GENERAL")
    assert await presence.switch(SAM, "C0GENERAL", on=False)
    assert not await presence.listens_in(SAM.team_id, "C0GENERAL")


async def test_the_same_is_not_said_twice_in_a_thread_unless_something_has_changed(desk: Desk) -> None:
    presence = Presence(desk.database, roles=Roles(desk.database, desk.clock, seeds=AGENTS), clock=desk.clock)
    mine = GivenAnswer(MEI.team_id, "C0GENERAL", "1.1", "add-store", MEI.user_id)
    assert await presence.says(mine, gist="waiting")
    assert not await presence.says(mine, gist="waiting")
    assert await presence.says(mine, gist="refused")
    shared = GivenAnswer(MEI.team_id, "C0GENERAL", "1.1", "add-store")
    assert await presence.says(shared, gist="shared")
    theirs = GivenAnswer(MEI.team_id, "C0GENERAL", "1.1", "add-store", LIN.user_id)
    assert not await presence.says(theirs, gist="general", general=True)
    assert await presence.says(theirs, gist="waiting")
    await presence.takes_back(shared)
    assert await presence.says(shared, gist="shared")
