"""Signatures, acknowledgements that fail, retries, response URLs: what an app must be ready for."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from sandbox.client import SandboxClient
from sandbox.server import Sandbox, SandboxSettings, running
from sandbox.slack.signing import signature
from tests.sandbox.slack_bot import Recorder, button, serving, store_modal, text


@dataclass
class Desk:
    """A sandbox, an app that answers as told, and somebody to be."""

    sandbox: Sandbox
    app: Recorder
    client: SandboxClient
    http: httpx.AsyncClient

    async def api(self, method: str, **args: Any) -> dict[str, Any]:
        response = await self.http.post(f"/api/{method}", json=args, headers={"Authorization": "Bearer xoxb-sandbox"})
        return dict(response.json())

    def forms(self) -> list[dict[str, str]]:
        return [
            {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
            for _, body in self.app.requests
        ]

    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(form["payload"]) for form in self.forms() if "payload" in form]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    app = Recorder()
    settings = SandboxSettings(port=0, retry_delays=(0.0, 0.01, 0.01), ack_limit=1.0)
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(running(settings))
        sandbox.slack.courier.bot_url = await stack.enter_async_context(serving(app.app))
        url = sandbox.settings.public_url
        client = await stack.enter_async_context(SandboxClient(url, quiet=0.03))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False))
        yield Desk(sandbox, app, client, http)


def test_the_signature_is_the_one_of_slacks_own_example() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    assert (
        signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body)
        == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )


async def test_a_command_arrives_signed_and_complete(desk: Desk) -> None:
    await desk.client.person("lin").types('/store add "Acme" US', channel="general")
    headers, body = desk.app.requests[0]
    base = f"v0:{headers['x-slack-request-timestamp']}:".encode() + body
    expected = hmac.new(b"sandbox-signing-secret", base, hashlib.sha256).hexdigest()
    assert headers["x-slack-signature"] == f"v0={expected}"
    form = desk.forms()[0]
    assert (form["command"], form["text"]) == ("/store", 'add "Acme" US')
    assert (form["user_id"], form["channel_id"], form["team_id"]) == ("U0LIN", "C0GENERAL", "T0SANDBOX")
    assert form["api_app_id"] == "A0SANDBOX"
    assert form["is_enterprise_install"] == "false"
    assert form["response_url"].startswith(desk.sandbox.settings.public_url)


async def test_the_signature_keeps_the_wall_clock_when_the_sandbox_moves_on(desk: Desk) -> None:
    before = int(desk.sandbox.slack.courier.wall())
    await desk.client.advance(365 * 86_400)
    await desk.client.person("lin").types("/faq")
    stamp = int(desk.app.requests[0][0]["x-slack-request-timestamp"])
    assert before <= stamp <= before + 60


async def test_a_slow_acknowledgement_fails_and_the_person_is_told(desk: Desk) -> None:
    desk.app.then(PlainTextResponse(""), after=1.5)
    said = await desk.client.person("mei").types("/faq")
    assert not said.ok
    assert said.failure == "http_timeout: no acknowledgement within 1 s"
    assert said.messages[0].text == '/faq failed with the error "operation_timeout"'
    assert said.messages[0].ephemeral


async def test_an_error_status_fails_and_the_person_is_told(desk: Desk) -> None:
    desk.app.then(PlainTextResponse("oops", 500))
    said = await desk.client.person("mei").types("/faq")
    assert said.status == 500
    assert said.messages[0].text == '/faq failed with the error "dispatch_failed"'


async def test_an_app_that_is_not_there_fails_too(desk: Desk) -> None:
    desk.sandbox.slack.courier.bot_url = "http://127.0.0.1:9"
    said = await desk.client.person("mei").types("/faq")
    assert said.failure.startswith("connection_failed")
    assert "dispatch_failed" in said.messages[0].text


async def test_a_command_nobody_registered_never_leaves(desk: Desk) -> None:
    said = await desk.client.person("mei").types("/strore list")
    assert said.messages[0].text == "`/strore` is not a valid command."
    assert desk.app.requests == []


async def test_an_acknowledgement_with_wrong_blocks_is_refused(desk: Desk) -> None:
    desk.app.then(JSONResponse({"text": "x", "blocks": [{"type": "nothing"}]}))
    said = await desk.client.person("mei").types("/faq")
    assert not said.ok
    assert "unsupported type: nothing" in said.problems[0]
    assert "invalid_command_response" in said.messages[0].text
    assert await desk.client.problems()


async def test_an_acknowledgement_is_read_to_its_end_however_long(desk: Desk) -> None:
    lines = [{"type": "section", "text": text("店" * 2900)} for _ in range(9)]
    blocks = [*lines, {"type": "actions", "elements": [button("Go", "go")]}]
    desk.app.then(JSONResponse({"text": "Long", "blocks": blocks}))
    mei = desk.client.person("mei")
    assert (await mei.types("/store list")).ok
    assert (await mei.messages())[-1].buttons() == ["Go"]
    (delivery,) = await desk.client.deliveries()
    assert len(delivery["answer"]) < 21_000, "the journal's page needs the beginning only"


async def test_an_acknowledgement_may_be_for_the_whole_channel(desk: Desk) -> None:
    desk.app.then(JSONResponse({"text": "to all", "response_type": "in_channel"}))
    await desk.client.person("mei").types("/faq", channel="general")
    assert not (await desk.client.person("lin").sees("to all")).ephemeral


async def test_an_event_is_sent_again_with_number_and_reason_until_it_is_taken(desk: Desk) -> None:
    desk.app.then(PlainTextResponse("", 500))
    desk.app.then(PlainTextResponse(""), after=1.5)
    await desk.client.person("mei").says("hello")
    await desk.app.got(3)
    marks = [
        (headers.get("x-slack-retry-num"), headers.get("x-slack-retry-reason")) for headers, _ in desk.app.requests
    ]
    assert marks == [(None, None), ("1", "http_error"), ("2", "http_timeout")]
    names = {json.loads(body)["event_id"] for _, body in desk.app.requests}
    assert len(names) == 1


async def test_an_app_can_decline_retries(desk: Desk) -> None:
    desk.app.then(PlainTextResponse("", 500, headers={"X-Slack-No-Retry": "1"}))
    await desk.client.person("mei").says("hello")
    await asyncio.sleep(0.1)
    assert len(desk.app.requests) == 1


async def test_an_event_has_slacks_envelope(desk: Desk) -> None:
    await desk.client.person("mei").says("hello")
    body = json.loads(desk.app.requests[0][1])
    assert body["type"] == "event_callback"
    assert body["event_id"].startswith("Ev")
    assert body["authorizations"][0]["user_id"] == "U0BOT"
    assert body["event"]["channel_type"] == "im"
    assert body["event"]["user"] == "U0MEI"


async def test_the_app_hears_about_its_own_messages_in_direct_messages(desk: Desk) -> None:
    await desk.api("chat.postMessage", channel="U0MEI", text="hello")
    await desk.app.got(1)
    assert json.loads(desk.app.requests[0][1])["event"]["bot_id"] == "B0BOT"


async def test_a_url_is_verified_by_its_challenge(desk: Desk) -> None:
    desk.app.then(JSONResponse({"challenge": "abc"}))
    assert (await desk.client.post("/control/slack/verify_url", {"challenge": "abc"}))["ok"]
    assert not (await desk.client.post("/control/slack/verify_url", {"challenge": "abc"}))["ok"]


async def test_a_delivery_can_come_twice_or_with_a_spoilt_signature(desk: Desk) -> None:
    mei = desk.client.person("mei")
    await mei.types("/faq")
    number = (await desk.client.deliveries())[0]["id"]
    spoilt = {"X-Slack-Signature": "v0=bad"}
    await desk.client.post("/control/slack/redeliver", {"id": number, "headers": spoilt})
    assert desk.app.requests[0][1] == desk.app.requests[1][1]
    assert desk.app.requests[1][0]["x-slack-signature"] == "v0=bad"


async def test_a_button_that_is_not_acknowledged_gets_a_triangle_until_it_works(desk: Desk) -> None:
    blocks = [{"type": "actions", "elements": [button("Go", "go")]}]
    await desk.api("chat.postMessage", channel="U0MEI", text="Go", blocks=blocks)
    mei = desk.client.person("mei")
    card = await mei.sees("Go")
    desk.app.answers.clear()
    desk.app.then(PlainTextResponse("", 404))
    pressed = await mei.clicks("Go")
    assert pressed.messages[0].raw["warnings"] == {"go": "This did not work: the app did not answer in time."}
    await mei.clicks("Go")
    now = await mei.message(card)
    assert now is not None
    assert now.raw["warnings"] == {}


async def test_actions_carry_message_state_and_the_choice(desk: Desk) -> None:
    options = [{"text": text("US"), "value": "us"}, {"text": text("DE"), "value": "de"}]
    picker = {"type": "datepicker", "action_id": "day", "initial_date": "2026-01-31"}
    pick = {"type": "static_select", "action_id": "where", "options": options}
    blocks = [{"type": "actions", "block_id": "b", "elements": [pick, picker]}]
    await desk.api("chat.postMessage", channel="U0MEI", text="Pick", blocks=blocks)
    await desk.client.person("mei").clicks("where", value="DE")
    payload = desk.payloads()[-1]
    assert payload["type"] == "block_actions"
    assert payload["actions"][0]["selected_option"]["value"] == "de"
    assert payload["state"]["values"]["b"]["day"]["selected_date"] == "2026-01-31"
    assert payload["container"]["type"] == "message"
    assert payload["message"]["blocks"][0]["block_id"] == "b"


async def test_the_payload_of_an_ephemeral_button_repeats_no_message(desk: Desk) -> None:
    blocks = [{"type": "actions", "elements": [button("Go", "go")]}]
    await desk.api("chat.postEphemeral", channel="C0GENERAL", user="U0MEI", text="Go", blocks=blocks)
    await desk.client.person("mei").clicks("Go")
    payload = desk.payloads()[-1]
    assert payload["container"]["is_ephemeral"]
    assert "message" not in payload
    replaced = await desk.http.post(payload["response_url"], json={"replace_original": True, "text": "Done"})
    assert replaced.status_code == 200
    assert [one.text for one in await desk.client.person("mei").messages("C0GENERAL")] == ["Done"]


async def test_a_shortcut_carries_the_message_it_was_used_on(desk: Desk) -> None:
    sam = desk.client.person("sam")
    said = await sam.says("I see MD5101", channel="support")
    await sam.shortcut("ask_about_message", message=said.messages[0])
    await sam.shortcut("add_store")
    on_message, global_one = desk.payloads()
    assert on_message["type"] == "message_action"
    assert on_message["message"]["text"] == "I see MD5101"
    assert global_one["type"] == "shortcut"
    assert "channel" not in global_one


async def test_a_response_url_works_five_times(desk: Desk) -> None:
    await desk.client.person("mei").types("/faq")
    url = desk.forms()[0]["response_url"]
    codes = [(await desk.http.post(url, json={"text": f"{n}"})).status_code for n in range(6)]
    assert codes == [200] * 5 + [404]
    assert (await desk.http.post(url, json={"text": "again"})).json()["error"] == "used_url"


async def test_a_response_url_works_for_half_an_hour(desk: Desk) -> None:
    await desk.client.person("mei").types("/faq")
    url = desk.forms()[0]["response_url"]
    await desk.client.advance(29 * 60)
    assert (await desk.http.post(url, json={"text": "in time"})).status_code == 200
    await desk.client.advance(2 * 60)
    late = await desk.http.post(url, json={"text": "late"})
    assert (late.status_code, late.json()["error"]) == (404, "expired_url")


async def test_a_response_can_delete_its_message_and_is_validated(desk: Desk) -> None:
    blocks = [{"type": "actions", "elements": [button("Go", "go")]}]
    await desk.api("chat.postMessage", channel="U0MEI", text="Go", blocks=blocks)
    mei = desk.client.person("mei")
    await mei.clicks("Go")
    url = desk.payloads()[-1]["response_url"]
    wrong = await desk.http.post(url, json={"text": "x", "blocks": [{"type": "nothing"}]})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_blocks")
    await desk.http.post(url, json={"delete_original": True})
    assert await mei.messages() == []


async def test_closing_a_modal_tells_the_app_only_when_it_asked(desk: Desk) -> None:
    mei = desk.client.person("mei")
    for notify in (False, True):
        await mei.types("/store add")
        trigger_id = desk.forms()[-1]["trigger_id"]
        opened = await desk.api("views.open", trigger_id=trigger_id, view=store_modal(notify_on_close=notify))
        assert opened["ok"]
        await mei.closes()
    assert [payload["type"] for payload in desk.payloads()] == ["view_closed"]


async def test_errors_must_name_input_blocks_of_the_view(desk: Desk) -> None:
    mei = desk.client.person("mei")
    await mei.types("/store add")
    await desk.api("views.open", trigger_id=desk.forms()[-1]["trigger_id"], view=store_modal())
    await mei.fills({"Account name": "Acme", "Marketplace": "US"})
    desk.app.then(JSONResponse({"response_action": "errors", "errors": {"nowhere": "wrong"}}))
    submitted = await mei.submits()
    assert submitted.problems == ("no input block has the block_id 'nowhere'",)


async def test_a_submission_that_fails_keeps_what_was_typed(desk: Desk) -> None:
    mei = desk.client.person("mei")
    await mei.types("/store add")
    await desk.api("views.open", trigger_id=desk.forms()[-1]["trigger_id"], view=store_modal())
    await mei.fills({"Account name": "Acme", "Marketplace": "US"})
    desk.app.then(PlainTextResponse("", 500))
    await mei.submits()
    modal = await mei.modal()
    assert modal.notice == "We had some trouble connecting. Try again?"
    assert modal.values["label"]["value"]["value"] == "Acme"
    desk.app.then(JSONResponse({"response_action": "update", "view": store_modal(title=text("Sure?"))}))
    await mei.submits()
    assert (await mei.modal()).title == "Sure?"
    desk.app.then(JSONResponse({"response_action": "clear"}))
    await mei.submits()
    assert await mei.modals() == []
