"""Sellers and agents at the support desk, in three languages, over HTTP: Mei writes 简体中文, Lin 繁體中文, Alex English; Sam
works in English, Kim in 简体中文.
"""

from __future__ import annotations

from datetime import timedelta

import httpx

from bot.domain.features import FeatureKey
from bot.domain.roles import Role
from bot.i18n import Speaker
from bot.ports import Person
from tests.desk.conftest import PATIENCE, SUPPORT, TEAM, House

EN, CN, TW = Speaker("en"), Speaker("zh-CN"), Speaker("zh-TW")
GENERAL = "C0GENERAL"
MEIS_ACCOUNT, LINS_ACCOUNT = "A1MEIACME0001", "A3LINTAIWAN03"


async def test_a_question_arrives_diagnosed_is_answered_in_the_sellers_language_and_opens_again(home: House) -> None:
    mei, sam, kim = home.person("mei"), home.person("sam"), home.person("kim")
    await home.store("mei")
    said = await mei.types("/faq 我授权了为什么没有订单")
    await mei.clicks(CN("button.ask_person"), within=PATIENCE)
    mine = await mei.sees(CN("ticket.title", number=1), after=said, within=PATIENCE)
    card = await sam.sees("#1", channel=SUPPORT, within=PATIENCE)
    for expected in ("@U0MEI", "简体中文", "Acme US", "没有订单", EN("desk.source.answer"), EN("desk.card.topic")):
        assert card.contains(expected), expected

    assert (await kim.clicks(EN("desk.button.claim"), message=card)).ok
    lost = await sam.types("/desk claim 1")
    await sam.sees(EN("error.AlreadyClaimed", agent="U0KIM", number=1), after=lost)
    await mei.sees(CN("ticket.said.claimed", agent="U0KIM", number=1), within=PATIENCE)

    await kim.clicks(EN("desk.button.reply"), message=card)
    assert CN("desk.reply_form.seller_reads", language="简体中文") in (await kim.modal()).plain()
    await kim.fills({CN("desk.reply_form.choice"): "which_error"})
    assert CN("desk.reply.which_error")[:12] in (await kim.modal()).plain()
    assert (await kim.submits()).ok
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


async def test_lin_is_read_in_traditional_chinese_and_answered_so_while_sam_reads_english(home: House) -> None:
    lin, sam = home.person("lin"), home.person("sam")
    await home.store("lin", "Lin Shop", "JP")
    said = await lin.types("/desk new 授權了還是沒有訂單")
    await lin.sees(TW("desk.new.opened", number=1), after=said)
    card = await sam.sees("Lin Shop", channel=SUPPORT, within=PATIENCE)
    assert card.contains("繁體中文")
    await sam.clicks(EN("desk.button.ask"), message=card)
    form = await sam.modal()
    assert EN("desk.reply_form.seller_reads", language="繁體中文") in form.plain()
    await sam.fills({EN("desk.reply_form.choice"): "which_user"})
    shown = (await sam.modal()).plain()
    assert "主帳號" in shown
    assert "primary user" in shown
    await sam.fills({EN("desk.reply_form.words"): "Thank you, Lin"})
    await sam.submits()
    reply = await lin.sees("主帳號", after=said, within=PATIENCE)
    assert reply.contains("Thank you, Lin")
    assert not reply.contains("primary user")
    await lin.clicks(TW("ticket.button.write"), message=reply)
    await lin.fills({TW("ticket.words"): "是主帳號"})
    await lin.submits()
    await sam.sees("是主帳號", channel=SUPPORT, within=PATIENCE)
    done = await lin.clicks(TW("ticket.button.solved"))
    assert done.ok
    await lin.sees(TW("ticket.closed.solved", number=1), within=PATIENCE)
    assert await home.slack.problems() == []


async def test_alex_finds_an_error_that_is_ours_and_his_colleague_joins_the_ticket(home: House) -> None:
    alex, lin, sam = home.person("alex"), home.person("lin"), home.person("sam")
    store = await home.store("alex", "Willow")
    await alex.types("/store share <@U0LIN>")
    await alex.types("/grant orders")
    await alex.clicks(EN("button.saw_error"), within=PATIENCE)
    await alex.fills({EN("error_form.label"): "MD5101 https://bot.example.com/x?state=SECRET"})
    assert (await alex.submits()).ok
    card = await sam.sees("MD5101", channel=SUPPORT, within=PATIENCE)
    assert card.contains(EN("desk.mend.MD5101").partition("`")[0])
    assert not card.contains("SECRET")
    said = await lin.types("/desk new Willow 還是報錯")
    await lin.sees(TW("desk.new.joined", number=1), after=said)
    await sam.sees(EN("desk.line.joined", who="U0LIN"), channel=SUPPORT, within=PATIENCE)
    assert store.label == "Willow"
    assert await home.slack.problems() == []


