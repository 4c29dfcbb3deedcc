"""Sellers and agents at the support desk, in three languages, over HTTP."""

from __future__ import annotations

from bot.i18n import Speaker
from tests.desk.conftest import PATIENCE, SUPPORT, House

EN, CN, TW = Speaker("en"), Speaker("zh-CN"), Speaker("zh-TW")


async def test_a_question_arrives_diagnosed_is_answered_in_the_sellers_language_and_opens_again(home: House) -> None:
    mei, sam, kim = home.person("mei"), home.person("sam"), home.person("kim")
    await home.store("mei")
    said = await mei.types("/faq 我授权了为什么没有订单")
    await mei.clicks(CN("button.ask_person"), within=PATIENCE)
    mine = await mei.sees(CN("ticket.title", number=1), after=said, within=PATIENCE)
    card = await sam.sees("#1", channel=SUPPORT, within=PATIENCE)
    for expected in ("@U0MEI", "简体中文", "Acme US", "没有订单", EN("desk.source.answer"), EN("desk.card.topic")):
        assert card.contains(expected), expected

    claimed = await kim.clicks(EN("desk.button.claim"), message=card)
    assert claimed.ok
    lost = await sam.types("/desk claim 1")
    await sam.sees(EN("error.AlreadyClaimed", agent="U0KIM", number=1), after=lost)
    await mei.sees(CN("ticket.said.claimed", agent="U0KIM", number=1), within=PATIENCE)

    await kim.clicks(EN("desk.button.reply"), message=card)
    form = await kim.modal()
    assert CN("desk.reply_form.seller_reads", language="简体中文") in form.plain()
    await kim.fills({CN("desk.reply_form.choice"): "which_error"})
    assert CN("desk.reply.which_error")[:12] in (await kim.modal()).plain()
    sent = await kim.submits()
    assert sent.ok, sent
    await mei.sees(CN("desk.reply.which_error")[:12], after=said, within=PATIENCE)

    passed = await mei.says("页面上写的是 MD5101")
    await mei.sees(CN("ticket.passed_on", number=1), after=passed, within=PATIENCE)
    await sam.sees("页面上写的是 MD5101", channel=SUPPORT, within=PATIENCE)

    await kim.clicks(EN("desk.button.close"), message=card)
    await kim.fills({CN("desk.close_form.because", number=1): "mended"})
    await kim.submits()
    await mei.sees(CN("ticket.closed.mended", number=1), within=PATIENCE)

    again = await mei.says("还是不行", thread=mine)
    await mei.sees(CN("ticket.said.reopened", number=1), after=again, within=PATIENCE)
    await sam.sees("还是不行", channel=SUPPORT, within=PATIENCE)
    assert await home.slack.problems() == []
