"""What goes wrong at the desk, over HTTP: people who do not exist, forms that come too late, words that do not fit."""

from __future__ import annotations

import html

import pytest

from bot.domain.templates import OWN_WORDS
from bot.domain.tickets import QUESTION_LIMIT
from bot.i18n import Speaker
from bot.services.desk_replies import WORDS_LIMIT
from sandbox.client import Message
from tests.desk.conftest import PATIENCE, SUPPORT, House

EN, CN, TW = Speaker("en"), Speaker("zh-CN"), Speaker("zh-TW")


async def card_of(home: House, number: int = 1) -> Message:
    return await home.person("sam").sees(f"#{number}", channel=SUPPORT, within=PATIENCE)


async def test_a_form_is_not_opened_over_anothers_head_and_one_that_comes_too_late_names_who_was_quicker(
    home: House,
) -> None:
    mei, sam, kim = home.person("mei"), home.person("sam"), home.person("kim")
    await mei.types("/desk new 没有订单")
    card = await card_of(home)
    await sam.clicks(EN("desk.button.reply"), message=card)
    await sam.fills({EN("desk.reply_form.choice"): "looking"})
    await kim.types("/desk claim 1")
    [told] = (await sam.submits()).errors.values()
    assert told == EN("error.AlreadyClaimed", agent="", number=1).replace("<@>", "@Kim")
    await sam.closes()
    for key in ("desk.button.reply", "desk.button.ask", "desk.button.close"):
        said = await sam.clicks(EN(key), message=card)
        await sam.sees(EN("error.AlreadyClaimed", agent="U0KIM", number=1), after=said)
        assert await sam.modals() == []
    await kim.types("/desk claim 1")
    await kim.clicks(EN("desk.button.close"), message=card)
    await kim.submits()
    said = await kim.types("/desk claim 1")
    await kim.sees(CN("error.TicketClosed", number=1), after=said)
    assert await home.slack.problems() == []


@pytest.mark.parametrize("who", ["@nobody", "<@U0NOBODY>", "<@U0BOT>"])
async def test_nobody_gets_no_ticket_and_has_no_stores(home: House, who: str) -> None:
    sam, kim = home.person("sam"), home.person("kim")
    said = await sam.types(f"/desk new {who} it does not work")
    await sam.sees(EN("error.UnknownPerson"), after=said)
    said = await kim.types(f"/authstatus {who}")
    await kim.sees(CN("error.UnknownPerson"), after=said)
    assert await home.audit("ticket") == []
    assert await home.slack.problems() == []


async def test_a_command_without_its_number_and_pages_that_are_not_there(home: House) -> None:
    mei, sam = home.person("mei"), home.person("sam")
    await mei.types("/desk new 没有订单")
    for word in ("show", "claim"):
        said = await sam.types(f"/desk {word}")
        await sam.sees(EN("error.WhichTicket", word=word), after=said)
        said = await sam.types(f"/desk {word} twelve")
        await sam.sees(EN("error.UnknownTicket", given="twelve"), after=said)
    for page in ("99", "²", "-1", "9" * 30):
        said = await sam.types(f"/desk all {page}")
        await sam.sees("没有订单", after=said)
        said = await sam.types(f"/authstatus all {page}")
        assert not any(one.contains(EN("error.NoStores")) for one in said.messages)
    assert await home.slack.problems() == []


async def test_a_seller_at_the_agents_door_is_told_where_theirs_is(home: House) -> None:
    for name, say in (("mei", CN), ("lin", TW), ("alex", EN)):
        seller = home.person(name)
        for word in ("mine", "all", "claim 1", "numbers"):
            said = await seller.types(f"/desk {word}")
            await seller.sees(say("error.NotAnAgent"), after=said)
        said = await seller.types("/desk")
        await seller.sees("/desk new", after=said)


async def test_whoever_is_no_agent_presses_the_cards_buttons_in_vain(home: House) -> None:
    mei, alex = home.person("mei"), home.person("alex")
    await mei.types("/desk new 没有订单")
    await card_of(home)
    home.sandbox.slack.world.channels[SUPPORT].members.add("U0ALEX")
    card = await alex.sees("#1", channel=SUPPORT)
    for key in ("claim", "reply", "ask", "hand_over", "close"):
        said = await alex.clicks(EN(f"desk.button.{key}"), message=card)
        await alex.sees(EN("error.NotAnAgent"), after=said)
        assert await alex.modals() == []
    assert {event.actor for event in await home.audit("ticket")} == {"U0MEI"}
    assert await home.slack.problems() == []


async def test_a_question_arrives_as_it_was_typed_with_its_quotes_and_lines(home: House) -> None:
    alex, sam = home.person("alex"), home.person("sam")
    await home.store("alex", "Willow & Co", "UK")
    await alex.types("/desk new\nIt says \"out of date,\nfor “Willow” and I can't go on")
    card = await card_of(home)
    assert card.contains('It says "out of date,')
    assert card.contains("I can't go on")
    said = await sam.types('/desk new <@U0ALEX> "Willow &amp; Co" no orders, he says "none"')
    await sam.sees(EN("desk.new.joined", number=1), after=said)
    await sam.sees('no orders, he says "none"', channel=SUPPORT, within=PATIENCE)
    assert await home.slack.problems() == []


