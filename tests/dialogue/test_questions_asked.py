"""Where questions are answered: commands, direct messages, mentions, opened channels, the ask box, the agent view."""

from __future__ import annotations

import itertools

import pytest

from bot.i18n import Speaker
from sandbox.client import Message
from tests.dialogue.conversation import News, Seller, System

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: Q1 in each language
WHY = {
    "zh-CN": "我明明授权了，为什么还是显示授权中？",
    "zh-TW": "我明明授權了，為什麼還是顯示授權中？",
    "en": "I authorized in Seller Central but the status still says unauthorized, why?",
}
#: a question with one answer for everybody
SISTER = {
    "zh-CN": "赛盈这边授权了，飞刊那边还要再授权一次吗？",
    "zh-TW": "賽盈這邊授權了，飛刊那邊還要再授權一次嗎？",
    "en": "I authorized here, do I have to authorize in Feikan as well?",
}
NOT_OURS = {"zh-CN": "今天中午吃什么", "zh-TW": "今天中午吃什麼", "en": "what shall we have for lunch today"}
CHANNEL = "C0GENERAL"
_count = itertools.count()


async def agent(system: System, name: str = "sam") -> Seller:
    locale = {"sam": "en", "kim": "zh-CN"}[name]
    return Seller(system, system.client.person(name), Speaker(locale), f"U0{name.upper()}")


async def opened(system: System) -> None:
    await (await agent(system)).types("/faq channel on", channel=CHANNEL)


async def closed(system: System) -> None:
    await (await agent(system)).types("/faq channel off", channel=CHANNEL)


def private(news: News) -> list[Message]:
    assert all(message.ephemeral for message in news.messages), news.plain()
    return list(news.messages)


async def test_a_command_is_answered_for_this_store_and_ends_in_its_button(seller: Seller) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    answer = (await seller.types(f"/faq {WHY[say.locale]}")).only
    assert answer.contains("Acme US")
    grant = say("button.grant", feature=say("feature.orders.name"))
    assert answer.buttons() == [
        grant,
        say("button.helpful"),
        say("button.not_helpful"),
        say("button.ask_person"),
    ]
    (await seller.presses(grant, answer)).one(say("button.open_amazon"))


async def test_a_link_that_was_opened_and_fell_silent_is_told_as_such(system: System, seller: Seller) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    account = await system.amazon_account("US")
    await seller.goes_to_amazon(await seller.card("orders", "Acme US"), account)
    waiting = (await seller.says(WHY[say.locale])).only
    assert say("button.check") in waiting.buttons()
    await system.passes(minutes=11)
    silent = (await seller.says(WHY[say.locale])).only
    assert say("button.new_link") in silent.buttons()


async def test_a_grant_is_asked_about_at_amazon_before_anything_is_claimed(system: System, seller: Seller) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    await seller.grants("orders", "Acme US", await system.amazon_account("US"))
    news = await seller.says(WHY[say.locale])
    news.one(say("faq.asking_amazon"))
    assert news.messages[-1].contains("Acme US")
    assert say("button.check") in news.messages[-1].buttons()


async def test_another_store_is_chosen_from_a_small_menu(seller: Seller) -> None:
    say = seller.say
    await seller.has_store("Acme US", "US")
    await seller.has_store("Willow", "DE")
    answer = (await seller.says(WHY[say.locale])).only
    menu = next(control for control in answer.controls() if control.kind == "static_select")
    other = (await seller.presses(menu.action_id, answer, value="Willow")).messages[-1]
    assert answer.contains("Acme US")
    assert other.contains("Willow")
    assert not other.contains("Acme US")


async def test_what_is_not_ours_offers_the_five_and_a_person(seller: Seller) -> None:
    say = seller.say
    answer = (await seller.types(f"/faq {NOT_OURS[say.locale]}")).only
    assert answer.contains(say("faq.no_answer"))
    assert len(answer.buttons()) == 6
    assert answer.buttons()[-1] == say("button.ask_person")


