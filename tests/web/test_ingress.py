"""Slack's ingress over real HTTP: what is refused before anybody reads it, what runs once, what is let go again."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.routing import Route
from structlog.testing import capture_logs

from bot.adapters.slack.bolt import make_bolt
from bot.adapters.slack.reception import Reception, delivery_key
from bot.web.ingress import BODY_LIMIT, NotOurs, SignatureCheck, SlackIngress, Unreadable, read_payload
from tests.adapters.loopback import HandClock, serving
from tests.adapters.slack_stand_in import SeenDeliveries

NEW, OLD = "new-secret", "old-secret"


def sign(body: bytes, at: int | str, secret: str = NEW) -> dict[str, str]:
    base = f"v0:{at}:".encode() + body
    signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": str(at), "x-slack-signature": signature}


FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


class Case:
    """A bot with one command, one button, one view and one event, behind the ingress."""

    def __init__(self, *, body_seconds: float = 30.0) -> None:
        self.clock = HandClock()
        self.seen = SeenDeliveries()
        self.handled: list[str] = []
        self.acks: list[str] = []
        self.fail = 0
        self.answer: dict[str, Any] | None = None
        self.http: httpx.AsyncClient
        self.url = ""
        self.bolt = self._bolt()
        reception = Reception(
            self.bolt, self.seen, clock=self.clock, observe=lambda kind, _seconds: self.acks.append(kind)
        )
        self.ingress = SlackIngress(reception, secrets=(NEW, OLD), clock=self.clock, body_seconds=body_seconds)
        self.app = Starlette(routes=[Route("/slack/events", self.ingress)])

    def _bolt(self) -> AsyncApp:
        async def authorize(team_id: str | None) -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None, team_id=team_id, bot_token="xoxb-1", bot_id="B1", bot_user_id="U0"
            )

        bolt = make_bolt(client=AsyncWebClient(), authorize=authorize)

        @bolt.error
        async def error() -> None:
            """The house's own handler: quiet here."""

        async def work(ack: Any, body: dict[str, Any]) -> None:
            self.handled.append(str(body.get("command") or body.get("type")))
            if self.fail:
                self.fail -= 1
                raise RuntimeError("Acme's secret plan")
            if self.answer is None:
                await ack()
            else:
                await ack(self.answer)

        bolt.command("/store")(work)
        bolt.action("press")(work)
        bolt.view("form")(work)
        bolt.event("app_home_opened")(work)
        return bolt

    async def send(
        self,
        body: bytes,
        headers: dict[str, str] = FORM,
        *,
        secret: str = NEW,
        later: int = 0,
    ) -> httpx.Response:
        at = int(self.clock().timestamp()) + later
        return await self.http.post(f"{self.url}/slack/events", content=body, headers=headers | sign(body, at, secret))

    async def command(self, trigger: str = "t1", *, later: int = 0) -> httpx.Response:
        form = {"command": "/store", "text": "list", "trigger_id": trigger, "team_id": "T1", "user_id": "U1"}
        return await self.send(urlencode(form).encode(), later=later)

    async def event(self, event_id: str = "Ev1", *, later: int = 0) -> httpx.Response:
        body = {
            "type": "event_callback",
            "event_id": event_id,
            "team_id": "T1",
            "event": {"type": "app_home_opened", "user": "U1", "tab": "home"},
        }
        return await self.send(json.dumps(body).encode(), JSON, later=later)

    async def payload(self, body: dict[str, Any], *, later: int = 0) -> httpx.Response:
        body = {"team": {"id": "T1"}, "user": {"id": "U1"}} | body
        return await self.send(urlencode({"payload": json.dumps(body)}).encode(), later=later)

    async def submit(self, trigger: str, *, later: int = 0) -> httpx.Response:
        view = {"id": "V1", "hash": "h1", "type": "modal", "callback_id": "form", "state": {"values": {}}}
        return await self.payload({"type": "view_submission", "trigger_id": trigger, "view": view}, later=later)


@asynccontextmanager
async def running(*, body_seconds: float = 30.0) -> AsyncIterator[Case]:
    case = Case(body_seconds=body_seconds)
    async with serving(case.app) as url, httpx.AsyncClient(trust_env=False) as http:
        case.url, case.http = url, http
        yield case


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    async with running() as made:
        yield made