async def test_sam_triages_a_message_checks_now_and_sends_a_link_in_meis_name(home: House) -> None:
    mei, sam = home.person("mei"), home.person("sam")
    store = await home.store("mei")
    await home.consents("mei", store, account=MEIS_ACCOUNT)
    await mei.says("有人吗？我的库存不同步", channel="general")
    message = await sam.sees("库存不同步", channel=GENERAL)
    await sam.shortcut("desk.triage", message=message)
    assert (await sam.modal()).labels()[:2] == [EN("desk.new_form.who"), EN("desk.new_form.store")]
    await sam.fills({EN("desk.new_form.feature"): "listing"})
    assert (await sam.submits()).ok
    assert EN("desk.new.joined", number=1) in (await sam.modal()).plain()
    await sam.closes()
    card = await sam.sees("库存不同步", channel=SUPPORT, within=PATIENCE)
    await sam.clicks(EN("desk.button.check"), message=card)
    await sam.sees(EN("desk.line.checked_refused_by", by="U0SAM", cause="").strip(), channel=SUPPORT, within=PATIENCE)
    name = EN("feature.listing.name")
    prepared = await sam.clicks(EN("desk.button.link", feature=name), message=card)
    assert prepared.ok
    link = await mei.sees(CN("card.requested_by", agent="U0SAM"), within=PATIENCE)
    assert link.link(CN("button.open_amazon"))
    events = await home.audit("link.made")
    assert (events[-1].actor, events[-1].on_behalf_of) == ("U0SAM", "U0MEI")
    for one in await sam.messages():
        assert "/connect/" not in one.text
    assert await home.slack.problems() == []


async def test_a_message_in_an_opened_channel_becomes_a_ticket_and_deleting_it_takes_it_back(home: House) -> None:
    alex, sam = home.person("alex"), home.person("sam")
    await alex.says("good morning everybody", channel="general")
    await sam.says("If it still says authorizing, grant it again.", channel="general")
    await alex.says("<@U0SAM> I authorized, why does it still say authorizing?", channel="general")
    await alex.says("@Grantdesk I authorized, why does it still say authorizing?", channel="general")
    said = await alex.says("I authorized, why does it still say authorizing?", channel="general")
    told = await alex.sees(EN("desk.new.opened", number=1), after=said, within=PATIENCE)
    assert told.ephemeral
    await sam.sees("still say authorizing", channel=SUPPORT, within=PATIENCE)
    mine = [one for one in await alex.messages(GENERAL) if one.text.startswith("I authorized")][-1]
    await alex.deletes(mine)
    await sam.sees(EN("desk.line.withdrawn", who="U0ALEX"), channel=SUPPORT, within=PATIENCE)
    card = next(one for one in await sam.messages(SUPPORT) if one.contains("#1") and one.thread is None)
    assert not card.contains("still say authorizing")
    assert card.contains(EN("desk.because.withdrawn"))
    assert await home.slack.problems() == []


async def test_the_queue_the_filters_and_everybodys_stores(home: House) -> None:
    mei, lin, sam, kim = (home.person(name) for name in ("mei", "lin", "sam", "kim"))
    await home.store("mei")
    await home.store("lin", "Lin Shop", "JP")
    await mei.types("/desk new 没有订单")
    await lin.types("/desk new 庫存不同步")
    await sam.sees("Lin Shop", channel=SUPPORT, within=PATIENCE)

    view = await sam.home()
    assert EN("desk.queue.title") in view.plain()
    assert f"{EN('desk.queue.unclaimed')} (2)" in view.buttons()
    await sam.clicks(EN("desk.button.claim"), view=view)
    mine = await sam.home()
    assert f"{EN('desk.queue.mine')} (1)" in mine.buttons()
    await sam.clicks(f"{EN('desk.queue.mine')} (1)", view=mine)
    said = await kim.types("/desk mine")
    await kim.sees(CN("desk.empty.mine"), after=said)
    said = await kim.types("/desk all")
    await kim.sees("#2", after=said)
    said = await kim.types("/desk show 2")
    shown = await kim.sees("#2", after=said)
    assert shown.ephemeral
    assert shown.contains(CN("desk.card.store"))

    said = await kim.types("/authstatus <@U0MEI>")
    await kim.sees("Acme US", after=said)
    said = await kim.types("/authstatus all")
    everybody = await kim.sees("Lin Shop", after=said)
    assert everybody.contains("Acme US")
    said = await kim.types("/desk numbers")
    week = await kim.sees(CN("desk.week.opened"), after=said)
    [chart] = [block for block in week.raw["blocks"] if block["type"] == "image"]
    assert CN("desk.week.day", day=CN("desk.weekday.0"), opened=0, closed=0).partition("：")[0] in chart["alt_text"]
    assert "新建 2" in chart["alt_text"]
    async with httpx.AsyncClient() as browser:
        picture = await browser.get(chart["image_url"])
    assert (picture.status_code, picture.content[:4]) == (200, b"\x89PNG")
    await home.service.run_job("desk-deadlines")
    numbers = home.service.metrics.text().decode()
    assert 'grantdesk_tickets_total{event="opened",source="command"} 2.0' in numbers
    assert 'grantdesk_tickets_open{state="open"} 1.0' in numbers

    said = await mei.types("/authstatus <@U0LIN>")
    await mei.sees(CN("error.NotAnAgent"), after=said)
    said = await mei.types("/authstatus all")
    assert not any(one.contains("Lin Shop") for one in said.messages)
    said = await mei.types("/desk all")
    assert not any(one.contains("Lin Shop") for one in said.messages)
    assert EN("desk.queue.title") not in (await mei.home()).plain()
    assert CN("desk.queue.title") not in (await mei.home()).plain()
    assert await home.slack.problems() == []


