"""A small real Bolt app over HTTP, and an app that misbehaves on order: what the local Slack talks to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

Json = dict[str, Any]


class Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """An ASGI app on a free loopback port, in this event loop."""
    server = Server(
        uvicorn.Config(
            app,
            port=0,
            log_level="warning",
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=3600,
        )
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done()
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


class Recorder:
    """Answers whatever `answer` says and keeps every request."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.arrived = asyncio.Condition()
        self.answers: list[Callable[[], Awaitable[Response]]] = []

    async def take(self, request: Request) -> Response:
        self.requests.append((dict(request.headers), await request.body()))
        async with self.arrived:
            self.arrived.notify_all()
        if self.answers:
            return await self.answers.pop(0)()
        return PlainTextResponse("")

    async def got(self, count: int) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(30), self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)

    def then(self, response: Response, *, after: float = 0.0) -> None:
        async def answer() -> Response:
            await asyncio.sleep(after)
            return response

        self.answers.append(answer)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/slack/events", self.take, methods=["POST"])])


def text(value: str, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": value}


def button(label: str, action_id: str, **more: Any) -> Json:
    return {"type": "button", "text": text(label), "action_id": action_id, **more}


def store_modal(**more: Any) -> Json:
    options = [{"text": text(name), "value": name[:2]} for name in ("US United States", "DE Germany")]
    return {
        "type": "modal",
        "callback_id": "add_store",
        "title": text("Add a store"),
        "submit": text("Add"),
        "close": text("Cancel"),
        "blocks": [
            {
                "type": "input",
                "block_id": "label",
                "label": text("Account name"),
                "element": {"type": "plain_text_input", "action_id": "value", "max_length": 40},
            },
            {
                "type": "input",
                "block_id": "marketplace",
                "label": text("Marketplace"),
                "element": {"type": "static_select", "action_id": "value", "options": options},
            },
            {
                "type": "input",
                "block_id": "since",
                "label": text("Initial order date"),
                "element": {"type": "datepicker", "action_id": "value", "initial_date": "2026-01-31"},
            },
            {
                "type": "input",
                "block_id": "website",
                "label": text("Website"),
                "optional": True,
                "element": {"type": "external_select", "action_id": "site", "min_query_length": 0},
            },
        ],
        **more,
    }


def commands(app: AsyncApp) -> None:
    @app.command("/store")
    async def store(ack: Any, body: Json, client: AsyncWebClient, command: Json) -> None:
        await ack()
        if command["text"] == "add":
            await client.views_open(trigger_id=body["trigger_id"], view=store_modal())
            return
        await client.chat_postMessage(
            channel=body["user_id"],
            text=f"You said {command['text']}",
            blocks=[
                {"type": "section", "text": text(f"*You* said {command['text']}", "mrkdwn")},
                {
                    "type": "actions",
                    "elements": [
                        button("Check result", "check", value="1", style="primary"),
                        button("Open Amazon", "link", url="https://sellercentral.example/consent?a=1"),
                    ],
                },
            ],
        )

    @app.command("/faq")
    async def faq(ack: Any) -> None:
        await ack(text="*Q1* Check in real time.")


def buttons(app: AsyncApp) -> None:
    @app.action("check")
    async def check(ack: Any, body: Json, client: AsyncWebClient, respond: Any) -> None:
        await ack()
        await client.chat_update(
            channel=body["channel"]["id"], ts=body["message"]["ts"], text="Not authorized yet", blocks=[]
        )
        await respond(text="Only you can see how it went", response_type="ephemeral", replace_original=False)

    @app.action("link")
    async def link(ack: Any) -> None:
        await ack()


def modals(app: AsyncApp) -> None:
    @app.options("site")
    async def site(ack: Any, payload: Json) -> None:
        names = ("saleyee.example", "feikan.example")
        await ack(options=[{"text": text(name), "value": name} for name in names if payload["value"] in name])

    @app.view("add_store")
    async def add_store(ack: Any, view: Json, body: Json, client: AsyncWebClient) -> None:
        label = view["state"]["values"]["label"]["value"]["value"]
        if label == "taken":
            await ack(response_action="errors", errors={"label": "You already have a store of that name."})
            return
        if label == "twice":
            await ack(response_action="push", view=store_modal(title=text("Another")))
            return
        await ack()
        await client.chat_postMessage(channel=body["user"]["id"], text=f"Added {label}")


def events(app: AsyncApp) -> None:
    @app.event("app_home_opened")
    async def home(event: Json, client: AsyncWebClient) -> None:
        blocks = [{"type": "header", "text": text("Your stores")}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    @app.event("message")
    async def message(event: Json, say: Any) -> None:
        if event.get("subtype") is None and not event.get("bot_id") and event.get("channel_type") == "im":
            await say(text=f"I heard {event['text']}", thread_ts=event.get("thread_ts"))

    @app.event("app_mention")
    async def mention(event: Json, client: AsyncWebClient) -> None:
        await client.chat_postEphemeral(channel=event["channel"], user=event["user"], text="Let us talk in private")


def bolt_app(slack_url: str) -> Starlette:
    """A store desk in miniature, with the listeners that the tests need."""
    app = AsyncApp(
        client=AsyncWebClient(token="xoxb-sandbox", base_url=f"{slack_url}/api/"),
        signing_secret="sandbox-signing-secret",
        process_before_response=True,
    )
    for register in (commands, buttons, modals, events):
        register(app)
    handler = AsyncSlackRequestHandler(app)

    async def ingress(request: Request) -> Response:
        return await handler.handle(request)

    return Starlette(routes=[Route("/slack/events", ingress, methods=["POST"])])