# --- what comes through


async def test_a_signed_command_is_handled_and_acknowledged(case: Case) -> None:
    case.answer = {"text": "two stores"}
    answer = await case.command()
    assert (answer.status_code, answer.json()) == (200, {"text": "two stores"})
    assert answer.headers["content-type"].startswith("application/json")
    assert case.handled == ["/store"]
    assert case.acks == ["command"]


async def test_events_buttons_and_forms_come_through(case: Case) -> None:
    assert (await case.event()).status_code == 200
    press = {
        "type": "block_actions",
        "trigger_id": "t",
        "actions": [{"type": "button", "action_id": "press", "block_id": "b"}],
    }
    assert (await case.payload(press)).status_code == 200
    assert (await case.submit("t2")).status_code == 200
    assert case.handled == ["event_callback", "block_actions", "view_submission"]
    assert case.acks == ["event_callback", "block_actions", "view_submission"]


async def test_the_older_secret_still_counts_while_rotating(case: Case) -> None:
    body = urlencode({"command": "/store", "trigger_id": "t"}).encode()
    assert (await case.send(body, secret=OLD)).status_code == 200
    assert (await case.send(body, secret="somebody-elses")).status_code == 401


async def test_slacks_handshake_is_answered(case: Case) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c" * 600}).encode()
    answer = await case.send(body, JSON)
    assert (answer.status_code, answer.text) == (200, "c" * 512)
    assert answer.headers["content-type"].startswith("text/plain")
    assert (await case.send(b"ssl_check=1&token=x")).status_code == 200
    assert (await case.http.get(f"{case.url}/slack/events?ssl_check=1&token=x")).status_code == 200
    assert case.handled == []


# --- what does not


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_refused(case: Case, method: str) -> None:
    answer = await case.http.request(method, f"{case.url}/slack/events")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-slack-request-timestamp": "TIME"},
        {"x-slack-signature": "v0=" + "0" * 64, "x-slack-request-timestamp": "TIME"},
        {"x-slack-signature": "", "x-slack-request-timestamp": "TIME"},
        {"x-slack-signature": "v0=" + "0" * 64, "x-slack-request-timestamp": "soon"},
        {"x-slack-signature": "v0=" + "0" * 64, "x-slack-request-timestamp": ""},
        {"x-slack-signature": "v0=" + "0" * 64, "x-slack-request-timestamp": "-5"},
        {"x-slack-signature": "v0=" + "0" * 64, "x-slack-request-timestamp": "9" * 5000},
        {"x-slack-signature": "v0=é".encode("latin-1").decode("latin-1"), "x-slack-request-timestamp": "TIME"},
    ],
)
async def test_what_slack_did_not_sign_gets_an_empty_401(case: Case, headers: dict[str, str]) -> None:
    now = str(int(case.clock().timestamp()))
    given = [(k.encode(), v.replace("TIME", now).encode("latin-1")) for k, v in headers.items()]
    with capture_logs() as lines:
        answer = await case.http.post(f"{case.url}/slack/events", content=b"command=%2Fstore&text=Acme", headers=given)
    assert (answer.status_code, answer.content) == (401, b"")
    assert case.handled == []
    assert "Acme" not in repr(lines)


async def test_one_altered_byte_is_noticed(case: Case) -> None:
    body = b"command=%2Fstore&text=list"
    headers = FORM | sign(body, int(case.clock().timestamp()))
    answer = await case.http.post(f"{case.url}/slack/events", content=body + b" ", headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize(("seconds", "status"), [(0, 200), (-300, 200), (300, 200), (-301, 401), (301, 401)])
async def test_a_signature_counts_for_five_minutes(case: Case, seconds: int, status: int) -> None:
    assert (await case.command(later=seconds)).status_code == status


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{", JSON),
        (b"[]", JSON),
        (b"null", JSON),
        (b"{}", JSON),
        (b"", JSON),
        (b"", FORM),
        (b"\xff\xfe", FORM),
        (b"\xff\xfe", JSON),
        (b"payload=%7B", FORM),
        (b"payload=[]", FORM),
        (b"payload=7", FORM),
        (b"[" * 100_000, JSON),
        (b"&".join(b"a%d=1" % n for n in range(300)), FORM),
    ],
)
async def test_what_cannot_be_read_gets_an_empty_400(case: Case, body: bytes, headers: dict[str, str]) -> None:
    with capture_logs() as lines:
        answer = await case.send(body, headers)
    assert (answer.status_code, answer.content) == (400, b"")
    assert [line["event"] for line in lines] == ["ingress.unreadable"]