#: a word that claims nothing, and what it mostly means
_WORDS = {"zh-CN": ("撤销", "disable-revoke"), "zh-TW": ("撤銷", "disable-revoke"), "en": ("renew", "yearly-renewal")}


async def test_a_single_word_is_met_with_what_it_mostly_means_first(system: System, seller: Seller) -> None:
    say = seller.say
    word, slug = _WORDS[say.locale]
    answer = (await seller.types(f"/faq {word}")).only
    assert answer.contains(say("faq.no_answer"))
    short = system.running.desk.stories.answering.library.article(slug, say.locale).short
    assert answer.buttons()[0] == short
    assert len(answer.buttons()) == 6
    assert (await seller.presses(short, answer)).only.contains(say("button.helpful"))


async def test_an_answer_in_a_dm_thread_stays_there_and_is_not_repeated(seller: Seller) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    first = (await seller.says(WHY[say.locale])).only
    assert first.thread is None
    again = (await seller.says(WHY[say.locale], thread=first)).only
    assert again.thread == first.ts
    repeated = (await seller.says(WHY[say.locale], thread=first)).only
    assert repeated.contains(say("faq.already"))
    assert repeated.thread == first.ts


async def test_after_asking_amazon_the_answer_comes_into_the_thread_it_was_asked_in(
    system: System, seller: Seller
) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    await seller.grants("orders", "Acme US", await system.amazon_account("US"))
    root = (await seller.types("/authstatus")).only
    hello = (await seller.says(NOT_OURS[say.locale])).only
    news = await seller.says(WHY[say.locale], thread=hello)
    assert [message.thread for message in news.messages] == [hello.ts] * len(news.messages)
    assert root.ephemeral


async def test_a_mention_is_answered_to_the_asker_alone_and_shared_without_their_stores(
    system: System, seller: Seller
) -> None:
    say = seller.say
    await seller.has_store("Geheimladen")
    news = await seller.says(f"@Grantdesk {WHY[say.locale]}", channel=CHANNEL)
    [answer] = private(news)
    assert answer.contains("Geheimladen")
    shared = (await seller.presses(say("button.share"), answer)).one(say("faq.shared_by", person=f"<@{seller.id}>"))
    assert not shared.ephemeral
    assert not shared.contains("Geheimladen")
    assert shared.thread is not None
    for label in ("button.helpful", "button.grant"):
        assert say(label, feature="") not in shared.buttons()
    [told] = private(await seller.presses(say("button.share"), answer))
    assert told.contains(say("faq.shared_already"))

    other = await system.person("alex")
    await other.has_store("Otherwise")
    [theirs] = private(await other.presses(say("button.my_stores_too"), shared))
    assert theirs.contains("Otherwise")
    assert not theirs.contains("Geheimladen")


async def test_a_mention_that_is_not_understood_is_answered_in_private(seller: Seller) -> None:
    news = await seller.says(f"@Grantdesk {NOT_OURS[seller.say.locale]}", channel=CHANNEL)
    [answer] = private(news)
    assert answer.contains(seller.say("faq.no_answer"))


async def test_nobody_is_overheard_where_no_agent_opened_the_channel(system: System, seller: Seller) -> None:
    await closed(system)
    assert (await seller.says(WHY[seller.say.locale], channel=CHANNEL)).messages == ()


