"""What stands under an answer, and what agents make of questions that were missed."""

from __future__ import annotations

import html
import itertools
import json

import pytest
from sqlalchemy import text

from sandbox.seen import Control, Message
from tests.dialogue.conversation import Seller, System
from tests.dialogue.test_questions_asked import SISTER, agent

pytestmark = pytest.mark.asyncio(loop_scope="session")

_count = itertools.count(1)


def nonsense() -> str:
    """A question nobody has asked and no topic resembles."""
    word = "".join("bcdfghjklm"[int(digit)] + "o" for digit in str(next(_count)))
    return f"bananas taste {word} purple on the moon"


def _topics_under(question: str, listed: Message) -> Control:
    """The menu of topics below a missed question."""
    menus = [one for one in listed.controls() if one.action_id.startswith("faq.teach:")]
    assert menus, f"no menu below {question!r}: {json.dumps(listed.raw, ensure_ascii=False)}"
    return menus[0]


async def test_what_did_not_help_is_noted_once_and_something_nearer_offered(system: System, seller: Seller) -> None:
    say = seller.say
    before = await system.count("SELECT coalesce(sum(times), 0) FROM miss_counts WHERE kind = 'not_helpful'")
    answer = (await seller.types(f"/faq {SISTER[say.locale]}")).only
    noted = (await seller.presses(say("button.not_helpful"), answer)).only
    assert noted.contains(say("faq.noted"))
    assert noted.buttons()[-1] == say("button.ask_person")
    await seller.presses(say("button.not_helpful"), answer)
    after = await system.count("SELECT coalesce(sum(times), 0) FROM miss_counts WHERE kind = 'not_helpful'")
    assert after == before + 1


async def test_what_helped_is_thanked_for(seller: Seller) -> None:
    answer = (await seller.says(SISTER[seller.say.locale])).only
    assert (await seller.presses(seller.say("button.helpful"), answer)).only.contains(seller.say("faq.thanks"))


async def test_a_person_is_called(system: System, seller: Seller) -> None:
    say = seller.say
    answer = (await seller.says(SISTER[say.locale])).only
    news = await seller.presses(say("button.ask_person"), answer)
    news.one(say("ticket.title", number="{}").partition("{}")[0])
    sam = await agent(system)
    assert (await sam.person.sees(f"<@{seller.id}>", channel="C0SUPPORT")).contains(sam.say("desk.source.answer"))


async def test_two_clicks_make_a_phrase_of_a_miss_and_one_takes_it_back(system: System) -> None:
    alex, sam = await system.person("alex"), await agent(system)
    say, strange = sam.say, nonsense()
    for _ in range(9):  # more often than anything else: it stands first
        missed = (await alex.types(f"/faq {strange}")).only
        assert missed.contains(alex.say("faq.no_answer"))

    listed = (await sam.types("/faq misses")).only
    assert listed.contains(strange)
    menu = _topics_under(strange, listed)
    modal = (await sam.presses(menu.action_id, listed, value=sam.say("misses.another"))).modal
    assert modal is not None
    await sam.fills(topic="no-amazon-page")
    done = await sam.submits()
    assert strange in (done.modal.plain() if done.modal else "")
    await system.running.desk.stories.learning.settled()

    answer = (await alex.types(f"/faq {strange.upper()}")).only
    assert alex.say("button.helpful") in answer.buttons()
    assert not (await sam.types("/faq misses")).only.contains(strange)

    taught = (await sam.types("/faq taught")).only
    assert taught.contains(strange)
    undone = (await sam.presses(say("button.undo"), taught)).only
    await system.running.desk.stories.learning.settled()
    assert undone.contains(say("teach.undone", phrase=strange))
    assert (await alex.types(f"/faq {strange}")).only.contains(alex.say("faq.no_answer"))


async def test_a_phrase_that_cannot_be_taught_is_said_under_its_field(system: System) -> None:
    alex, kim = await system.person("alex"), await agent(system, "kim")
    strange = nonsense()
    await alex.types(f"/faq {strange}")
    listed = (await kim.types("/faq misses")).only
    menu = _topics_under(strange, listed)
    await kim.presses(menu.action_id, listed, value=kim.say("misses.silence"))
    await kim.fills(phrase="113-1234567-7654321")
    refused = await kim.submits()
    assert kim.say("error.PhraseUnusable", limit=200) in refused.said.errors.values()
    await kim.person.closes(quiet=0)