async def test_a_body_that_says_it_is_too_large_is_not_read(case: Case) -> None:
    answer = await case.send(b"x" * (BODY_LIMIT + 1))
    assert (answer.status_code, answer.content) == (413, b"")


async def stream(case: Case, chunk: bytes, *, times: int, seconds: float) -> tuple[str, int]:
    """Writes a chunked body by hand until it is answered: the status line, and how many chunks were taken."""
    host, port = case.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /slack/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
    answer = asyncio.create_task(reader.readline())
    sent = 0
    try:
        while sent < times and not answer.done():
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await writer.drain()
            sent += 1
            await asyncio.sleep(seconds)
    except ConnectionError:
        pass
    async with asyncio.timeout(5):
        line = await answer
    writer.close()
    return line.decode().strip(), sent


async def test_a_body_without_a_length_is_cut_off_at_the_limit(case: Case) -> None:
    line, sent = await stream(case, b"x" * 65536, times=64, seconds=0.01)
    assert line == "HTTP/1.1 413 Request Entity Too Large"
    assert sent < 30


async def test_a_body_that_trickles_in_is_not_waited_for() -> None:
    async with running(body_seconds=0.3) as case:
        line, sent = await stream(case, b"x", times=100, seconds=0.05)
    assert line == "HTTP/1.1 408 Request Timeout"
    assert sent < 20


async def test_a_megabyte_exactly_is_fine(case: Case) -> None:
    frame = b"command=%2Fstore&trigger_id=t&text="
    assert (await case.send(frame + b"x" * (BODY_LIMIT - len(frame)))).status_code == 200


async def test_a_sender_that_hangs_up_is_not_answered() -> None:
    case = Case()
    sent: list[Any] = []
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"comm", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await case.ingress({"type": "http", "method": "POST", "headers": [], "path": "/slack/events"}, receive, send)
    assert sent == []


# --- once


async def test_the_same_bytes_again_are_refused(case: Case) -> None:
    assert (await case.command()).status_code == 200
    again = await case.command()
    assert (again.status_code, again.content) == (401, b"")
    assert case.handled == ["/store"]


async def test_slacks_own_retry_is_signed_afresh_and_dropped_quietly(case: Case) -> None:
    case.answer = {"text": "done"}
    assert (await case.event()).status_code == 200
    retry = await case.event(later=2)
    assert (retry.status_code, retry.content) == (200, b"")
    assert case.handled == ["event_callback"]


