"""What people type to see what happens: markup, control characters, far too much; and requests that Slack never sent."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import delete

from bot.i18n import Speaker
from bot.ports import Installation
from sandbox.slack.signing import signed_headers
from storage.tables import deliveries
from tests.dialogue.conftest import Somebody
from tests.dialogue.content import marked, shown
from tests.dialogue.conversation import Seller, System

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: a label, and how it is read
_LABELS = [
    ("<!channel>", "<!channel>"),
    ("<!here|x>", "<!here|x>"),
    ("<@U0SAM>", "<@U0SAM>"),
    ("<https://evil.example|click>", "<https://evil.example|click>"),
    ("*bold* _italic_ ~gone~ `code`", "＊bold＊ ＿italic＿ ～gone～ ｀code｀"),
    ("a & b &amp; c", "a & b &amp; c"),
    ("Ac\u202eme\u200f US", "Ac me US"),
    ("line\nbreak\ttab\x07bell", "line break tab bell"),
    ("> quote", "> quote"),
    ("🏬🇺🇸 Acme", "🏬🇺🇸 Acme"),
    ("{store} %s {0}", "{store} %s {0}"),
    ("'; DROP TABLE stores;--", "'; DROP TABLE stores;--"),
    ("5 * 5 * 5", "5 ＊ 5 ＊ 5"),
    ("shop_us_2", "shop_us_2"),
    ("x" * 60, "x" * 60),
    ("店" * 60, "店" * 60),
]
#: a few milliseconds, many times over
NOVEL_MS = 2000
#: Slack's own marks, alive; moments in time are ours
_ALIVE = re.compile(r"<!(?!date\^)|<@U0SAM|<https://evil")


async def _named(seller: Seller, label: str) -> None:
    await seller.types("/store add")
    if (await seller.person.modal()).callback_id == "store.prepare":
        await seller.fills(plan="professional")
        await seller.submits()
    await seller.fills(label=label, marketplace="US")
    assert (await seller.submits()).said.errors == {}


def _texts(system: System, since: int) -> list[str]:
    """All markup that the bot has sent."""
    journal = system.running.sandbox.slack.journal
    sent = [call.args for call in journal.calls if call.id > since]
    sent += [shown(one.answer) for one in journal.deliveries if one.id > since]
    return [text for message in sent for text in marked(message)]


@pytest.mark.parametrize(("label", "read"), _LABELS, ids=range(len(_LABELS)))
async def test_a_label_is_shown_and_never_acted_on(mei: Seller, system: System, label: str, read: str) -> None:
    since = system.mark()
    await _named(mei, label)
    await mei.has_store("Zweiter")
    listed = (await mei.types("/store list")).only
    assert read in listed.plain()
    shown_store = await mei.presses(mei.say("button.details"), listed)
    assert read in shown_store.only.plain()
    assert read in (await mei.types("/authstatus")).plain()
    asked = await mei.types("/grant orders")
    offered = [option["text"]["text"] for option in asked.only.controls()[0].raw["options"]]
    card = await mei.presses(mei.say("store.which_placeholder"), asked.only, value=offered[0])
    assert read in card.one(mei.say("button.open_amazon")).plain()
    assert read in (await mei.opens_home()).plain()
    found = await mei.types(f"/store show 「{html.escape(read, quote=False)}」")  # as Slack writes what is typed
    assert read in found.only.plain(), "a label that is copied from what we say names its store"
    assert [text for text in _texts(system, since) if _ALIVE.search(text)] == []


@pytest.mark.parametrize("typed", ["<!channel>", "<https://evil.example|x>", "*x*", "\u202e\x00\x1b[31m", "😀" * 50])
async def test_what_is_not_understood_is_quoted_harmlessly(seller: Seller, system: System, typed: str) -> None:
    since = system.mark()
    await seller.has_store("Acme US")
    for command in ("/store", "/grant", "/store show", "/authstatus", "/grant orders", "/store add Acme2"):
        day = system.day() if command.endswith("2") else ""
        await seller.types(f"{command} {typed} {day}")
    assert [text for text in _texts(system, since) if _ALIVE.search(text)] == []
    assert await seller.stores() == 1


@pytest.mark.parametrize(
    "command", ["/store", "/store add", "/store show", "/store share", "/grant", "/grant orders", "/authstatus", "/faq"]
)
async def test_far_too_much_is_answered_in_few_words(alex: Seller, command: str) -> None:
    await alex.has_store("Acme US")
    news = await alex.types(f"{command} {'sehr viel Text ' * 530}")
    assert news.messages or news.modal
    assert all(len(one.plain()) < 4000 for one in news.messages)
    assert await alex.stores() == 1


@pytest.mark.parametrize(
    "said",
    ["为什么", "a-", "1 ", "https://", "@a", "a@", "a.", "<@", "MD", "( ", "\n", "Best regards\n", "state=", "ａ１"],
)
async def test_a_novel_in_a_direct_message_holds_nobody_up(mei: Seller, said: str) -> None:
    """Forty thousand characters are the most that Slack lets through; everybody else waits while one message is read."""
    news = await mei.says((said * 40_000)[:40_000])
    assert len(news.messages) == 1
    assert news.said.ack_ms < NOVEL_MS


@pytest.mark.parametrize("page", ["①", "²", "-1", "0", "9" * 300, "٣"])
async def test_a_page_that_is_no_number_of_ours_is_no_mishap(system: System, page: str) -> None:
    sam = Seller(system, system.client.person("sam"), Speaker("en"), "U0SAM")
    news = await sam.types(f"/desk unclaimed {page}")
    assert sam.say("error.WeMustAct", incident="{}").partition("{}")[0] not in news.only.plain()


@pytest.mark.parametrize("said", ["", " ", "\u200b", "👋", "\x00\x07", "<@U0BOT>", "https://example.com", "`", "*"])
async def test_little_or_nothing_in_a_direct_message_is_answered(mei: Seller, said: str) -> None:
    assert (await mei.says(said)).messages


async def test_the_same_event_delivered_again_is_answered_once(seller: Seller, system: System) -> None:
    await seller.says("MD5101")
    delivery = next(
        one
        for one in reversed(system.running.sandbox.slack.journal.deliveries)
        if one.who == str(seller) and one.kind == "event"
    )

    await system.passes(seconds=2)  # Slack signs a retry afresh

    async def again() -> None:
        for number in (1, 2, 3):
            headers = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"}
            await system.client.post("/control/slack/redeliver", {"id": delivery.id, "headers": headers})
            await system.passes(seconds=2)

    assert (await seller.notices(again)).messages == ()


async def test_the_same_command_delivered_again_does_nothing_twice(seller: Seller, system: System) -> None:
    await seller.types(f"/store add Acme US {system.day()}")
    delivery = next(
        one
        for one in reversed(system.running.sandbox.slack.journal.deliveries)
        if one.who == str(seller) and one.kind == "command"
    )
    await system.passes(seconds=2)
    await system.client.post("/control/slack/redeliver", {"id": delivery.id})
    repeated = system.running.sandbox.slack.journal.deliveries[-1]
    assert (repeated.status, repeated.answer) == (200, "")
    assert await seller.stores() == 1


async def test_a_form_sent_twice_makes_one_store(seller: Seller, system: System) -> None:
    await seller.types("/store add")
    await seller.fills(plan="professional")
    await seller.submits()
    await seller.fills(label="Acme US", marketplace="US")
    await seller.submits()
    delivery = next(
        one for one in reversed(system.running.sandbox.slack.journal.deliveries) if one.kind == "view_submission"
    )
    await system.passes(seconds=2)
    news = await seller.notices(lambda: system.client.post("/control/slack/redeliver", {"id": delivery.id}))
    assert news.messages == ()
    assert await seller.stores() == 1


def _command(seller: Seller, text: str, trigger: str) -> bytes:
    fields = {
        "command": "/store",
        "text": text,
        "team_id": "T0SANDBOX",
        "user_id": seller.id,
        "channel_id": seller.dm,
        "trigger_id": trigger,
    }
    return urlencode(fields).encode()


async def _post(system: System, body: bytes, headers: dict[str, str]) -> int:
    async with httpx.AsyncClient(trust_env=False) as http:
        url = f"{system.running.bot_url}/slack/events"
        sent = {"content-type": "application/x-www-form-urlencoded", **headers}
        return (await http.post(url, content=body, headers=sent)).status_code


async def test_only_what_slack_signed_and_only_once_is_heard(alex: Seller, system: System) -> None:
    secret, now = system.running.sandbox.settings.signing_secret, system.running.sandbox.clock.now()
    body = _command(alex, f"add Acme US {system.day()}", "replay.1")
    signed = signed_headers(secret, now, body)
    forged = _command(alex, f"add Forged US {system.day()}", "replay.2")
    assert await _post(system, body, {}) == 401
    assert await _post(system, body, signed_headers("another secret", now, body)) == 401
    assert await _post(system, body, signed_headers(secret, now - 400, body)) == 401
    assert await _post(system, forged, signed) == 401
    assert await alex.stores() == 0
    assert await _post(system, body, signed) == 200
    assert await _post(system, body, signed) == 401
    assert await alex.stores() == 1


async def test_an_event_that_failed_is_answered_when_slack_sends_it_again(seller: Seller, system: System) -> None:
    system.tolerated += ["event message", "chat.postMessage"]
    await system.client.fault("chat.postMessage", "500")
    await seller.person.says("MD5101", quiet=0)
    answer = await seller.person.sees("MD5101", within=60)
    await system.settled()
    answers = [one for one in await seller.person.messages(seller.dm) if one.user == "U0BOT"]
    assert [one.ts for one in answers] == [answer.ts]


@pytest.mark.parametrize("mode", ["429", "500", "html", "fatal_error"])
async def test_a_card_that_slack_refuses_for_now_comes_later_and_once(lin: Seller, system: System, mode: str) -> None:
    await lin.has_store("Acme US")
    await system.client.fault("chat.postMessage", mode, seconds=1)
    await lin.types("/grant orders")
    cards = [one for one in await lin.person.messages(lin.dm) if one.link(lin.say("button.open_amazon"))]
    assert len(cards) == 1


async def test_a_post_that_was_done_but_not_confirmed_is_repeated_once_at_most(lin: Seller, system: System) -> None:
    await lin.has_store("Acme US")
    await system.client.fault("chat.postMessage", "lost", seconds=0)
    await lin.types("/grant orders")
    cards = [one for one in await lin.person.messages(lin.dm) if one.link(lin.say("button.open_amazon"))]
    assert len(cards) in (1, 2)
    assert len({one.link(lin.say("button.open_amazon")) for one in cards}) == 1


async def test_a_workspace_that_removes_the_app_is_forgotten_and_can_come_back(
    somebody: Somebody, system: System
) -> None:
    alex = await somebody("alex")
    await alex.has_store("Acme US")
    rows = "SELECT count(*) FROM installations WHERE team_id = 'T0SANDBOX'"
    assert await system.count(rows) == 1
    await system.client.event({"type": "tokens_revoked", "tokens": {"oauth": ["U0ALEX"], "bot": []}})
    assert await system.count(rows) == 1
    await system.client.event({"type": "app_uninstalled"})
    assert await system.count(rows) == 0
    left = system.running.sandbox.slack.journal.deliveries[-1]
    await system.passes(seconds=2)
    await system.client.post("/control/slack/install")
    database = system.running.desk.database
    again = Installation("T0SANDBOX", "xoxb-sandbox", "U0BOT", "B0BOT", system.now)
    await database.installations.put(again)
    # the first try failed, as far as the bot knows: then the second comes when the workspace is back
    async with database.engine.begin() as connection:
        await connection.execute(delete(deliveries))
    await system.client.post("/control/slack/redeliver", {"id": left.id, "headers": {}})
    assert await system.count(rows) == 1
    assert "Acme US" in (await alex.types("/store list")).plain()


async def test_unknown_events_and_buttons_of_older_versions_are_acknowledged(mei: Seller, system: System) -> None:
    said = await system.client.event({"type": "emoji_changed", "subtype": "add"})
    assert said.ok
    await mei.has_store("Acme US")
    card = await mei.card("orders", "Acme US")
    pressed = await mei.presses(mei.say("button.open_amazon"), card)
    assert pressed.messages == ()