async def test_a_miss_that_teaches_nothing_is_put_away(system: System) -> None:
    alex, sam = await system.person("alex"), await agent(system)
    strange = nonsense()
    await alex.types(f"/faq {strange}")
    waiting = await system.count("SELECT count(*) FROM misses")
    listed = (await sam.types("/faq misses")).only
    await sam.presses(sam.say("button.dismiss"), listed)
    assert await system.count("SELECT count(*) FROM misses") == waiting - 1
    assert await system.count("SELECT count(*) FROM miss_counts") > 0


async def test_nobody_else_sees_what_was_missed_or_taught(seller: Seller) -> None:
    for command in ("/faq misses", "/faq taught", "/faq channel off"):
        refused = (await seller.types(command)).only
        assert refused.contains(seller.say("error.NotAnAgent"))


async def test_pages_are_turned(system: System) -> None:
    alex, sam = await system.person("alex"), await agent(system)
    for _ in range(9):
        await alex.types(f"/faq {nonsense()}")
    first = (await sam.types("/faq misses")).only
    second = (await sam.presses(sam.say("button.next"), first)).only
    assert sam.say("button.previous") in second.buttons()
    assert second.plain() != first.plain()


@pytest.mark.parametrize("mark", ["<", "月"])
async def test_pages_of_long_words_are_short_enough_to_be_posted(system: System, mark: str) -> None:
    """What a button brings is posted, and Slack refuses more than it says; see `POSTED_LIMIT`."""
    alex, sam = await system.person("alex"), await agent(system)
    async with system.running.desk.database.engine.begin() as connection:
        await connection.execute(text("DELETE FROM misses"))
    for _ in range(12):
        await alex.types(f"/faq {html.escape(f'{nonsense()} {mark * 400}', quote=False)}")
    first = (await sam.types("/faq misses", channel="C0SUPPORT")).only
    posted = (await sam.presses(sam.say("button.next"), first)).only
    assert mark * 50 in posted.plain()
    for _ in range(12):
        listed = (await sam.types("/faq misses")).only
        menu = next(one for one in listed.controls() if one.action_id.startswith("faq.teach:"))
        await sam.presses(menu.action_id, listed, value=sam.say("misses.silence"))
        await sam.fills(phrase=f"{nonsense()[:60]} {mark * 130}")
        assert (await sam.submits()).said.errors == {}
        await sam.person.closes(quiet=0)
    await system.running.desk.stories.learning.settled()
    taught = (await sam.types("/faq taught", channel="C0SUPPORT")).only
    posted = (await sam.presses(sam.say("button.next"), taught)).only
    assert mark * 50 in posted.plain()


async def test_what_is_kept_has_nobodys_name_in_it(system: System) -> None:
    alex, sam = await system.person("alex"), await agent(system)
    await alex.has_store("Moonbase")
    strange = nonsense()
    for _ in range(12):
        await alex.types(f"/faq Moonbase {strange} 113-1234567-7654321 alex@example.com")
    listed = (await sam.types("/faq misses")).only.plain()
    assert strange in listed
    assert "Moonbase" not in listed
    assert "113-1234567" not in listed
    assert "alex@example.com" not in listed


async def test_texts_are_forgotten_by_the_job(system: System) -> None:
    alex = await system.person("alex")
    await alex.types(f"/faq {nonsense()}")
    assert await system.count("SELECT count(*) FROM misses") > 0
    await system.passes(days=30)
    await system.run_job("forget-questions")
    assert await system.count("SELECT count(*) FROM misses") == 0
    assert await system.count("SELECT count(*) FROM miss_counts") > 0


async def test_help_tells_agents_of_their_words_and_nobody_else(system: System, seller: Seller) -> None:
    assert "/faq misses" not in (await seller.types("/faq help")).only.plain()
    for name in ("sam", "kim"):
        helped = (await (await agent(system, name)).types("/faq help")).only.plain()
        for word in ("/faq misses", "/faq taught", "/faq channel on|off"):
            assert word in helped