async def test_long_words_reach_the_desk_whole_and_what_does_not_fit_is_said(home: House) -> None:
    mei = home.person("mei")
    said = await mei.types("/desk new 没有订单")
    mine = await mei.sees(CN("ticket.title", number=1), after=said, within=PATIENCE)
    card = await card_of(home)
    long = "&".join(["单" * 100] * 28) + "，完"
    assert len(long) < QUESTION_LIMIT
    await mei.says(long, thread=mine)
    line = await home.person("sam").sees("，完", channel=SUPPORT, thread=card, within=PATIENCE)
    assert line.plain().count("单") == 2800
    said = await mei.says("字" * (QUESTION_LIMIT + 1), thread=mine)
    await mei.sees(CN("ticket.cut", limit=QUESTION_LIMIT), after=said, within=PATIENCE)
    said = await mei.types("/desk new " + "x" * (QUESTION_LIMIT + 1))
    await mei.sees(CN("ticket.cut", limit=QUESTION_LIMIT), after=said, within=PATIENCE)
    assert await home.slack.problems() == []


@pytest.mark.parametrize("mark", ["&", "<", "\n>", '<a b="&">'])
async def test_words_full_of_marks_reach_the_desk(home: House, mark: str) -> None:
    """Marks grow when they are escaped, beyond what Slack takes in one message."""
    alex, sam = home.person("alex"), home.person("sam")
    await home.store("alex")
    words = f"MD5101, no orders {mark * (2800 // len(mark))} the end"
    said = await alex.types(f"/desk new {html.escape(words, quote=False)}")
    mine = await alex.sees(EN("ticket.title", number=1), after=said, within=PATIENCE)
    card = await sam.sees("no orders", channel=SUPPORT, within=PATIENCE)
    if not card.contains("the end"):
        assert card.contains(EN("desk.card.cut", number=1))
        said = await sam.types("/desk show 1")
        await sam.sees("the end", after=said)
    await alex.says(f"the page: {mark * (2800 // len(mark))} is all", thread=mine)
    await sam.sees("is all", channel=SUPPORT, thread=card, within=PATIENCE)
    await sam.clicks(EN("desk.button.reply"), message=card)
    answer = f"say {mark * ((WORDS_LIMIT - 20) // len(mark))} to them"
    await sam.fills({EN("desk.reply_form.choice"): OWN_WORDS, EN("desk.reply_form.words"): answer})
    assert (await sam.submits()).errors == {}
    await alex.sees("to them", within=PATIENCE)
    assert await home.slack.problems() == []


async def test_words_beside_a_picture_in_a_desk_channel_become_a_ticket(home: House) -> None:
    lin = home.person("lin")
    picture = {
        "type": "message",
        "subtype": "file_share",
        "channel": "C0GENERAL",
        "channel_type": "channel",
        "user": "U0LIN",
        "text": "我明明授權過了，為什麼還是顯示未授權？",
        "ts": "1999999999.000300",
        "files": [{"id": "F1"}],
    }
    said = await home.slack.event(picture, "lin")
    assert said.ok
    await home.person("sam").sees("還是顯示未授權", channel=SUPPORT, within=PATIENCE)
    told = await lin.sees(TW("desk.new.opened", number=1), within=PATIENCE)
    assert told.contains(TW("ticket.no_files"))
    assert await home.slack.problems() == []


async def test_deleting_a_message_that_others_have_answered_takes_it_back_as_well(home: House) -> None:
    alex, sam = home.person("alex"), home.person("sam")
    await alex.says("I authorized, why does it still say authorizing?", channel="general")
    card = await sam.sees("still say authorizing", channel=SUPPORT, within=PATIENCE)
    message = await sam.sees("still say authorizing", channel="C0GENERAL")
    await home.person("mei").says("same here", thread=message)
    await alex.deletes(message)
    await sam.sees(EN("desk.line.withdrawn", who="U0ALEX"), channel=SUPPORT, thread=card, within=PATIENCE)
    assert await home.slack.problems() == []


async def test_a_picture_alone_is_not_lost_without_a_word(home: House) -> None:
    lin = home.person("lin")
    said = await lin.types("/desk new 還是不行")
    mine = await lin.sees(TW("ticket.title", number=1), after=said, within=PATIENCE)
    picture = {
        "type": "message",
        "subtype": "file_share",
        "channel": mine.channel,
        "channel_type": "im",
        "user": "U0LIN",
        "text": "",
        "ts": "1999999999.000100",
        "thread_ts": mine.ts,
        "files": [{"id": "F1"}],
    }
    sent = await home.slack.event(picture, "lin")
    assert sent.ok
    await lin.sees(TW("ticket.no_files"), within=PATIENCE)
    await home.slack.event({**picture, "text": "頁面上寫 MD5101", "ts": "1999999999.000200"}, "lin")
    await home.person("sam").sees("頁面上寫 MD5101", channel=SUPPORT, within=PATIENCE)
    assert await home.slack.problems() == []