async def test_a_workspace_admin_makes_alex_an_agent_in_app_home_and_takes_it_back(home: House) -> None:
    sam, alex = home.person("sam"), home.person("alex")
    said = await alex.types("/desk mine")
    assert not any(one.contains(EN("desk.queue.title")) for one in said.messages)
    view = await sam.home()
    assert EN("role.title") in view.plain()
    await sam.clicks(EN("role.give"), view=view)
    await sam.fills({EN("role.who"): "U0ALEX", EN("role.which"): "agent"})
    assert (await sam.submits()).ok
    said = await alex.types("/desk mine")
    await alex.sees(EN("desk.empty.mine"), after=said)
    view = await alex.home()
    assert EN("desk.queue.title") in view.plain()
    assert EN("role.title") not in view.plain()
    view = await sam.home()
    await sam.clicks("role.take:U0ALEX", view=view)
    said = await alex.types("/desk mine")
    assert not any(one.contains(EN("desk.empty.mine")) for one in said.messages)
    assert [event.details["role"] for event in await home.audit("role.given")] == ["agent", "seller"]
    assert await home.slack.problems() == []


async def test_of_more_people_than_are_listed_each_can_lose_their_role(home: House) -> None:
    sam, alex = home.person("sam"), home.person("alex")
    view = await sam.home()
    await sam.clicks(EN("role.give"), view=view)
    await sam.fills({EN("role.who"): "U0ALEX", EN("role.which"): "agent"})
    assert (await sam.submits()).ok
    boss = Person(TEAM, "U0SAM", "en", "UTC", is_admin=True)
    for number in range(25):
        await home.service.stories.desk.roles.give(boss, f"U0AGENT{number:02}", Role.AGENT)
    view = await sam.home()
    everybody = await home.service.stories.desk.roles.everybody(TEAM)
    listed = [one for one in view.controls() if one.action_id.startswith("role.take:")]
    assert Speaker("en").count("role.more", len(everybody) - len(listed)) in view.plain()
    await sam.clicks(EN("role.give"), view=view)
    await sam.fills({EN("role.who"): "U0ALEX", EN("role.which"): EN("role.take")})
    assert (await sam.submits()).ok
    said = await alex.types("/desk mine")
    assert not any(one.contains(EN("desk.empty.mine")) for one in said.messages)
    assert await home.slack.problems() == []


async def test_when_amazon_is_down_for_many_they_are_told_once_and_once_more_when_it_is_over(home: House) -> None:
    mei, sam = home.person("mei"), home.person("sam")
    stores = [await home.store("mei", f"Acme {code}", code) for code in ("US", "CA", "MX")]
    lins = await home.store("lin", "Lin Shop", "US")
    await home.consents("mei", stores[0], account=MEIS_ACCOUNT)
    await home.consents("lin", lins, account=LINS_ACCOUNT)
    granted = await home.service.stories.people.get("T0SANDBOX", "U0MEI")
    for store in stores[1:]:
        attempt = await home.service.stories.granting.prepare(granted, FeatureKey.ORDERS, store.id)
        await home.service.stories.granting.confirm(attempt.id)
    home.sandbox.amazon.switches.set({"lwa_status": "html_503"})
    for store in stores:
        await home.service.stories.checking.tell(granted, FeatureKey.ORDERS, store.id)
    another = await home.service.stories.people.get("T0SANDBOX", "U0LIN")
    await home.service.stories.checking.tell(another, FeatureKey.ORDERS, lins.id)
    await mei.sees(CN("incident.title"), within=PATIENCE)
    await sam.sees(EN("desk.incident.title", number=1), channel=SUPPORT, within=PATIENCE)
    home.passes(timedelta(minutes=11))
    await home.service.run_job("desk-incidents")
    home.sandbox.amazon.switches.set({"lwa_status": "ok"})
    home.passes(timedelta(minutes=11))
    await home.service.run_job("desk-incidents")
    await mei.sees(CN("incident.over_title"), within=PATIENCE)
    await sam.sees(EN("desk.incident.over", number=1), channel=SUPPORT, within=PATIENCE)
    for title in ("incident.title", "incident.over_title"):
        assert len([one for one in await mei.messages() if one.contains(CN(title))]) == 1
    assert await home.slack.problems() == []
