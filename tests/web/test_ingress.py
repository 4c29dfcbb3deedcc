"""Slack's ingress over real HTTP: what comes through, and what is refused before anybody reads it."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs

from bot.web.ingress import BODY_LIMIT
from tests.web.ingress_case import FORM, JSON, OLD, Case, running, sign

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
    async with asyncio.timeout(30):
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