async def test_the_sellers_card_says_whose_turn_it_is(home: House) -> None:
    lin, sam = home.person("lin"), home.person("sam")
    said = await lin.types("/desk new 還是不行")
    mine = await lin.sees(TW("ticket.title", number=1), after=said, within=PATIENCE)
    assert mine.contains(TW("ticket.state.open"))
    await sam.clicks(EN("desk.button.ask"), message=await card_of(home))
    await sam.submits()
    waits = await lin.sees(TW("ticket.state.waiting"), within=PATIENCE)
    assert waits.ts == mine.ts
    assert not waits.contains(TW("ticket.due", due="").partition("之前")[0])
    await lin.says("是主帳號")
    works = await lin.sees(TW("ticket.state.claimed"), within=PATIENCE)
    assert works.ts == mine.ts
    assert await home.slack.problems() == []


async def test_what_is_put_back_while_its_seller_is_asked_can_be_claimed_from_its_card(home: House) -> None:
    lin, sam, kim = home.person("lin"), home.person("sam"), home.person("kim")
    await lin.types("/desk new 還是不行")
    await sam.clicks(EN("desk.button.ask"), message=await card_of(home))
    await sam.submits()
    await sam.sees(EN("desk.state.waiting"), channel=SUPPORT, within=PATIENCE)
    await sam.clicks(EN("desk.button.release"), message=await card_of(home))
    await sam.sees(EN("desk.line.released", who="U0SAM"), channel=SUPPORT, within=PATIENCE)
    card = await card_of(home)
    assert card.contains(EN("desk.state.waiting"))
    await kim.clicks(EN("desk.button.claim"), message=card)
    await sam.sees(EN("desk.line.claimed", who="U0KIM"), channel=SUPPORT, within=PATIENCE)
    await lin.says("是主帳號")
    await lin.sees(TW("ticket.state.claimed"), within=PATIENCE)
    assert await home.slack.problems() == []


async def test_a_ticket_that_opens_again_says_so_once(home: House) -> None:
    mei, kim = home.person("mei"), home.person("kim")
    said = await mei.types("/desk new 没有订单")
    mine = await mei.sees(CN("ticket.title", number=1), after=said, within=PATIENCE)
    assert mine.contains("没有订单")
    await kim.clicks(EN("desk.button.close"), message=await card_of(home))
    await kim.submits()
    await mei.sees(CN("ticket.closed.answered", number=1), within=PATIENCE)
    again = await mei.says("还是不行", thread=mine)
    await mei.sees(CN("ticket.said.reopened", number=1), after=again, within=PATIENCE)
    assert not any(one.contains(CN("ticket.passed_on", number=1)) for one in await mei.messages())
    for _ in range(2):
        said = await kim.types("/desk claim 1")
    assert [one.action for one in await home.audit("ticket.claimed")] == ["ticket.claimed"]


async def test_what_a_card_suggests_is_in_the_language_of_whoever_reads_it_and_about_the_code(home: House) -> None:
    mei, kim = home.person("mei"), home.person("kim")
    await home.store("mei")
    await mei.types("/desk new 页面上写 MD5101")
    card = await home.person("sam").sees(EN("desk.card.suggested"), channel=SUPPORT, within=PATIENCE)
    assert card.contains(EN("amazon_error.MD5101"))
    said = await kim.types("/desk show 1")
    shown = await kim.sees("#1", after=said)
    assert shown.contains(CN("turn.us"))
    assert not shown.contains(EN("turn.us"))
    await kim.clicks(EN("desk.button.reply"), message=card)
    assert CN("turn.us") in (await kim.modal()).plain()


async def test_a_question_that_quotes_somebody_does_not_go_when_they_delete_their_message(home: House) -> None:
    mei, lin, sam = home.person("mei"), home.person("lin"), home.person("sam")
    await mei.says("大家好", channel="general")
    message = await lin.sees("大家好", channel="C0GENERAL")
    await lin.shortcut("desk.triage", message=message)
    await lin.fills({TW("desk.new_form.question"): "我也有同樣的問題"})
    await lin.submits()
    await lin.closes()
    card = await sam.sees("我也有同樣的問題", channel=SUPPORT, within=PATIENCE)
    assert card.contains(EN("desk.source.shortcut"))
    await mei.deletes(message)
    said = await sam.types("/desk show 1")
    shown = await sam.sees("#1", after=said)
    assert shown.contains("我也有同樣的問題")
    assert shown.contains(EN("desk.state.open"))


async def test_a_seller_reads_who_brought_their_question_to_the_desk(home: House) -> None:
    lin, sam = home.person("lin"), home.person("sam")
    await sam.types("/desk new <@U0LIN> 訂單沒有進來")
    mine = await lin.sees(TW("ticket.opened_by", agent="U0SAM"), within=PATIENCE)
    assert mine.contains("訂單沒有進來")
    view = await sam.home()
    assert "訂單沒有進來" in view.plain()