async def test_many_at_once_are_handled_once(case: Case) -> None:
    answers = await asyncio.gather(*(case.event(later=second) for second in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert case.handled == ["event_callback"]


async def test_a_second_press_of_submit_is_the_same_wish(case: Case) -> None:
    await case.submit("t1")
    await case.submit("t2", later=1)
    assert case.handled == ["view_submission"]


async def test_a_corrected_form_is_read_again(case: Case) -> None:
    case.answer = {"response_action": "errors", "errors": {"label": "Give the store a name"}}
    await case.submit("t1")
    case.answer = None
    await case.submit("t2", later=1)
    assert case.handled == ["view_submission"] * 2


async def test_what_failed_may_come_again(case: Case) -> None:
    case.fail = 1
    assert (await case.event()).status_code == 500
    assert (await case.event(later=1)).status_code == 200
    assert case.handled == ["event_callback"] * 2


async def test_a_failure_frees_its_signature_for_a_proxy_that_repeats(case: Case) -> None:
    case.fail = 1
    assert (await case.command()).status_code == 500
    assert (await case.command()).status_code == 200


async def test_without_a_database_slack_is_asked_to_come_again(case: Case) -> None:
    case.seen.broken = True
    assert (await case.event()).status_code == 503
    case.seen.broken = False
    assert (await case.event()).status_code == 200


async def test_what_has_no_key_of_its_own_goes_by_its_signature(case: Case) -> None:
    await case.send(b"command=%2Fstore&text=list")
    assert len(case.seen.keys) == 1
    assert next(iter(case.seen.keys)).startswith("signature:v0=")


async def test_a_failure_leaves_no_text_behind(case: Case) -> None:
    case.fail = 1
    with capture_logs() as lines:
        answer = await case.command()
    assert "Acme" not in answer.text
    assert "Acme" not in repr(lines)


async def test_bolt_dying_is_a_500_that_can_be_repeated(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(_request: Any) -> BoltResponse:
        raise RuntimeError

    monkeypatch.setattr(case.bolt, "async_dispatch", die)
    assert (await case.event()).status_code == 500
    assert case.seen.keys == set()


async def test_being_cancelled_frees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case()
    started = asyncio.Event()

    async def hang(_request: Any) -> BoltResponse:
        started.set()
        await asyncio.sleep(60)
        return BoltResponse(status=200)

    monkeypatch.setattr(case.bolt, "async_dispatch", hang)
    reception = Reception(case.bolt, case.seen, clock=case.clock)
    task = asyncio.create_task(reception.receive({"command": "/store", "trigger_id": "t"}))
    await started.wait()
    assert case.seen.keys == {"trigger:t"}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert case.seen.keys == set()


# --- the parts


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"type": "event_callback", "event_id": "Ev1"}, "event:Ev1"),
        ({"type": "event_callback"}, None),
        ({"command": "/x", "trigger_id": "1.2"}, "trigger:1.2"),
        ({"type": "block_actions", "trigger_id": "1.2"}, "trigger:1.2"),
        ({"type": "view_submission", "trigger_id": "1", "view": {"id": "V", "hash": "h"}}, "view_submission:V:h"),
        ({"type": "view_closed", "view": {"id": "V", "hash": "h"}}, "view_closed:V:h"),
        ({"type": "view_submission", "trigger_id": "1", "view": {"id": "V"}}, "trigger:1"),
        ({"type": "view_submission", "view": "odd"}, None),
        ({"type": "block_suggestion", "trigger_id": "1"}, None),
        ({"type": ["odd"], "trigger_id": 7}, None),
    ],
)
def test_each_delivery_has_the_key_that_slack_repeats(body: dict[str, Any], key: str | None) -> None:
    assert delivery_key(body) == key


def test_signatures_are_remembered_in_bounded_memory() -> None:
    clock = HandClock()
    check = SignatureCheck([NEW], clock=clock, most=10)
    at = int(clock().timestamp())
    for number in range(50):
        body = b"%d" % number
        signed = sign(body, at)
        check.verify(body, timestamp=str(at), signature=signed["x-slack-signature"])
    assert len(check._seen) == 10
    clock.pass_by(minutes=11)
    at = int(clock().timestamp())
    check.verify(b"new", timestamp=str(at), signature=sign(b"new", at)["x-slack-signature"])
    assert len(check._seen) == 1


def test_a_signature_stays_spent_for_as_long_as_its_timestamp_counts() -> None:
    clock = HandClock()
    check = SignatureCheck([NEW], clock=clock)
    at = int(clock().timestamp()) + 300
    signature = sign(b"x", at)["x-slack-signature"]
    check.verify(b"x", timestamp=str(at), signature=signature)
    for _ in range(10):
        clock.pass_by(minutes=1)
        with pytest.raises(NotOurs):
            check.verify(b"x", timestamp=str(at), signature=signature)


@pytest.mark.parametrize("secrets", [(), ("",), ("a", "")])
def test_no_secret_is_no_check(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="signing secret"):
        SignatureCheck(secrets, clock=HandClock())


def test_json_is_read_whatever_it_is_called() -> None:
    assert read_payload(b'{"type":"x"}', "text/plain") == {"type": "x"}
    with pytest.raises(Unreadable):
        read_payload(b"{", "text/plain")
