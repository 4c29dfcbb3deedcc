"""Delivery over real HTTP: where messages go, which refusals are final, and how limits are kept."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import aiohttp
import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from bot.adapters.slack.delivery import FINAL, SlackDelivery
from bot.adapters.slack.session import (
    PACES,
    Pace,
    SlackApi,
    SlackBusy,
    SlackRefused,
    SlackUnreachable,
    open_session,
    read_answer,
    web_client,
)
from bot.domain.notices import Notice, StoreAdded, StoreRef
from bot.ports import CardAddress, Errand, Message, Person, Placement, Sending
from bot.services.relay import DeliveryFailed, RateLimited, Undeliverable
from tests.adapters.loopback import NOON, HandClock, serving
from tests.adapters.slack_stand_in import KnownTokens, MemoryCards, MemoryPeople, SlackStandIn

NOTICE = StoreAdded(store=StoreRef("s1", "Acme US", "US"))
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]
FAST = dict.fromkeys(PACES, (1000.0, 1000.0))
NEW = Sending(Message("new", BLOCKS), Placement.NEW_CARD, "grant:s1", farewell=Message("bye"))
EDIT = Sending(Message("edited"), Placement.EDIT_CARD, "grant:s1")
THREAD = Sending(Message("line"), Placement.THREAD, "grant:s1")
PLAIN = Sending(Message("plain"))


def errand(recipient: str = "U1", *, team: str = "T1", errand_id: str = "e1", kind: str = "store_added") -> Errand:
    return Errand(errand_id, team, recipient, kind, False, NOTICE.facts(), NOON, 1)


class Case:
    def __init__(self, url: str, slack: SlackStandIn, session: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.clock = HandClock()
        self.tokens = KnownTokens()
        self.cards = MemoryCards()
        self.people = MemoryPeople()
        self.told: list[tuple[str, str]] = []
        self.readers: list[Person] = []
        self.sendings: Sequence[Sending] = [PLAIN]
        self.api = SlackApi(session, f"{url}/api/", lambda method, outcome: self.told.append((method, outcome)))
        self.delivery = SlackDelivery(
            self.api,
            tokens=self.tokens,
            cards=self.cards,
            people=self.people,
            renderers={"store_added": self.render},
            clock=self.clock,
            pace=Pace(FAST),
        )

    def render(self, notice: Notice, reader: Person) -> Sequence[Sending]:
        assert notice == NOTICE
        self.readers.append(reader)
        return self.sendings

    async def deliver(self, *sendings: Sending, recipient: str = "U1", errand_id: str = "e1") -> None:
        self.sendings = sendings or self.sendings
        await self.delivery.deliver(errand(recipient, errand_id=errand_id))

    @property
    def card(self) -> CardAddress | None:
        return self.cards.kept.get(("T1", "U1", "grant:s1"))


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    slack = SlackStandIn()
    async with serving(slack.app) as url, open_session() as session:
        yield Case(url, slack, session)


# --- placing


async def test_a_message_goes_to_the_user_id_and_never_unfurls(case: Case) -> None:
    await case.deliver(Sending(Message("hello", BLOCKS)))
    assert case.slack.calls == [
        (
            "chat.postMessage",
            {"channel": "U1", "text": "hello", "blocks": BLOCKS, "unfurl_links": False, "unfurl_media": False},
        )
    ]
    assert case.slack.tokens == ["Bearer xoxb-one"]
    assert case.readers == [Person("T1", "U1", "zh-TW", "Asia/Taipei")]
    assert case.told == [("chat.postMessage", "ok")]


async def test_a_channel_is_spoken_to_in_english(case: Case) -> None:
    await case.deliver(recipient="C1")
    assert case.readers == [Person("T1", "C1", "en", "UTC")]
    assert case.people.asked == []


async def test_a_new_card_is_remembered_and_the_old_one_says_goodbye(case: Case) -> None:
    await case.deliver(NEW)
    assert case.card == CardAddress("D1", "1.0")
    await case.deliver(NEW, errand_id="e2")
    assert case.slack.called("chat.update") == [{"channel": "D1", "ts": "1.0", "text": "bye", "blocks": []}]
    assert case.card == CardAddress("D1", "2.0")


async def test_a_picture_that_slack_cannot_fetch_does_not_cost_the_message(case: Case) -> None:
    picture = {"type": "image", "image_url": "https://10.0.0.1/calendar.png", "alt_text": "a calendar"}
    case.slack.refuse("chat.postMessage", "invalid_blocks")
    await case.deliver(Sending(Message("hello", [*BLOCKS, picture])))
    with_picture, without = case.slack.called("chat.postMessage")
    assert with_picture["blocks"] == [*BLOCKS, picture]
    assert (without["blocks"], without["text"]) == (BLOCKS, "hello")


async def test_blocks_that_are_too_much_for_slack_are_said_as_text(case: Case) -> None:
    case.slack.refuse("chat.postMessage", "msg_blocks_too_long")
    await case.deliver(NEW)
    first, second = case.slack.called("chat.postMessage")
    assert first["blocks"] == BLOCKS
    assert not second.get("blocks")
    assert first["text"] == second["text"]
    assert case.card is not None
    case.slack.refuse("chat.update", "msg_blocks_too_long")
    await case.deliver(Sending(Message("edited", BLOCKS), Placement.EDIT_CARD, "grant:s1"), errand_id="e2")
    assert [(one["text"], one["blocks"]) for one in case.slack.called("chat.update")] == [
        ("edited", BLOCKS),
        ("edited", []),
    ]


async def test_a_text_that_is_too_long_as_well_is_given_up(case: Case) -> None:
    case.slack.refuse("chat.postMessage", "msg_blocks_too_long")
    case.slack.refuse("chat.postMessage", "msg_too_long")
    with pytest.raises(Undeliverable):
        await case.deliver(Sending(Message("hello", BLOCKS)))


async def test_blocks_that_slack_refuses_without_any_picture_are_refused(case: Case) -> None:
    case.slack.refuse("chat.postMessage", "invalid_blocks")
    with pytest.raises(Undeliverable):
        await case.deliver(Sending(Message("hello", BLOCKS)))
    assert len(case.slack.called("chat.postMessage")) == 1


async def test_a_card_is_edited_where_it_stands_and_lines_go_under_it(case: Case) -> None:
    await case.deliver(NEW)
    await case.deliver(EDIT, THREAD, errand_id="e2")
    assert case.slack.called("chat.update") == [{"channel": "D1", "ts": "1.0", "text": "edited", "blocks": []}]
    line = case.slack.called("chat.postMessage")[-1]
    assert (line["channel"], line["thread_ts"], line["text"]) == ("D1", "1.0", "line")
    assert case.card == CardAddress("D1", "1.0")


async def test_without_a_card_an_edit_is_a_new_card_and_a_line_stands_alone(case: Case) -> None:
    await case.deliver(THREAD)
    assert "thread_ts" not in case.slack.called("chat.postMessage")[0]
    assert case.card is None
    await case.deliver(EDIT, errand_id="e2")
    assert case.card == CardAddress("D1", "2.0")


@pytest.mark.parametrize("error", ["message_not_found", "channel_not_found", "cant_update_message"])
async def test_a_card_that_was_deleted_is_posted_anew(case: Case, error: str) -> None:
    await case.deliver(NEW)
    case.slack.refuse("chat.update", error)
    await case.deliver(EDIT, errand_id="e2")
    assert [call["text"] for call in case.slack.called("chat.postMessage")] == ["new", "edited"]
    assert case.card == CardAddress("D1", "2.0")


async def test_a_farewell_that_failed_is_made_up_for_without_a_second_card(case: Case) -> None:
    await case.deliver(NEW)
    case.slack.next("chat.update", HTMLResponse("", 503), Response(status_code=429))
    with pytest.raises(DeliveryFailed):
        await case.deliver(NEW, errand_id="e2")
    assert case.card == CardAddress("D1", "2.0")  # there from the first try on
    with pytest.raises(RateLimited):
        await case.deliver(NEW, errand_id="e2")
    case.clock.pass_by(minutes=1)
    await case.deliver(NEW, errand_id="e2")
    assert [call["ts"] for call in case.slack.called("chat.update")] == ["1.0", "1.0", "1.0"]
    assert len(case.slack.called("chat.postMessage")) == 2


async def test_a_deleted_card_needs_no_farewell(case: Case) -> None:
    await case.deliver(NEW)
    case.slack.refuse("chat.update", "message_not_found")
    await case.deliver(NEW, errand_id="e2")
    assert len(case.slack.called("chat.postMessage")) == 2


async def test_a_line_under_a_deleted_card_stands_alone(case: Case) -> None:
    await case.deliver(NEW)
    case.slack.refuse("chat.postMessage", "thread_not_found")
    await case.deliver(THREAD, errand_id="e2")
    last = case.slack.called("chat.postMessage")[-1]
    assert (last["channel"], last.get("thread_ts")) == ("U1", None)


# --- refusals


@pytest.mark.parametrize("error", sorted(FINAL))
async def test_a_final_refusal_is_undeliverable(case: Case, error: str) -> None:
    case.slack.refuse("chat.postMessage", error)
    with pytest.raises(Undeliverable, match=error):
        await case.deliver()


@pytest.mark.parametrize("error", ["fatal_error", "internal_error", "invalid_auth", "missing_scope", "never_heard_of"])
async def test_what_may_be_mended_is_tried_again(case: Case, error: str) -> None:
    case.slack.refuse("chat.postMessage", error)
    with pytest.raises(DeliveryFailed) as failure:
        await case.deliver()
    assert not isinstance(failure.value, Undeliverable)


@pytest.mark.parametrize("answer", [HTMLResponse("sorry", 503), Response(status_code=500), JSONResponse([], 200)])
async def test_an_error_page_is_tried_again(case: Case, answer: Response) -> None:
    case.slack.next("chat.postMessage", answer)
    with pytest.raises(DeliveryFailed) as failure:
        await case.deliver()
    assert type(failure.value) is DeliveryFailed
    assert case.told == [("chat.postMessage", "unreachable")]


async def test_a_dead_token_is_forgotten(case: Case) -> None:
    case.slack.refuse("chat.postMessage", "token_revoked")
    with pytest.raises(Undeliverable):
        await case.deliver()
    assert case.tokens.forgotten == ["T1"]


async def test_what_has_no_reader_or_no_words_is_undeliverable(case: Case) -> None:
    with pytest.raises(Undeliverable, match="not_installed"):
        await case.delivery.deliver(errand(team="T9"))
    with pytest.raises(Undeliverable, match="no_renderer"):
        await case.delivery.deliver(errand(kind="unheard_of"))
    broken = Errand("e1", "T1", "U1", "store_added", False, {"surprise": 1}, NOON, 1)
    with pytest.raises(Undeliverable, match="unreadable_notice"):
        await case.delivery.deliver(broken)


async def test_a_retry_does_not_repeat_what_was_sent(case: Case) -> None:
    case.sendings = [Sending(Message("one")), Sending(Message("two"))]
    case.slack.next("chat.postMessage", {"ok": True, "channel": "D1", "ts": "1.0"}, HTMLResponse("", 503))
    with pytest.raises(DeliveryFailed):
        await case.deliver()
    await case.deliver()
    assert [call["text"] for call in case.slack.called("chat.postMessage")] == ["one", "two", "two"]
    await case.deliver()  # another time, all of it
    assert [call["text"] for call in case.slack.called("chat.postMessage")][3:] == ["one", "two"]


async def test_progress_survives_a_second_failure(case: Case) -> None:
    case.sendings = [Sending(Message("one")), Sending(Message("two"))]
    ok = {"ok": True, "channel": "D1", "ts": "1.0"}
    case.slack.next("chat.postMessage", ok, HTMLResponse("", 503), HTMLResponse("", 503))
    for _ in range(2):
        with pytest.raises(DeliveryFailed):
            await case.deliver()
    await case.deliver()
    assert [call["text"] for call in case.slack.called("chat.postMessage")] == ["one", "two", "two", "two"]


# --- limits


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=429, headers={"retry-after": "7"}),
        JSONResponse({"ok": False, "error": "ratelimited"}, headers={"retry-after": "7"}),
        JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers={"Retry-After": "7"}),
    ],
)
async def test_both_ways_of_being_told_to_wait_are_heard(case: Case, answer: Response) -> None:
    case.slack.next("chat.postMessage", answer)
    with pytest.raises(RateLimited) as limited:
        await case.deliver()
    assert limited.value.retry_after == timedelta(seconds=7)
    assert case.told == [("chat.postMessage", "rate_limited")]


async def test_a_workspace_that_was_told_to_wait_is_not_called_meanwhile(case: Case) -> None:
    case.tokens.tokens["T2"] = "xoxb-two"
    case.slack.next("chat.postMessage", Response(status_code=429, headers={"retry-after": "7"}))
    with pytest.raises(RateLimited):
        await case.deliver()
    case.clock.pass_by(seconds=3)
    with pytest.raises(RateLimited) as limited:
        await case.deliver(errand_id="e2")
    assert limited.value.retry_after == timedelta(seconds=4)
    assert len(case.slack.calls) == 1
    await case.delivery.deliver(errand(team="T2"))
    case.clock.pass_by(seconds=4)
    await case.deliver()
    assert len(case.slack.calls) == 3


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 1), ("", 30), ("soon", 30), ("nan", 30), ("inf", 30), ("-1", 30), ("1e9", 3600)],
)
def test_an_odd_pause_is_a_sensible_one(header: str, seconds: int) -> None:
    with pytest.raises(SlackBusy) as busy:
        read_answer("x", 429, {"Retry-After": header}, b"")
    assert busy.value.retry_after == timedelta(seconds=seconds)


def test_answers_are_read_without_io() -> None:
    assert read_answer("x", 200, {}, b'{"ok": true, "ts": "1"}') == {"ok": True, "ts": "1"}
    with pytest.raises(SlackRefused, match="invalid_blocks"):
        read_answer("x", 200, {}, b'{"ok": false, "error": "invalid_blocks"}')
    for status, body in ((200, b"{"), (200, b"[]"), (200, b'{"ok": "yes"}'), (503, b"<html>")):
        with pytest.raises(SlackUnreachable):
            read_answer("x", status, {}, body)


async def test_calls_are_paced_by_waiting_and_nobody_waits_for_another_workspace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    pace = Pace({"m": (2.0, 2.0)}, now=lambda: now)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    for _ in range(4):
        await pace.wait("m", "T1")
    await pace.wait("m", "T2")
    await pace.wait("other", "T1")
    assert slept == [0.5, 1.0]
    now = 10.0
    assert await pace.wait("m", "T1") == 0.0


async def test_paces_are_kept_in_bounded_memory() -> None:
    now = 0.0
    pace = Pace({"m": (1.0, 5.0)}, now=lambda: now, most=10)
    for number in range(100):
        await pace.wait("m", str(number))
        assert len(pace._buckets) <= 10


# --- the session


async def test_nobody_listening_is_unreachable_and_says_no_more_than_that() -> None:
    async with open_session() as session:
        api = SlackApi(session, "http://127.0.0.1:9/api/")
        with pytest.raises(SlackUnreachable) as failure:
            await api.call("chat.postMessage", token="xoxb-secret", text="private")
    assert "xoxb" not in str(failure.value)
    assert failure.value.__cause__ is None


async def test_silence_ends_after_its_time(case: Case) -> None:
    case.slack.seconds = 1
    with pytest.raises(SlackUnreachable, match="Timeout"):
        await case.api.call("users.info", token="t", within=0.05)


async def test_the_shared_session_has_a_time_out_and_bolts_client_uses_it() -> None:
    async with open_session() as session:
        assert session.timeout.total == 10
        client = web_client(session, api_url="http://127.0.0.1:9/api/")
        assert client.session is session
        assert client.base_url == "http://127.0.0.1:9/api/"
        assert client.retry_handlers == []
