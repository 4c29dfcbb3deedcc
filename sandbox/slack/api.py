"""The Web API: `/api/{method}`, with Slack's words for what it refuses, and faults on order."""

import asyncio
from collections.abc import Callable, Mapping
from time import perf_counter
from types import MappingProxyType

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.slack import methods_chat as chat
from sandbox.slack import methods_views as views
from sandbox.slack import methods_workspace as about
from sandbox.slack import oauth
from sandbox.slack.calls import Arguments, read_arguments, read_token
from sandbox.slack.journal import Call
from sandbox.slack.switches import Switch
from sandbox.slack.workspace import Json, Workspace
from sandbox.slack.world import SlackError

Method = Callable[[Workspace, Arguments], Json]

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "api.test": about.api_test,
        "apps.uninstall": about.apps_uninstall,
        "assistant.threads.setStatus": about.assistant_status,
        "assistant.threads.setSuggestedPrompts": about.assistant_note,
        "assistant.threads.setTitle": about.assistant_note,
        "auth.revoke": about.auth_revoke,
        "auth.test": about.auth_test,
        "blocks.validate": views.validate_blocks,
        "bots.info": about.bots_info,
        "chat.delete": chat.delete,
        "chat.getPermalink": chat.get_permalink,
        "chat.postEphemeral": chat.post_ephemeral,
        "chat.postMessage": chat.post_message,
        "chat.update": chat.update,
        "conversations.history": about.conversations_history,
        "conversations.info": about.conversations_info,
        "conversations.members": about.conversations_members,
        "conversations.open": about.conversations_open,
        "conversations.replies": about.conversations_replies,
        "files.completeUploadExternal": about.complete_upload,
        "files.getUploadURLExternal": about.get_upload_url,
        "reactions.add": chat.add_reaction,
        "team.info": about.team_info,
        "users.info": about.users_info,
        "users.list": about.users_list,
        "views.open": views.open_view,
        "views.publish": views.publish_view,
        "views.push": views.push_view,
        "views.update": views.update_view,
    }
)
#: These bring a client id and secret instead of a token.
WITHOUT_TOKEN = frozenset({"oauth.v2.access", "api.test"})
_HUNG_UP = 499  # nginx's word for it; nobody reads it
SECRET_ARGUMENTS = frozenset({"token", "client_secret", "code"})


class WebApi:
    """Answers calls and writes each into the journal."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    async def answer(self, request: Request) -> Response:
        method = request.path_params["method"]
        started = perf_counter()
        call = Call(method=method, args={}, at=self.workspace.world.now())
        switch = self.workspace.switches.take(method)
        if switch is not None and switch.mode == "slow":
            await asyncio.sleep(switch.seconds)
            switch = None
        if switch is not None and switch.mode != "lost":
            response = self._fault(switch, call)
        else:
            try:
                response = await self._work(request, call)
            except ClientDisconnect:  # the bot did not wait, or is dead: nothing was done
                call.ok, call.error = False, "the caller hung up"
                response = Response(status_code=_HUNG_UP)
            if switch is not None:
                await asyncio.sleep(switch.seconds)
                response = self._fault(switch, call)
        call.ms = round((perf_counter() - started) * 1000, 2)
        call.status = response.status_code
        self.workspace.journal.called(call)
        return response

    async def _work(self, request: Request, call: Call) -> Response:
        headers = {"x-slack-req-id": f"sandbox-{id(call):x}"}
        try:
            arguments = await read_arguments(request)
            call.args = {k: v for k, v in arguments.values.items() if k not in SECRET_ARGUMENTS}
            body: Json = {"ok": True, **self._called(request, call.method, arguments)}
        except SlackError as refused:
            call.ok, call.error, call.problems = False, refused.error, refused.problems
            body = {"ok": False, "error": refused.error}
            if refused.problems:
                body["response_metadata"] = {"messages": refused.problems}
        if call.method == "auth.test" and call.ok:
            headers["x-oauth-scopes"] = ",".join(self.workspace.settings.scopes)
            headers["x-accepted-oauth-scopes"] = ""
        return JSONResponse(body, headers=headers)

    def _called(self, request: Request, method: str, arguments: Arguments) -> Json:
        if method == "oauth.v2.access":
            return oauth.access(self.workspace, arguments, request.headers.get("authorization", ""))
        if method not in METHODS:
            raise SlackError("unknown_method")
        if method not in WITHOUT_TOKEN:
            self._authorize(method, read_token(request, arguments))
        return METHODS[method](self.workspace, arguments)

    def _authorize(self, method: str, token: str) -> None:
        settings = self.workspace.settings
        if not token:
            raise SlackError("not_authed")
        if token == settings.app_token and method.startswith("apps."):
            return
        if token != settings.bot_token:
            raise SlackError("invalid_auth")
        if not self.workspace.world.installed:
            raise SlackError("account_inactive")

    def _fault(self, switch: Switch, call: Call) -> Response:
        call.ok, call.error = False, f"on order: {switch.mode}"
        if switch.mode == "429":
            retry_after = {"Retry-After": str(max(1, round(switch.seconds)))}
            return JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers=retry_after)
        if switch.mode in {"500", "lost"}:
            return PlainTextResponse("Internal Server Error", 500)
        if switch.mode == "html":
            return HTMLResponse("<!doctype html><title>503</title><h1>Slack is down</h1>", 503)
        return JSONResponse({"ok": False, "error": switch.mode})


def routes(workspace: Workspace) -> list[BaseRoute]:
    async def upload(request: Request) -> Response:
        file_id = request.path_params["file_id"]
        if file_id not in workspace.files:
            return PlainTextResponse("no such upload", 404)
        form = request.headers.get("content-type", "").startswith("multipart/")
        if form:
            parts = (await request.form()).values()
            files = [part for part in parts if not isinstance(part, str)]
            workspace.file_bytes[file_id] = await files[0].read() if files else b""
        else:
            workspace.file_bytes[file_id] = await request.body()
        return PlainTextResponse(f"OK - {len(workspace.file_bytes[file_id])}")

    async def download(request: Request) -> Response:
        content = workspace.file_bytes.get(request.path_params["file_id"])
        if content is None:
            return PlainTextResponse("no such file", 404)
        kind = "image/png" if content.startswith(b"\x89PNG") else "application/octet-stream"
        if content.lstrip().startswith(b"<svg"):
            kind = "image/svg+xml"
        return Response(content, media_type=kind, headers={"content-security-policy": "sandbox"})

    return [
        Route("/api/{method}", WebApi(workspace).answer, methods=["GET", "POST"]),
        Route("/upload/{file_id}/{ticket}", upload, methods=["POST"]),
        Route("/files/{file_id}", download, methods=["GET"]),
    ]