async def test_in_an_opened_channel_only_what_is_ours_is_answered_and_once(system: System, seller: Seller) -> None:
    await opened(system)
    say = seller.say
    await seller.has_store("Acme US")
    root = await seller.says(NOT_OURS[say.locale], channel=CHANNEL)
    assert root.messages == ()
    first = await seller.says(SISTER[say.locale], channel=CHANNEL)
    [answer] = private(first)
    assert say("button.share") in answer.buttons()
    question = next(one for one in first.said.messages if one.user == seller.id)
    shared = (await seller.presses(say("button.share"), answer)).one(say("faq.shared_by", person=f"<@{seller.id}>"))
    assert shared.thread == question.ts

    other = await system.person("alex")
    again = await other.says(SISTER["en"], channel=CHANNEL, thread=question)
    assert again.messages == (), "the thread has that answer already"
    to_somebody = await other.says(f"<@{seller.id}> {SISTER['en']}", channel=CHANNEL)
    assert to_somebody.messages == (), "a message to somebody is left to them"
    from_an_agent = await (await agent(system)).says(SISTER["en"], channel=CHANNEL)
    assert from_an_agent.messages == ()
    await closed(system)


async def test_a_mention_in_an_opened_channel_is_answered_once(system: System, seller: Seller) -> None:
    await opened(system)
    news = await seller.says(f"@Grantdesk {SISTER[seller.say.locale]}", channel=CHANNEL)
    assert len(private(news)) == 1
    await closed(system)


async def test_a_private_channel_is_listened_to_like_any_other(system: System, seller: Seller) -> None:
    channel = system.private_channel(seller.id, "U0SAM")
    await (await agent(system)).types("/faq channel on", channel=channel)
    answer = private(await seller.says(SISTER[seller.say.locale], channel=channel))
    assert [one.channel for one in answer] == [channel]


async def test_only_agents_open_channels_and_only_channels_can_be_opened(system: System, seller: Seller) -> None:
    refused = (await seller.types("/faq channel on", channel=CHANNEL)).only
    assert refused.contains(seller.say("error.NotAnAgent"))
    kim = await agent(system, "kim")
    assert (await kim.types("/faq channel on")).only.contains(kim.say("error.NotAChannel"))
    assert (await kim.types("/faq channel off", channel=CHANNEL)).only.contains(kim.say("channel.off_already"))


async def test_the_ask_box_of_app_home_answers(seller: Seller) -> None:
    home = await seller.opens_home()
    news = await seller.presses("faq.ask", view=home, value=SISTER[seller.say.locale])
    assert seller.say("button.helpful") in news.only.buttons()


async def test_the_agent_view_is_greeted_with_prompts_that_fit_the_asker(system: System, seller: Seller) -> None:
    await seller.has_store("Acme US")
    thread = {
        "user_id": seller.id,
        "channel_id": seller.dm,
        "thread_ts": f"17{next(_count):08d}.000100",
        "context": {"channel_id": CHANNEL, "team_id": "T0SANDBOX"},
    }
    for kind in ("assistant_thread_started", "assistant_thread_context_changed"):
        said = await system.client.event({"type": kind, "assistant_thread": thread})
        assert said.ok
    calls = await system.client.calls("assistant.threads.setSuggestedPrompts")
    mine = [call["args"] for call in calls if call["args"]["thread_ts"] == thread["thread_ts"]]
    assert len(mine) == 2
    prompts = mine[0]["prompts"]
    assert 1 <= len(prompts) <= 4
    assert all(prompt["title"] and prompt["message"] for prompt in prompts)


async def test_everything_works_where_there_is_no_agent_view(system: System, seller: Seller) -> None:
    say = seller.say
    system.tolerated.append("missing_scope")
    first = (await seller.says(SISTER[say.locale])).only
    system.running.desk.registry.events["message"][0].__self__.agent_view._without.clear()  # type: ignore[attr-defined]
    await system.client.fault("assistant.threads.setStatus", "missing_scope")
    answer = (await seller.says(SISTER[say.locale], thread=first)).only
    assert say("button.helpful") in answer.buttons()
    before = len(await system.client.calls("assistant.threads.setStatus"))
    await seller.says(WHY[say.locale], thread=first)
    assert len(await system.client.calls("assistant.threads.setStatus")) == before, "asked again after an hour only"
    system.running.desk.registry.events["message"][0].__self__.agent_view._without.clear()  # type: ignore[attr-defined]
