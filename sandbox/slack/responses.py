"""Answers of the app outside the Web API: acknowledgement bodies and response URLs."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.slack.journal import Call
from sandbox.slack.methods_chat import checked
from sandbox.slack.people import BOT_USER
from sandbox.slack.workspace import Workspace
from sandbox.slack.world import Message, ResponseUrl, SlackError, World

Json = dict[str, Any]


def from_slackbot(world: World, channel: str, user: str, text: str, *, thread_ts: str | None = None) -> Message:
    """What only this person sees when something did not work."""
    return world.post(
        Message(
            ts=world.new_ts(),
            channel=channel,
            user="USLACKBOT",
            text=text,
            only_for=user,
            thread_ts=thread_ts,
            via="slackbot",
        )
    )


def answer(world: World, body: Json, response: ResponseUrl) -> None:
    """Post, replace or delete, as the body of a response says."""
    original = response.original
    if body.get("delete_original"):
        if original is not None and not original.deleted:
            world.delete(original)
        return
    text, blocks = checked(body.get("text"), body.get("blocks"))
    if body.get("replace_original") and original is not None:
        if original.deleted:
            raise SlackError("message_not_found")
        world.edit(original, text=text, blocks=blocks)
        return
    private = body.get("response_type", "ephemeral") != "in_channel"
    world.post(
        Message(
            ts=world.new_ts(),
            channel=response.channel,
            user=BOT_USER,
            text=text,
            blocks=blocks,
            thread_ts=body.get("thread_ts") or response.thread_ts,
            only_for=response.user if private else None,
        )
    )


def routes(workspace: Workspace) -> list[BaseRoute]:
    async def respond(request: Request) -> Response:
        world = workspace.world
        call = Call(method="response_url", args={}, at=world.now())
        try:
            call.args = body = dict(json.loads(await request.body()))
            answer(world, body, world.spend_response(request.path_params["name"]))
        except (ValueError, TypeError):
            call.ok, call.error, call.status = False, "invalid_payload", 400
        except SlackError as refused:
            gone = refused.error in {"expired_url", "used_url"}
            call.ok, call.error, call.problems = False, refused.error, refused.problems
            call.status = 404 if gone else 400
        workspace.journal.called(call)
        if call.ok:
            return PlainTextResponse("ok")
        return JSONResponse({"ok": False, "error": call.error}, call.status)

    return [Route("/response/{name}", respond, methods=["POST"])]
