"""The Web API: who may, what is refused with which word, and faults on order."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox.clock import SandboxClock
from sandbox.server import Sandbox, SandboxSettings
from tests.sandbox.slack_bot import store_modal, text

Json = dict[str, Any]
BOT_TOKEN = SandboxSettings().bot_token
HOME = {"type": "home", "blocks": [{"type": "divider"}]}


class Slack:
    def __init__(self) -> None:
        self.clock = SandboxClock(wall=lambda: 1_800_000_000.0)
        settings = SandboxSettings(bot_url="http://127.0.0.1:9", retry_delays=(), public_url="http://slack")
        self.sandbox = Sandbox(settings, self.clock)
        self.world = self.sandbox.slack.world
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.sandbox.app), base_url="http://slack")

    async def response(self, method: str, token: str = BOT_TOKEN, **args: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.http.post(f"/api/{method}", json=args, headers=headers)

    async def call(self, method: str, **args: Any) -> Json:
        return dict((await self.response(method, **args)).json())

    async def error(self, method: str, **args: Any) -> str:
        body = await self.call(method, **args)
        assert not body["ok"]
        return str(body["error"])


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    slack = Slack()
    async with slack.http:
        yield slack
    await slack.sandbox.slack.close()


async def test_a_token_is_needed(slack: Slack) -> None:
    assert await slack.error("auth.test", token="") == "not_authed"
    assert await slack.error("auth.test", token="xoxb-other") == "invalid_auth"
    assert (await slack.call("auth.test"))["user_id"] == "U0BOT"
    form = await slack.http.post("/api/auth.test", data={"token": "xoxb-sandbox"})
    assert form.json()["ok"]


async def test_auth_test_names_the_scopes_in_a_header(slack: Slack) -> None:
    response = await slack.response("auth.test")
    assert "chat:write" in response.headers["x-oauth-scopes"].split(",")


async def test_an_unknown_method_is_unknown(slack: Slack) -> None:
    assert await slack.error("chat.shout") == "unknown_method"


async def test_the_locale_is_there_only_when_it_was_asked_for(slack: Slack) -> None:
    assert "locale" not in (await slack.call("users.info", user="U0LIN"))["user"]
    user = (await slack.call("users.info", user="U0LIN", include_locale=True))["user"]
    assert (user["locale"], user["tz"], user["tz_offset"]) == ("zh-TW", "Asia/Taipei", 28_800)
    assert await slack.error("users.info", user="U0NOBODY") == "user_not_found"


async def test_posting_to_a_person_goes_to_their_direct_messages(slack: Slack) -> None:
    posted = await slack.call("chat.postMessage", channel="U0MEI", text="hello")
    assert posted["channel"] == "D0MEI"
    again = await slack.call("chat.update", channel="D0MEI", ts=posted["ts"], text="changed")
    assert again["message"]["edited"]
    history = await slack.call("conversations.history", channel="D0MEI")
    assert [message["text"] for message in history["messages"]] == ["changed"]
    link = await slack.call("chat.getPermalink", channel="D0MEI", message_ts=posted["ts"])
    assert link["permalink"].startswith("http://slack/archives/D0MEI/p")


async def test_a_message_that_was_deleted_cannot_be_updated(slack: Slack) -> None:
    posted = await slack.call("chat.postMessage", channel="U0MEI", text="hello")
    where = {"channel": posted["channel"], "ts": posted["ts"]}
    assert (await slack.call("chat.delete", **where))["ok"]
    assert await slack.error("chat.update", **where, text="x") == "message_not_found"
    assert await slack.error("chat.delete", **where) == "message_not_found"


async def test_an_ephemeral_message_cannot_be_updated(slack: Slack) -> None:
    sent = await slack.call("chat.postEphemeral", channel="C0GENERAL", user="U0MEI", text="psst")
    error = await slack.error("chat.update", channel="C0GENERAL", ts=sent["message_ts"], text="x")
    assert error == "message_not_found"
    outside = {"channel": "C0SUPPORT", "user": "U0MEI", "text": "x"}
    assert await slack.error("chat.postEphemeral", **outside) == "user_not_in_channel"


async def test_wrong_blocks_are_refused_with_pointers(slack: Slack) -> None:
    body = await slack.call("chat.postMessage", channel="U0MEI", text="x", blocks=[{"type": "nothing"}])
    assert body["error"] == "invalid_blocks"
    assert body["response_metadata"]["messages"] == ["[ERROR] unsupported type: nothing [json-pointer:/blocks/0/type]"]
    assert slack.sandbox.slack.journal.problems()
    assert await slack.error("chat.postMessage", channel="U0MEI", blocks=[{"type": "divider"}]) == "no_text"
    assert await slack.error("chat.postMessage", channel="U0MEI", text="x" * 40_001) == "msg_too_long"
    assert await slack.error("chat.postMessage", channel="C0NOWHERE", text="x") == "channel_not_found"
    assert await slack.error("chat.postMessage", channel="U0MEI", text="x", thread_ts="1.2") == "thread_not_found"


async def test_blocks_may_come_as_json_in_a_form(slack: Slack) -> None:
    form = {"token": "xoxb-sandbox", "channel": "U0MEI", "text": "x", "blocks": '[{"type": "divider"}]'}
    assert (await slack.http.post("/api/chat.postMessage", data=form)).json()["ok"]
    broken = await slack.http.post("/api/chat.postMessage", data=form | {"blocks": "[{"})
    assert broken.json()["error"] == "invalid_blocks_format"


async def test_threads_are_told_apart(slack: Slack) -> None:
    first = await slack.call("chat.postMessage", channel="C0GENERAL", text="first")
    await slack.call("chat.postMessage", channel="C0GENERAL", text="answer", thread_ts=first["ts"])
    replies = await slack.call("conversations.replies", channel="C0GENERAL", ts=first["ts"])
    assert [message["text"] for message in replies["messages"]] == ["first", "answer"]
    history = await slack.call("conversations.history", channel="C0GENERAL")
    assert [message["text"] for message in history["messages"]] == ["first"]


async def test_a_trigger_lives_three_seconds_and_opens_once(slack: Slack) -> None:
    trigger_id = slack.world.new_trigger("U0MEI")
    slack.clock.advance(2.9)
    assert (await slack.call("views.open", trigger_id=trigger_id, view=store_modal()))["ok"]
    assert await slack.error("views.open", trigger_id=trigger_id, view=store_modal()) == "exchanged_trigger_id"
    late = slack.world.new_trigger("U0MEI")
    slack.clock.advance(3.1)
    assert await slack.error("views.open", trigger_id=late, view=store_modal()) == "expired_trigger_id"
    assert await slack.error("views.open", trigger_id="none", view=store_modal()) == "invalid_trigger_id"


async def test_a_wrong_view_does_not_use_up_the_trigger(slack: Slack) -> None:
    trigger_id = slack.world.new_trigger("U0MEI")
    wrong = store_modal(title=text("t" * 25))
    assert await slack.error("views.open", trigger_id=trigger_id, view=wrong) == "invalid_arguments"
    assert (await slack.call("views.open", trigger_id=trigger_id, view=store_modal()))["ok"]


async def test_views_stack_three_high(slack: Slack) -> None:
    await slack.call("views.open", trigger_id=slack.world.new_trigger("U0MEI"), view=store_modal())
    for _ in range(2):
        pushed = await slack.call("views.push", trigger_id=slack.world.new_trigger("U0MEI"), view=store_modal())
        assert pushed["view"]["previous_view_id"]
    trigger_id = slack.world.new_trigger("U0MEI")
    assert await slack.error("views.push", trigger_id=trigger_id, view=store_modal()) == "push_limit_reached"


async def test_a_view_changes_only_with_its_newest_hash_and_keeps_what_was_typed(slack: Slack) -> None:
    opened = await slack.call(
        "views.open", trigger_id=slack.world.new_trigger("U0MEI"), view=store_modal(external_id="mine")
    )
    view = slack.world.view("mine")
    view.state["label"]["value"]["value"] = "Acme"
    changed = await slack.call("views.update", external_id="mine", hash=opened["view"]["hash"], view=store_modal())
    assert changed["view"]["state"]["values"]["label"]["value"]["value"] == "Acme"
    stale = {"view_id": opened["view"]["id"], "hash": opened["view"]["hash"], "view": store_modal()}
    assert await slack.error("views.update", **stale) == "hash_conflict"
    assert await slack.error("views.update", view_id="V0", view=store_modal()) == "not_found"


async def test_a_home_is_published_and_guarded_by_its_hash(slack: Slack) -> None:
    first = await slack.call("views.publish", user_id="U0MEI", view=HOME)
    await slack.call("views.publish", user_id="U0MEI", view=HOME)
    stale = {"user_id": "U0MEI", "view": HOME, "hash": first["view"]["hash"]}
    assert await slack.error("views.publish", **stale) == "hash_conflict"
    assert await slack.error("views.publish", user_id="U0MEI", view=store_modal()) == "invalid_arguments"


async def test_faults_come_on_order_and_run_out(slack: Slack) -> None:
    async def order(mode: str, **more: Any) -> None:
        body = {"method": "chat.postMessage", "mode": mode, **more}
        assert (await slack.http.post("/control/slack/switches", json=body)).is_success

    message = {"channel": "U0MEI", "text": "hello"}
    await order("429", times=2, seconds=7)
    for _ in range(2):
        limited = await slack.response("chat.postMessage", **message)
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    assert (await slack.call("chat.postMessage", **message))["ok"]
    await order("ratelimited")
    assert await slack.error("chat.postMessage", **message) == "ratelimited"
    await order("token_revoked")
    assert await slack.error("chat.postMessage", **message) == "token_revoked"
    await order("500")
    assert (await slack.response("chat.postMessage", **message)).status_code == 500
    assert len(slack.world.messages) == 1
    await order("lost", seconds=0)
    assert (await slack.response("chat.postMessage", **message)).status_code == 500
    assert len(slack.world.messages) == 2
    await order("html")
    assert (await slack.response("chat.postMessage", **message)).text.startswith("<!doctype")
    await order("slow", seconds=0.01)
    assert (await slack.call("chat.postMessage", **message))["ok"]


async def test_an_app_that_was_removed_is_inactive(slack: Slack) -> None:
    await slack.http.post("/control/slack/event", json={"event": {"type": "app_uninstalled"}})
    assert await slack.error("auth.test") == "account_inactive"
    await slack.http.post("/control/slack/install")
    assert (await slack.call("auth.test"))["ok"]


async def test_installing_mints_a_code_that_is_good_once(slack: Slack) -> None:
    query = {"client_id": "sandbox.client", "scope": "commands", "state": "s1", "redirect_uri": "http://bot/back"}
    page = await slack.http.get("/oauth/v2/authorize", params=query)
    assert "Grantdesk asks for permission" in page.text
    answer = {"answer": "allow", "user": "U0SAM"}
    allowed = await slack.http.post("/oauth/v2/authorize", params=query, data=answer)
    target = httpx.URL(allowed.headers["location"])
    assert target.params["state"] == "s1"
    form = {"code": target.params["code"], "redirect_uri": "http://bot/back"}
    wrong = await slack.http.post("/api/oauth.v2.access", data=form, auth=("sandbox.client", "wrong"))
    assert wrong.json()["error"] == "bad_client_secret"
    secret = ("sandbox.client", "sandbox-client-secret")
    granted = (await slack.http.post("/api/oauth.v2.access", data=form, auth=secret)).json()
    assert granted["access_token"] == "xoxb-sandbox"
    assert granted["authed_user"]["id"] == "U0SAM"
    again = await slack.http.post("/api/oauth.v2.access", data=form, auth=secret)
    assert again.json()["error"] == "invalid_code"
    refused = await slack.http.post("/oauth/v2/authorize", params=query, data={"answer": "cancel"})
    assert "error=access_denied" in refused.headers["location"]


async def test_a_picture_is_uploaded_and_shown(slack: Slack) -> None:
    ticket = await slack.call("files.getUploadURLExternal", filename="page.png", length=8)
    picture = b"\x89PNG\r\n\x1a\n"
    await slack.http.post(ticket["upload_url"], content=picture)
    files = [{"id": ticket["file_id"], "title": "Amazon's page"}]
    done = await slack.call("files.completeUploadExternal", files=files, channel_id="C0GENERAL")
    assert done["ok"]
    shown = await slack.http.get(f"/files/{ticket['file_id']}")
    assert (shown.content, shown.headers["content-type"]) == (picture, "image/png")


async def test_the_small_methods_answer(slack: Slack) -> None:
    assert (await slack.call("team.info"))["team"]["id"] == "T0SANDBOX"
    assert (await slack.call("bots.info", bot="B0BOT"))["bot"]["app_id"] == "A0SANDBOX"
    assert (await slack.call("conversations.open", users="U0MEI"))["channel"]["id"] == "D0MEI"
    assert (await slack.call("conversations.info", channel="D0MEI"))["channel"]["is_im"]
    members = (await slack.call("conversations.members", channel="C0SUPPORT"))["members"]
    assert members == ["U0BOT", "U0KIM", "U0SAM"]
    posted = await slack.call("chat.postMessage", channel="C0SUPPORT", text="x")
    mark = {"channel": "C0SUPPORT", "timestamp": posted["ts"], "name": "eyes"}
    assert (await slack.call("reactions.add", **mark))["ok"]
    assert await slack.error("reactions.add", **mark) == "already_reacted"
    thread = {"channel_id": "D0MEI", "thread_ts": "1.0"}
    assert (await slack.call("assistant.threads.setStatus", **thread, status="thinks"))["ok"]
    assert (await slack.call("assistant.threads.setSuggestedPrompts", **thread, prompts=[]))["ok"]
    assert (await slack.call("blocks.validate", blocks=[{"type": "divider"}]))["ok"]
    assert await slack.error("blocks.validate", view=store_modal(title=None)) == "invalid_view"


async def test_pages_and_permalinks_are_served(slack: Slack) -> None:
    assert "Grantdesk Sandbox" in (await slack.http.get("/")).text
    assert (await slack.http.get("/static/app.js")).is_success
    jump = await slack.http.get("/archives/C0GENERAL/p1800000000000001")
    assert jump.headers["location"] == "/#C0GENERAL/1800000000.000001"
